import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Libtorch, versionNumber } from "../setup/libtorch.ts";
import { type NativePackage, versionOfPackage } from "../setup/native-package.ts";

function nodeApiIncludes(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return [
    dirname(resolve("node-addon-api/package.json")),
    join(dirname(resolve("node-api-headers/package.json")), "include"),
  ];
}

/** Returns the folders of headers of CUDA and NCCL that pip installs beside torch, for process groups on GPUs. */
function nvidiaIncludes(libraries: string): string[] {
  const packages = join(libraries, "../../nvidia");
  if (!existsSync(packages)) return [];
  return readdirSync(packages)
    .map((name) => join(packages, name, "include"))
    .filter((folder) => existsSync(folder));
}

/** The native binding: what `native/CMakeLists.txt` builds. */
export const NATIVE_BINDING: NativePackage = {
  name: "torch",
  version: versionOfPackage(import.meta.url, "../../package.json"),
  sources: fileURLToPath(new URL("../../native", import.meta.url)),
  library: "armseg_torch.node",
  definitions: ({ include, libraries, version, cxx11Abi }: Libtorch) => ({
    TORCH_INCLUDE_DIRS: [include, join(include, "torch", "csrc", "api", "include")].join(";"),
    TORCH_LIBRARY_DIR: libraries,
    TORCH_CXX11_ABI: cxx11Abi,
    TORCH_VERSION_NUMBER: versionNumber(version),
    NODE_API_INCLUDE_DIRS: nodeApiIncludes().join(";"),
    NVIDIA_INCLUDE_DIRS: nvidiaIncludes(libraries).join(";"),
  }),
};
