import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { buildsFolder, writeWhole } from "./cache.ts";
import { run } from "./commands.ts";
import { type Libtorch, versionNumber } from "./libtorch.ts";
import { buildFolder, type NativePackage } from "./native-package.ts";
import { hasGloo } from "./system-packages.ts";

/** What is written beside a library that was built. */
interface BuildRecord {
  readonly libtorch: Libtorch;
  /** Whether Gloo's headers were there: process groups on the CPU need them. */
  readonly hasGloo: boolean;
}

function readRecord(folder: string): BuildRecord | null {
  const path = join(folder, "build.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as BuildRecord) : null;
}

/** Where CMake keeps its objects, so that a change of one source compiles that one anew: by the folder of the sources. */
function workFolder({ name, sources }: NativePackage, { libraries, version }: Libtorch): string {
  const key = createHash("sha256")
    .update(JSON.stringify([sources, libraries, version]))
    .digest("hex");
  return join(buildsFolder(), "work", `${name}-libtorch-${version}-${key.slice(0, 10)}`);
}

/** Returns CMake's variables of a build. Headers of 2.9 and newer are written in C++20. */
function definitions(native: NativePackage, libtorch: Libtorch): string[] {
  const standard = versionNumber(libtorch.version) >= 20900 ? 20 : 17;
  const all = { CMAKE_BUILD_TYPE: "Release", CMAKE_CXX_STANDARD: standard, ...native.definitions(libtorch) };
  return Object.entries(all).map(([key, value]) => `-D${key}=${value}`);
}

/** Returns the two commands that build a package in a folder. */
export function buildCommands(native: NativePackage, libtorch: Libtorch, folder: string): string[][] {
  return [
    ["cmake", "-S", native.sources, "-B", folder, ...definitions(native, libtorch)],
    ["cmake", "--build", folder, "--config", "Release", "--parallel", String(availableParallelism())],
  ];
}

function compile(native: NativePackage, libtorch: Libtorch, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const [configure, build] = buildCommands(native, libtorch, folder) as [string[], string[]];
  run(configure[0]!, configure.slice(1), { stdio: ["ignore", "ignore", "inherit"] });
  run(build[0]!, build.slice(1));
  // Generators of several configurations (Visual Studio, Xcode) put it into a folder of the configuration's name.
  const places = [join(folder, native.library), join(folder, "Release", native.library)];
  const built = places.find((path) => existsSync(path));
  if (built) return built;
  throw new Error(`cmake built no ${native.library} in ${folder}`);
}

/**
 * Builds a package against a libtorch, into the cache of the user; quick when it has been built.
 *
 * The library is moved to its place when it is complete, so that another process finds all of it or nothing.
 *
 * @throws {Error} If a compiler is missing or fails.
 */
export function buildNative(native: NativePackage, libtorch: Libtorch): void {
  const target = buildFolder(native, libtorch);
  if (readRecord(target)?.hasGloo === hasGloo()) {
    process.stdout.write(`${native.name}: up to date\n`);
    return;
  }
  const built = compile(native, libtorch, workFolder(native, libtorch));
  const temporary = `${target}.${process.pid}.tmp`;
  mkdirSync(dirname(target), { recursive: true });
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  copyFileSync(built, join(temporary, native.library));
  const record: BuildRecord = { libtorch, hasGloo: hasGloo() };
  writeWhole(join(temporary, "build.json"), `${JSON.stringify(record, null, 2)}\n`);
  rmSync(target, { recursive: true, force: true });
  renameSync(temporary, target);
}
