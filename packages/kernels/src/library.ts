import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { loadLibrary, operator } from "@armseg/torch";
import {
  builtLibrary,
  isBuilt,
  type Libtorch,
  type NativePackage,
  sharedLibraryName,
  versionOfPackage,
} from "@armseg/torch/setup";

/** The library of fused operators is not there, or does not fit the libtorch in use. */
export class KernelLibraryError extends Error {
  override readonly name = "KernelLibraryError";
  readonly code = "ERR_KERNEL_LIBRARY";
}

/** The library: what `native/CMakeLists.txt` builds. That builds without Node too, so it finds the rest itself, from the folder around the headers. */
export const KERNELS: NativePackage = {
  name: "kernels",
  version: versionOfPackage(import.meta.url, "../package.json"),
  sources: fileURLToPath(new URL("../native", import.meta.url)),
  library: sharedLibraryName("armseg_kernels"),
  definitions: ({ include }: Libtorch) => ({ LIBTORCH: dirname(include) }),
};

let isLoaded = false;
/** Found out once: to look for a build, all its sources are read, and every loss asks. */
let wasBuilt: boolean | undefined;

/** Returns whether the library was built when this was first asked; it may still refuse to load. */
export function isKernelLibraryBuilt(): boolean {
  wasBuilt ??= isBuilt(KERNELS);
  return wasBuilt;
}

/**
 * Registers the operators of `armseg::` with libtorch; a second call does nothing.
 *
 * @throws {KernelLibraryError} If the library was not built, or was built against another libtorch.
 */
export function loadKernels(): void {
  if (isLoaded) return;
  try {
    loadLibrary(builtLibrary(KERNELS));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new KernelLibraryError(`loadKernels(): the fused operators do not load: ${reason}`, { cause });
  }
  isLoaded = true;
}

type Operator = (...args: unknown[]) => unknown;

const bound = new Map<string, Operator>();

/** Returns an operator of the library, which is loaded when the first one is used. */
export function kernel(name: string): Operator {
  const known = bound.get(name);
  if (known) return known;
  loadKernels();
  const found = operator(`armseg::${name}`);
  bound.set(name, found);
  return found;
}
