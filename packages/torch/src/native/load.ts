import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { NativeBinding } from "./binding.ts";

/** The native binding could not be loaded; the message says what was tried and what to do. */
export class NativeLibraryError extends Error {
  override readonly name = "NativeLibraryError";
  readonly code = "ERR_NATIVE_LIBRARY";
}

/** What `scripts/build-native.mjs` wrote down about the libtorch that the native binding was built against. */
export interface BuildInfo {
  readonly version: string;
  readonly libraryDirectory: string;
}

const buildFolder = fileURLToPath(new URL("../../native/build/", import.meta.url));
const bindingFile = `${buildFolder}armseg_torch.node`;

/** Reads what the native binding was built against, or `null` where it was not built. */
export function buildInfo(): BuildInfo | null {
  const path = `${buildFolder}build-info.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as BuildInfo) : null;
}

function explain(cause: unknown): NativeLibraryError {
  const info = buildInfo();
  const builtAgainst = info
    ? `libtorch ${info.version} in ${info.libraryDirectory}`
    : "nothing: it was not built";
  const message = [
    `armseg could not load its native binding to libtorch (${process.platform}-${process.arch}, Node ${process.versions.node}).`,
    `  Tried  ${bindingFile}`,
    `  Built against  ${builtAgainst}`,
    `  Cause  ${cause instanceof Error ? cause.message.split("\n")[0] : String(cause)}`,
    "Do one of these:",
    "  - npm run setup                           (finds or installs libtorch and builds the native binding)",
    "  - LIBTORCH=/path/to/libtorch npm run setup   (builds against the libtorch you name)",
    "Run `npx armseg doctor` for the full report.",
  ].join("\n");
  return new NativeLibraryError(message, { cause });
}

function loadBinding(): NativeBinding {
  try {
    const loaded = createRequire(import.meta.url)(bindingFile) as NativeBinding;
    // ATen's own default is one thread on some machines with two.
    if (!process.env.OMP_NUM_THREADS) loaded.setThreads(availableParallelism());
    return loaded;
  } catch (cause) {
    throw explain(cause);
  }
}

/** The native binding of this thread. */
export const binding: NativeBinding = loadBinding();
