import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { basename } from "node:path";
import { processGroupDevices } from "../distributed/index.ts";
import type { Device, DType } from "../dtype.ts";
import { binding } from "../native/load.ts";
import { TESTED_VERSIONS } from "../setup/libtorch.ts";
import { libtorchInUse } from "../setup/native-package.ts";
import { convolutionSpeedup, measureRates, type Rates } from "./rates.ts";

/** The library that multiplies matrices for libtorch on the CPU. */
export interface Blas {
  readonly name: "OpenBLAS" | "MKL" | "BLIS" | "ATLAS" | "Accelerate" | "reference BLAS" | "unknown";
  readonly path: string | null;
}

/** Something that is wrong or slow, and how to fix it. */
export interface Problem {
  readonly what: string;
  readonly remedy: string;
}

/** A type that a convolution under autocast can run in. */
export interface AutocastType {
  readonly dtype: DType;
  /** Times as fast as float32, measured now. */
  readonly speedup: number;
}

/** What the engine stands on, here and now. */
export interface Diagnosis {
  readonly node: string;
  readonly libtorch: {
    readonly version: string;
    readonly path: string | null;
    readonly builtAgainst: string;
    /** Versions, as `major.minor`, on which the tests have passed. */
    readonly tested: readonly string[];
  };
  readonly processor: string;
  readonly devices: readonly Device[];
  readonly threads: { readonly used: number; readonly available: number };
  readonly blas: Blas;
  /** 10^9 floating-point operations per second on the CPU, measured now. */
  readonly rates: Rates;
  /** Of reduced precision, by device. */
  readonly autocast: Readonly<Record<string, readonly AutocastType[]>>;
  /** What several processes can send each other: tensors of the CPU through Gloo, of GPUs through NCCL. */
  readonly processGroups: readonly ("cpu" | "cuda")[];
  readonly problems: readonly Problem[];
}

/** Below this a thread, no tuned BLAS of the last fifteen years is at work. */
const SLOW_GIGAFLOPS_A_THREAD = 5;

function devices(): Device[] {
  const cuda = binding.hasCuda()
    ? Array.from({ length: binding.cudaDeviceCount() }, (_, i) => `cuda:${i}`)
    : [];
  return ["cpu", ...cuda];
}

function autocastTypes(device: Device): AutocastType[] {
  const candidates: DType[] = device === "cpu" ? ["bfloat16"] : ["bfloat16", "float16"];
  return candidates.flatMap((dtype) => {
    try {
      return [{ dtype, speedup: convolutionSpeedup(dtype, device) }];
    } catch {
      return []; // no such convolution here
    }
  });
}

function blasProblems(blas: Blas, rates: Rates, threads: number): Problem[] {
  const remedy =
    "install OpenBLAS (sudo apt-get install libopenblas0-pthread), or use a libtorch that brings MKL: LIBTORCH=/path npx armseg setup";
  if (blas.name === "reference BLAS") {
    return [
      {
        what: `libtorch multiplies matrices with the reference BLAS (${blas.path}), about ten times too slow`,
        remedy,
      },
    ];
  }
  const rate = rates.matrixProduct / threads;
  if (rate >= SLOW_GIGAFLOPS_A_THREAD) return [];
  return [
    { what: `a matrix product runs at ${rate.toFixed(1)} GFLOP/s a thread; 20 or more is usual`, remedy },
  ];
}

function threadProblems(used: number, available: number): Problem[] {
  if (used >= available) return [];
  return [
    {
      what: `libtorch uses ${used} of ${available} processors`,
      remedy: process.env.OMP_NUM_THREADS
        ? `unset OMP_NUM_THREADS (it is ${process.env.OMP_NUM_THREADS})`
        : `call setThreads(${available})`,
    },
  ];
}

function versionProblems(loaded: string, built: string): Problem[] {
  if (built === loaded) return [];
  return [
    {
      what: `the native binding was built against libtorch ${built}, ${loaded} is loaded`,
      remedy: "npx armseg setup",
    },
  ];
}

/** Looks at libtorch, its devices, threads and BLAS, measures it, and says what is wrong. Takes about a second. */
export function diagnose(): Diagnosis {
  const blas = findBlas(binding.buildConfiguration());
  const rates = measureRates();
  const threads = { used: binding.threads(), available: availableParallelism() };
  const builtAgainst = libtorchInUse().version;
  const found = devices();
  return {
    node: process.versions.node,
    libtorch: {
      version: binding.version(),
      path: binding.libraryPath(),
      builtAgainst,
      tested: TESTED_VERSIONS,
    },
    processor: cpus()[0]?.model.trim() ?? "unknown",
    devices: found,
    threads,
    blas,
    rates,
    autocast: Object.fromEntries(found.map((device) => [device, autocastTypes(device)])),
    processGroups: processGroupDevices(),
    problems: [
      ...versionProblems(binding.version(), builtAgainst),
      ...threadProblems(threads.used, threads.available),
      ...blasProblems(blas, rates, threads.used),
    ],
  };
}

const KNOWN: readonly [RegExp, Blas["name"]][] = [
  [/openblas/i, "OpenBLAS"],
  [/mkl/i, "MKL"],
  [/blis/i, "BLIS"],
  [/atlas/i, "ATLAS"],
  [/accelerate/i, "Accelerate"],
];

/** Lists the shared libraries that this process has loaded; empty where the system does not tell. */
function loadedLibraries(): string[] {
  if (!existsSync("/proc/self/maps")) return [];
  const paths = readFileSync("/proc/self/maps", "utf8").match(/\/\S+\.so\S*/g) ?? [];
  return [...new Set(paths)];
}

/**
 * Finds which BLAS libtorch uses: among the libraries that are loaded, else in libtorch's own build configuration, as
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
