import { existsSync, readdirSync } from "node:fs";
import { capture, run } from "./run.mjs";

const COMMANDS = { cmake: "cmake", "c++": "g++", make: "make" };

/** Debian packages without which the native code cannot be built here. */
export function missingPackages(hasLibtorch) {
  const missing = Object.entries(COMMANDS)
    .filter(([command]) => capture(command, ["--version"]) === null)
    .map(([, name]) => name);
  if (!hasLibtorch) missing.push("libtorch-dev");
  if (!hasLibtorch || usesReferenceBlas()) missing.push("libopenblas0-pthread");
  return missing;
}

/** Headers of Gloo, which training on several processes needs and nothing else does. */
export function hasGloo() {
  return existsSync("/usr/include/gloo/config.h");
}

/** Packages that set-up installs where it may, and does without where it may not. */
export function optionalPackages() {
  return process.platform !== "linux" || hasGloo() ? [] : ["libgloo-dev"];
}

/** Debian's libtorch multiplies matrices with whatever libblas.so.3 is; the reference one is ten times slower. */
function usesReferenceBlas() {
  if (!existsSync("/usr/lib") || process.platform !== "linux") return false;
  const folders = readdirSync("/usr/lib").filter((name) => name.includes("-linux-gnu"));
  const has = (file) => folders.some((folder) => existsSync(`/usr/lib/${folder}/${file}`));
  return has("libtorch_cpu.so") && has("blas/libblas.so.3") && !has("openblas-pthread/libblas.so.3");
}

const isRoot = process.getuid?.() === 0;

/** Whether packages can be installed without asking anybody. */
export function canInstallPackages() {
  return capture("apt-get", ["--version"]) !== null && (isRoot || capture("sudo", ["-n", "true"]) !== null);
}

/** Installs Debian packages as root or with a sudo that asks nothing; else says what to type. */
export function installPackages(names) {
  if (!canInstallPackages()) {
    throw new Error(
      `These are missing: ${names.join(", ")}. Type\n\n` +
        "  sudo apt-get update\n" +
        `  sudo apt-get install -y --no-install-recommends ${names.join(" ")}\n\n` +
        "or, with another libtorch (2.x, CUDA), a C++17 compiler, cmake and make at hand,\n\n" +
        "  export LIBTORCH=/path/to/libtorch\n\nand run npm run setup again.",
    );
  }
  const apt = (...args) =>
    run(isRoot ? "apt-get" : "sudo", isRoot ? args : ["-n", "apt-get", ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"], // a line for each of its packages helps nobody
    });
  process.stdout.write(`Installing ${names.join(", ")}; this takes some minutes.\n`);
  apt("update", "-qq");
  apt("install", "-y", "-qq", "--no-install-recommends", ...names);
}
