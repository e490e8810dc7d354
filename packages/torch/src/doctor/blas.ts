import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";

/** The library that multiplies matrices for libtorch on the CPU. */
export interface Blas {
  readonly name: "OpenBLAS" | "MKL" | "BLIS" | "ATLAS" | "Accelerate" | "reference BLAS" | "unknown";
  readonly path: string | null;
}

const KNOWN: readonly [RegExp, Blas["name"]][] = [
  [/openblas/i, "OpenBLAS"],
  [/mkl/i, "MKL"],
  [/blis/i, "BLIS"],
  [/atlas/i, "ATLAS"],
  [/accelerate/i, "Accelerate"],
];

/** Shared libraries that this process has loaded; empty where the system does not tell. */
function loadedLibraries(): string[] {
  if (!existsSync("/proc/self/maps")) return [];
  const paths = readFileSync("/proc/self/maps", "utf8").match(/\/\S+\.so\S*/g) ?? [];
  return [...new Set(paths)];
}

/**
 * Which BLAS libtorch uses: found among the libraries that are loaded, else in libtorch's own build configuration, as
 * MKL is often linked into it.
 */
export function findBlas(buildConfiguration: string): Blas {
  const candidates = loadedLibraries().filter(
    (path) => /blas|mkl|blis|atlas/i.test(basename(path)) || /blas/i.test(path),
  );
  for (const [pattern, name] of KNOWN) {
    const path = candidates.find((candidate) => pattern.test(candidate));
    if (path) return { name, path };
  }
  const reference = candidates.find((candidate) => /libblas\.so/.test(candidate));
  if (reference) return { name: "reference BLAS", path: reference };
  const builtIn = KNOWN.find(([pattern]) =>
    pattern.test(buildConfiguration.match(/BLAS_INFO=\w+/)?.[0] ?? ""),
  );
  return { name: builtIn?.[1] ?? "unknown", path: null };
}
