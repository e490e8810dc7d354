import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildsFolder, rememberedLibtorch } from "./cache.ts";
import { findLibtorch, isGone, libtorchOfEnvironment } from "./find.ts";
import { describeLibtorch, type Libtorch } from "./libtorch.ts";

/** A native binding or library could not be found or loaded; the message says what was tried and what to do. */
export class NativeLibraryError extends Error {
  override readonly name = "NativeLibraryError";
  readonly code = "ERR_NATIVE_LIBRARY";
}

/** Native code that a package brings as sources, with a CMakeLists.txt, and that is built into the cache of the user. */
export interface NativePackage {
  /** Part of the build's name, and what messages call it. */
  readonly name: string;
  readonly version: string;
  /** Folder of CMakeLists.txt. */
  readonly sources: string;
  /** File name of what is built. */
  readonly library: string;
  /** Variables for CMake. */
  definitions(libtorch: Libtorch): Readonly<Record<string, string | number>>;
}

/** Returns the version in the package.json of a package, given the address of a file in its `src` or `dist` folder. */
export function versionOfPackage(moduleAddress: string, pathToManifest: string): string {
  const manifest = readFileSync(fileURLToPath(new URL(pathToManifest, moduleAddress)), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== "build")
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? sourceFiles(path) : [path];
    });
}

/** Changes with every source and with the libtorch, so that nobody ever loads what was built from something else. */
function fingerprint({ sources }: NativePackage, libtorch: Libtorch): string {
  const hash = createHash("sha256");
  for (const file of sourceFiles(sources)) hash.update(file.slice(sources.length)).update(readFileSync(file));
  const { libraries, version, cxx11Abi } = libtorch;
  hash.update(JSON.stringify([libraries, version, cxx11Abi, process.platform, process.arch]));
  return hash.digest("hex").slice(0, 10);
}

/** Returns the folder that a package's build against a libtorch lies in, whether or not it is there. */
export function buildFolder(native: NativePackage, libtorch: Libtorch): string {
  const name = `${native.name}-${native.version}-libtorch-${libtorch.version}-${fingerprint(native, libtorch)}`;
  return join(buildsFolder(), "builds", name);
}

const SET_UP = "run `npx armseg setup` (`npm run setup` in the repository)";

/**
 * Returns the libtorch that programs run on: `LIBTORCH`, else that of the last set-up.
 *
 * @throws {NativeLibraryError} If there was no set-up, or its libtorch is gone.
 */
export function libtorchInUse(): Libtorch {
  const named = libtorchOfEnvironment();
  if (named) return named;
  const remembered = rememberedLibtorch();
  if (remembered === null) {
    throw new NativeLibraryError(`no libtorch has been set up for this user; ${SET_UP}`);
  }
  if (!isGone(remembered)) return remembered;
  const other = findLibtorch();
  const found = other
    ? `${other.version} was found (${other.origin}, ${other.libraries})`
    : "no other was found";
  throw new NativeLibraryError(
    `libtorch ${remembered.version} at ${remembered.libraries} is gone; ${found}; ${SET_UP}`,
  );
}

/**
 * Returns the path of a package's library, built against the libtorch in use.
 *
 * @throws {NativeLibraryError} If it has not been built.
 */
export function builtLibrary(native: NativePackage): string {
  const libtorch = libtorchInUse();
  const path = join(buildFolder(native, libtorch), native.library);
  if (existsSync(path)) return path;
  const named = process.env.LIBTORCH ? ", with LIBTORCH as it is" : "";
  throw new NativeLibraryError(
    `${native.name} ${native.version} has not been built against ${describeLibtorch(libtorch)}; ${SET_UP}${named}`,
  );
}

/** Returns whether {@link builtLibrary} finds one. */
export function isBuilt(native: NativePackage): boolean {
  try {
    builtLibrary(native);
    return true;
  } catch {
    return false;
  }
}
