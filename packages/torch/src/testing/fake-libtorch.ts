import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sharedLibraryName } from "../setup/library-names.ts";

/** Returns the files by which set-up knows a libtorch, by their paths. */
export function fakeLibtorchFiles(
  version: string,
  { cuda = false, oldAbi = false } = {},
): Map<string, string> {
  const [major, minor, patch] = version.split(".");
  const parts = { MAJOR: major, MINOR: minor, PATCH: patch };
  const header = Object.entries(parts).map(([part, value]) => `#define TORCH_VERSION_${part} ${value}\n`);
  const files = new Map([
    ["include/ATen/ATen.h", ""],
    ["include/torch/version.h", header.join("")],
    [`lib/${sharedLibraryName("torch_cpu")}`, ""],
    [`lib/${sharedLibraryName("c10")}`, oldAbi ? "_ZN3c105ErrorC2ENS_14SourceLocationESs" : ""],
  ]);
  if (cuda) files.set(`lib/${sharedLibraryName("torch_cuda")}`, "");
  return files;
}

/** Writes a folder that set-up takes for a libtorch, and returns it. */
export function writeFakeLibtorch(folder: string, version: string, options = {}): string {
  for (const [name, content] of fakeLibtorchFiles(version, options)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
