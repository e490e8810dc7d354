import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sharedLibraryName } from "./library-names.ts";

/** A libtorch that code can be compiled against and run on. */
export interface Libtorch {
  /** How it was found, for messages: `LIBTORCH`, `the system`. */
  readonly origin: string;
  /** Folder that holds `ATen/ATen.h`. */
  readonly include: string;
  /** Folder that holds the shared libraries. */
  readonly libraries: string;
  /** By its headers, e.g. `1.13.0`. */
  readonly version: string;
  /** Whether its `std::string` is GCC's of 2011 or the older one; code that links to it must have the same. */
  readonly cxx11Abi: 0 | 1;
  readonly hasCuda: boolean;
}

/** Versions, as `major.minor`, on which the suites of engine, kernels and training have passed (`npm run test:libtorch`). */
export const TESTED_VERSIONS: readonly string[] = ["1.13", "2.13"];

/** Older ones lack operators that the engine calls. */
const OLDEST = 11300;

/** Returns e.g. 20901 for `2.9.1`. */
export function versionNumber(version: string): number {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  return major * 10000 + minor * 100 + patch;
}

/** Returns whether code can be built against a version: 1.13 and newer. */
export function isSupported(version: string): boolean {
  return versionNumber(version) >= OLDEST;
}

/** Returns `libtorch 2.13.0 of the torch of python3: /path`. */
export function describeLibtorch({ version, origin, libraries }: Libtorch): string {
  return `libtorch ${version} of ${origin}: ${libraries}`;
}

const VERSION_HEADERS = [
  "torch/headeronly/version.h",
  "torch/version.h",
  "torch/csrc/api/include/torch/version.h",
];

/** Reads the version of the headers in a folder, or `null` where there are none. */
export function readVersion(include: string): string | null {
  for (const header of VERSION_HEADERS) {
    const path = join(include, header);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    const parts = ["MAJOR", "MINOR", "PATCH"].map(
      (part) => text.match(new RegExp(`define TORCH_VERSION_${part} (\\d+)`))?.[1],
    );
    if (parts.every((part) => part !== undefined)) return parts.join(".");
  }
  return null;
}

/** A symbol of libc10 whose mangled name holds the older string. */
const OLD_STRING_SYMBOL = "N3c105ErrorC2ENS_14SourceLocationESs";

/** Looks at a pair of folders; `null` where they are no libtorch. */
export function libtorchOf(origin: string, include: string, libraries: string): Libtorch | null {
  const has = (name: string) => existsSync(join(libraries, sharedLibraryName(name)));
  if (!existsSync(join(include, "ATen", "ATen.h")) || !has("torch_cpu")) return null;
  const version = readVersion(include);
  if (version === null) return null;
  const c10 = readFileSync(join(libraries, sharedLibraryName("c10")));
  const cxx11Abi = c10.includes(OLD_STRING_SYMBOL) ? 0 : 1;
  return { origin, include, libraries, version, cxx11Abi, hasCuda: has("torch_cuda") };
}

/** Looks at the folder of a libtorch archive or of a pip-installed torch; `null` where it is none. */
export function libtorchIn(origin: string, folder: string): Libtorch | null {
  return libtorchOf(origin, join(folder, "include"), join(folder, "lib"));
}
