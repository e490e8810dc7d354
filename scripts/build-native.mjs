/** Builds the native code (the binding and the kernels) against the libtorch that is found. Quick when nothing changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { findLibtorch } from "./lib/libtorch.mjs";
import { hasGloo } from "./lib/packages.mjs";
import { capture, run } from "./lib/run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

function sourceFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "build")
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sourceFiles(path) : [path];
    });
}

/** Changes when a source, the libtorch or the compiler does. */
function fingerprint(folder, libtorch) {
  const hash = createHash("sha256");
  for (const file of sourceFiles(folder)) hash.update(file.slice(folder.length)).update(readFileSync(file));
  hash.update(JSON.stringify([libtorch, hasGloo()])).update(capture("c++", ["--version"]) ?? "");
  return hash.digest("hex");
}

function readInfo(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : null;
}

function nodeApiIncludes() {
  const headers = dirname(require.resolve("node-api-headers/package.json"));
  const addonApi = dirname(require.resolve("node-addon-api/package.json"));
  return [addonApi, join(headers, "include")];
}

/** Headers of CUDA and NCCL that pip installs beside torch, for process groups on GPUs. */
function nvidiaIncludes(libraries) {
  const packages = join(libraries, "../../nvidia");
  if (!existsSync(packages)) return [];
  return readdirSync(packages)
    .map((name) => join(packages, name, "include"))
    .filter((folder) => existsSync(folder));
}

function build(name, folder, libtorch, definitions) {
  const output = join(folder, "build");
  const infoFile = join(output, "build-info.json");
  const wanted = fingerprint(folder, libtorch);
  if (readInfo(infoFile)?.fingerprint === wanted) {
    process.stdout.write(`${name}: up to date\n`);
    return;
  }
  // A build folder remembers the libtorch it was configured for.
  if (readInfo(infoFile)?.libraryDirectory !== libtorch.libraries)
    rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  // The headers of newer versions are written in C++20.
  const standard = libtorch.versionNumber >= 20900 ? 20 : 17;
  const defines = Object.entries({ CMAKE_CXX_STANDARD: standard, ...definitions }).map(
    ([key, value]) => `-D${key}=${value}`,
  );
  run("cmake", ["-S", folder, "-B", output, "-DCMAKE_BUILD_TYPE=Release", ...defines], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  run("cmake", ["--build", output, "--parallel", String(availableParallelism())]);
  const info = { version: libtorch.version, libraryDirectory: libtorch.libraries, fingerprint: wanted };
  writeFileSync(infoFile, `${JSON.stringify(info, null, 2)}\n`);
}

const libtorch = findLibtorch();
if (libtorch === null) throw new Error("No libtorch was found; npm run setup finds or installs one.");
process.stdout.write(`libtorch ${libtorch.version} of ${libtorch.origin}: ${libtorch.libraries}\n`);
build("native binding", join(root, "packages/torch/native"), libtorch, {
  TORCH_INCLUDE_DIRS: libtorch.includes.join(";"),
  TORCH_LIBRARY_DIR: libtorch.libraries,
  TORCH_CXX11_ABI: libtorch.cxx11Abi,
  TORCH_VERSION_NUMBER: libtorch.versionNumber,
  NODE_API_INCLUDE_DIRS: nodeApiIncludes().join(";"),
  NVIDIA_INCLUDE_DIRS: nvidiaIncludes(libtorch.libraries).join(";"),
});
// The kernels build without Node too, so their CMake finds the rest itself, from the folder around the headers.
build("kernels", join(root, "packages/kernels/native"), libtorch, {
  LIBTORCH: dirname(libtorch.includes[0]),
});
