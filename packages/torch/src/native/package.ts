import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Libtorch, versionNumber } from "../setup/libtorch.ts";
import { type NativePackage, versionOfPackage } from "../setup/native-package.ts";

const { resolve } = createRequire(import.meta.url);

/** Returns the folder of a package of Node-API's headers. */
function headersOf(name: "node-addon-api" | "node-api-headers"): string {
  return dirname(resolve(`${name}/package.json`));
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
    NODE_API_INCLUDE_DIRS: [headersOf("node-addon-api"), join(headersOf("node-api-headers"), "include")].join(
      ";",
    ),
    ...(process.platform === "win32" && {
      NODE_API_DEF: join(headersOf("node-api-headers"), "def", "node_api.def"),
    }),
    NVIDIA_INCLUDE_DIRS: nvidiaIncludes(libraries).join(";"),
  }),
};
