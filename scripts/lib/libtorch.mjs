import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { capture } from "./run.mjs";

/**
 * @typedef {object} Libtorch
 * @property {string} origin - how it was found, for the log
 * @property {string[]} includes
 * @property {string} libraries
 * @property {string} version - e.g. 1.13.0
 * @property {number} versionNumber - e.g. 11300
 * @property {0 | 1} cxx11Abi
 */

const VERSION_HEADERS = [
  "torch/headeronly/version.h",
  "torch/version.h",
  "torch/csrc/api/include/torch/version.h",
];

function readVersion(include) {
  for (const header of VERSION_HEADERS) {
    const path = join(include, header);
    if (!existsSync(path)) continue;
    const parts = ["MAJOR", "MINOR", "PATCH"].map((part) =>
      readFileSync(path, "utf8").match(new RegExp(`define TORCH_VERSION_${part} (\\d+)`)),
    );
    if (parts.every(Boolean)) return parts.map((match) => Number(match[1]));
  }
  return null;
}

/** Old wheels were built with GCC's pre-2011 strings; code that links to them must be as well. */
function readAbi(libraries) {
  const library = join(libraries, process.platform === "darwin" ? "libc10.dylib" : "libc10.so");
  return readFileSync(library).includes("N3c105ErrorC2ENS_14SourceLocationESs") ? 0 : 1;
}

function describe(origin, include, libraries) {
  const suffix = process.platform === "darwin" ? "dylib" : "so";
  if (!existsSync(join(include, "ATen", "ATen.h"))) return null;
  if (!existsSync(join(libraries, `libtorch_cpu.${suffix}`))) return null;
  const version = readVersion(include);
  if (version === null) return null;
  const [major, minor, patch] = version;
  return {
    origin,
    includes: [include, join(include, "torch", "csrc", "api", "include")],
    libraries,
    version: version.join("."),
    versionNumber: major * 10000 + minor * 100 + patch,
    cxx11Abi: readAbi(libraries),
  };
}

function fromFolder(origin, folder) {
  return describe(origin, join(folder, "include"), join(folder, "lib"));
}

function fromEnvironment() {
  const folder = process.env.LIBTORCH;
  if (!folder) return null;
  const found = fromFolder("LIBTORCH", folder) ?? (folder === "/usr" ? fromSystem() : null);
  if (found) return found;
  throw new Error(
    `LIBTORCH is ${folder}, but there is no include/ATen/ATen.h and lib/libtorch_cpu.so in it. ` +
      "Point it at the folder of a libtorch archive or of a pip-installed torch, or unset it.",
  );
}

function fromPip() {
  const folder = capture("python3", ["-c", "import torch, os; print(os.path.dirname(torch.__file__))"]);
  return folder ? fromFolder("the torch of python3", folder) : null;
}

function fromSystem() {
  const multiarch = existsSync("/usr/lib")
    ? readdirSync("/usr/lib").filter((name) => name.includes("-linux-gnu"))
    : [];
  for (const folder of [
    ...multiarch.map((name) => `/usr/lib/${name}`),
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
  ]) {
    const include = folder.startsWith("/usr/local") ? "/usr/local/include" : "/usr/include";
    const found = describe("the system", include, folder);
    if (found) return found;
  }
  return null;
}

/**
 * The libtorch to build against: `LIBTORCH`, else the torch of `python3`, else the system's.
 *
 * @returns {Libtorch | null}
 */
export function findLibtorch() {
  return fromEnvironment() ?? fromPip() ?? fromSystem();
}
