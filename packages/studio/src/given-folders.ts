import { existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, parse, relative, resolve, sep } from "node:path";
import { RequestError } from "./http/answers.ts";

/** A folder that Studio was given, with the name that ids begin with. */
export interface GivenFolder {
  readonly name: string;
  readonly path: string;
}

/**
 * The folders that files may be read from: those given on the command line, and the folders of data that the configurations of
 * the runs in them name. Links count as what they lead to.
 */
export class GivenFolders {
  readonly given: readonly GivenFolder[];
  readonly #real: Set<string>;
  readonly #data = new Map<string, Set<string>>();

  /** @throws {Error} If one does not exist. */
  constructor(folders: readonly string[], data: readonly string[] = []) {
    for (const folder of [...folders, ...data])
      if (!existsSync(folder) || !statSync(folder).isDirectory())
        throw new Error(`studio: expected a folder, got ${folder}, which is none; check the path`);
    this.given = named(folders.map((folder) => resolve(folder)));
    this.#real = new Set([...folders, ...data].map((folder) => realpathSync(folder)));
  }

  /** Adds the folders of data that a run was trained on; whole disks and home folders are not taken for data. */
  setData(run: string, folders: readonly string[]): void {
    const real = folders.filter((folder) => existsSync(folder)).map((folder) => realpathSync(folder));
    this.#data.set(run, new Set(real.filter((folder) => !isTooWide(folder))));
  }

  /** Forgets those of a run that is gone. */
  dropData(run: string): void {
    this.#data.delete(run);
  }

  /**
   * Returns the real path of a file.
   *
   * @throws {RequestError} 404 if it does not exist, 403 if it lies elsewhere.
   */
  open(path: string): string {
    let real: string;
    try {
      real = realpathSync(path);
    } catch {
      throw new RequestError(404, `${path} does not exist`);
    }
    const folders = [this.#real, ...this.#data.values()];
    if (folders.some((set) => [...set].some((folder) => isInside(folder, real)))) return real;
    throw new RequestError(
      403,
      `${path} lies outside of the folders that Studio was given; start it with --data ${dirname(real)}`,
    );
  }

  /** As {@link open}, for a file that must lie in one folder. */
  openWithin(folder: string, path: string): string {
    const real = this.open(resolve(folder, path));
    if (isInside(realpathSync(folder), real)) return real;
    throw new RequestError(403, `${path} leads out of ${folder}`);
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return !(way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way));
}

/** A configuration that names `/` or a home as its data would open everything. */
function isTooWide(folder: string): boolean {
  return folder === parse(folder).root || isInside(folder, homedir());
}

/** Names that tell the folders apart. */
function named(paths: readonly string[]): GivenFolder[] {
  const names = new Set<string>();
  return [...new Set(paths)].map((path) => {
    const base = basename(path) || "root";
    let name = base;
    for (let n = 2; names.has(name); n++) name = `${base}-${n}`;
    names.add(name);
    return { name, path };
  });
}
