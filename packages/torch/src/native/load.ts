import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { delimiter } from "node:path";
import { builtLibrary, libtorchInUse, NativeLibraryError } from "../setup/native-package.ts";
import type { NativeBinding } from "./binding.ts";
import { lazyObject } from "./lazy.ts";
import { NATIVE_BINDING } from "./package.ts";

function explain(cause: unknown): NativeLibraryError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = [
    `armseg could not load its native binding to libtorch (${process.platform}-${process.arch}, Node ${process.versions.node}):`,
    `  ${cause instanceof NativeLibraryError ? reason : reason.split("\n")[0]}`,
    "Do one of these:",
    "  - npx armseg setup                              (finds or installs libtorch and builds the native code)",
    "  - LIBTORCH=/path/to/libtorch npx armseg setup   (builds against the libtorch you name)",
    "In a clone of the repository it is `npm run setup`. `npx armseg doctor` has the full report.",
  ].join("\n");
  return new NativeLibraryError(message, { cause });
}

/** Windows looks for the libraries of a library in PATH, other systems in what the linker wrote down. */
function letWindowsFindLibraries(): void {
  if (process.platform !== "win32") return;
  process.env.PATH = [libtorchInUse().libraries, process.env.PATH].join(delimiter);
}

function loadBinding(): NativeBinding {
  try {
    const path = builtLibrary(NATIVE_BINDING);
    letWindowsFindLibraries();
    const loaded = createRequire(import.meta.url)(path) as NativeBinding;
    // ATen's own default is one thread on some machines with two.
    if (!process.env.OMP_NUM_THREADS) loaded.setThreads(availableParallelism());
    return loaded;
  } catch (cause) {
    throw explain(cause);
  }
}

const whenLoaded: ((loaded: NativeBinding) => void)[] = [];

/**
 * Has something done as soon as the native binding is loaded.
 *
 * @internal
 */
export function onLoad(action: (loaded: NativeBinding) => void): void {
  whenLoaded.push(action);
}

/** The native binding of this thread, which is loaded by its first use: importing this package needs no libtorch. */
export const binding: NativeBinding = lazyObject(() => {
  const loaded = loadBinding();
  for (const action of whenLoaded) action(loaded);
  return loaded;
});
