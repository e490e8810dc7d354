import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadLibrary, operator } from "@armseg/torch";

/** The library of fused operators is not there, or does not fit the libtorch in use. */
export class KernelLibraryError extends Error {
  override readonly name = "KernelLibraryError";
  readonly code = "ERR_KERNEL_LIBRARY";
}

const extension = process.platform === "darwin" ? "dylib" : "so";
const libraryFile = fileURLToPath(new URL(`../native/build/libarmseg_kernels.${extension}`, import.meta.url));

let isLoaded = false;

/** Returns whether the library was built; it may still refuse to load. */
export function isKernelLibraryBuilt(): boolean {
  return existsSync(libraryFile);
}

/**
 * Registers the operators of `armseg::` with libtorch; a second call does nothing.
 *
 * @throws {KernelLibraryError} If the library was not built, or was built against another libtorch.
 */
export function loadKernels(): void {
  if (isLoaded) return;
  if (!isKernelLibraryBuilt()) {
    throw new KernelLibraryError(
      `loadKernels(): expected ${libraryFile}, it was not built; run \`npm run setup\``,
    );
  }
  try {
    loadLibrary(libraryFile);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new KernelLibraryError(
      `loadKernels(): ${libraryFile} does not load (${reason}); it may be of another libtorch, run \`npm run setup\` again`,
      { cause },
    );
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
