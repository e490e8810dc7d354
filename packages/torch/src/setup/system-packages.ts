import { existsSync, readdirSync, readFileSync } from "node:fs";
import { capture, run } from "./commands.ts";
import { isSupported } from "./libtorch.ts";

const TOOLS = { cmake: "cmake", "c++": "g++", make: "make" } as const;

/** Returns the Debian packages of the tools without which nothing can be built here. */
export function missingTools(): string[] {
  return Object.entries(TOOLS)
    .filter(([command]) => capture(command, ["--version"]) === null)
    .map(([, name]) => name);
}

/** Returns whether the headers of Gloo are there, which training on several processes of a CPU needs and nothing else does. */
export function hasGloo(): boolean {
  return existsSync("/usr/include/gloo/config.h");
}

/** Returns whether Debian's libtorch would multiply matrices with the reference BLAS, which is ten times slower. */
export function usesReferenceBlas(): boolean {
  if (process.platform !== "linux" || !existsSync("/usr/lib")) return false;
  const folders = readdirSync("/usr/lib").filter((name) => name.includes("-linux-gnu"));
  const has = (file: string) => folders.some((folder) => existsSync(`/usr/lib/${folder}/${file}`));
  return has("libtorch_cpu.so") && has("blas/libblas.so.3") && !has("openblas-pthread/libblas.so.3");
}

const isRoot = process.getuid?.() === 0;

/** Returns whether there is apt. */
export function hasApt(): boolean {
  return process.platform === "linux" && capture("apt-get", ["--version"]) !== null;
}

/** Returns whether packages can be installed without asking anybody: as root, or with a sudo that asks nothing. */
export function canInstallPackages(): boolean {
  return hasApt() && (isRoot || capture("sudo", ["-n", "true"]) !== null);
}

/** Returns the commands that install Debian packages, for people. */
export function aptCommands(names: readonly string[]): string[] {
  const sudo = isRoot ? "" : "sudo ";
  return [`${sudo}apt-get update`, `${sudo}apt-get install -y --no-install-recommends ${names.join(" ")}`];
}

function apt(...args: string[]): void {
  run(isRoot ? "apt-get" : "sudo", isRoot ? args : ["-n", "apt-get", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdio: ["ignore", "ignore", "inherit"], // a line for each of its packages helps nobody
  });
}

/** Reads apt's lists anew. */
export function updateLists(): void {
  apt("update", "-qq");
}

/** Installs Debian packages; {@link updateLists} goes before. */
export function installPackages(names: readonly string[]): void {
  process.stdout.write(`Installing ${names.join(", ")}; this takes some minutes.\n`);
  apt("install", "-y", "-qq", "--no-install-recommends", ...names);
}

/** Returns the version in what `apt-cache policy libtorch-dev` prints, e.g. `2.6.0` for `2.6.0+dfsg-7`; `null` for none. */
export function candidateVersion(policy: string): string | null {
  return policy.match(/Candidate: (?:\d+:)?(\d+\.\d+\.\d+)/)?.[1] ?? null;
}

/** Returns whether a distribution is known to have a libtorch that works: Debian from 12 on, Ubuntu from 25.04 on. */
export function distributionHasLibtorch(osRelease: string): boolean {
  const value = (key: string) => osRelease.match(new RegExp(`^${key}="?([^"\\n]*)`, "m"))?.[1] ?? "";
  const version = Number(value("VERSION_ID"));
  if (value("ID") === "debian") return value("VERSION_ID") === "" || version >= 12; // testing has no number
  return value("ID") === "ubuntu" && version >= 25.04;
}

/** Returns whether apt would install a libtorch that works: by its lists, or where they are empty by what is known. */
export function aptHasLibtorch(): boolean {
  const candidate = candidateVersion(capture("apt-cache", ["policy", "libtorch-dev"]) ?? "");
  if (candidate !== null) return isSupported(candidate);
  const areListsEmpty = !capture("apt-cache", ["policy", "libc6-dev"])?.includes("http");
  if (!areListsEmpty || !existsSync("/etc/os-release")) return false;
  return distributionHasLibtorch(readFileSync("/etc/os-release", "utf8"));
}
