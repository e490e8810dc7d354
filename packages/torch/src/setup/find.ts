import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { archiveFolder, rememberedLibtorch } from "./cache.ts";
import { capture } from "./commands.ts";
import {
  isSupported,
  type Libtorch,
  libtorchIn,
  libtorchOf,
  readVersion,
  versionNumber,
} from "./libtorch.ts";

/**
 * Returns the libtorch that the variable `LIBTORCH` names, or `null` where it is not set.
 *
 * @throws {Error} If there is none in the folder.
 */
export function libtorchOfEnvironment(): Libtorch | null {
  const folder = process.env.LIBTORCH;
  if (!folder) return null;
  const found = libtorchIn("LIBTORCH", folder) ?? (folder === "/usr" ? libtorchOfSystem() : null);
  if (found) return found;
  throw new Error(
    `LIBTORCH is ${folder}, but there is no include/ATen/ATen.h and lib/libtorch_cpu.so in it. ` +
      "Point it at the folder of a libtorch archive or of a pip-installed torch, or unset it.",
  );
}

/** Returns the libtorch that the user chose at an earlier set-up, if it is still there. */
function chosenBefore(): Libtorch | null {
  const remembered = rememberedLibtorch();
  if (!remembered?.isChosen || isGone(remembered)) return null;
  return libtorchOf(remembered.origin, remembered.include, remembered.libraries);
}

function libtorchOfPython(): Libtorch | null {
  const script = "import importlib.util as u, os; print(os.path.dirname(u.find_spec('torch').origin))";
  const folder = capture("python3", ["-c", script]);
  return folder ? libtorchIn("the torch of python3", folder) : null;
}

function libtorchOfSystem(): Libtorch | null {
  const multiarch = existsSync("/usr/lib")
    ? readdirSync("/usr/lib").filter((name) => name.includes("-linux-gnu"))
    : [];
  const folders = multiarch.map((name) => `/usr/lib/${name}`);
  for (const folder of [...folders, "/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"]) {
    const found = libtorchOf("the system", includeBeside(folder), folder);
    if (found) return found;
  }
  return null;
}

function includeBeside(libraries: string): string {
  const root = /^(\/usr\/local|\/opt\/homebrew)/.exec(libraries)?.[0] ?? "/usr";
  return `${root}/include`;
}

/** Returns the newest libtorch among those downloaded, or `null`. */
function libtorchOfCache(accepts: Accepts): Libtorch | null {
  const folder = archiveFolder();
  if (!existsSync(folder)) return null;
  const found = readdirSync(folder)
    .map((name) => libtorchIn("armseg's cache", join(folder, name)))
    .filter((libtorch) => libtorch !== null)
    .filter(accepts);
  return found.sort((a, b) => versionNumber(b.version) - versionNumber(a.version))[0] ?? null;
}

type Accepts = (libtorch: Libtorch) => boolean;

/**
 * Finds the libtorch to build against: `LIBTORCH`; the one chosen at an earlier set-up; the torch of `python3`; the system's;
 * one that was downloaded.
 *
 * @param needsCuda - Whether those without CUDA are passed over; one that `LIBTORCH` names is not.
 */
export function findLibtorch(needsCuda = false): Libtorch | null {
  const accepts: Accepts = ({ version, hasCuda }) => isSupported(version) && (hasCuda || !needsCuda);
  const named = libtorchOfEnvironment();
  if (named) return named;
  for (const find of [chosenBefore, libtorchOfPython, libtorchOfSystem]) {
    const found = find();
    if (found && accepts(found)) return found;
  }
  return libtorchOfCache(accepts);
}

/** Returns whether a libtorch is no longer where it was, or another version is there. */
export function isGone({ include, libraries, version }: Libtorch): boolean {
  return !existsSync(libraries) || readVersion(include) !== version;
}
