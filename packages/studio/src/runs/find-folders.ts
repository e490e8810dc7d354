import type { Dirent } from "node:fs";
import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { GivenFolder } from "../given-folders.ts";

/** Folders below this depth are not looked into. */
const DEEPEST = 6;
/** A place that holds more folders than this is no folder of runs. */
const MOST = 20_000;

/** A folder of a run or of maps. */
export interface FoundFolder {
  /** The given folder's name and the path below it, with `/`. */
  readonly id: string;
  readonly path: string;
}

export interface FoundFolders {
  readonly runs: readonly FoundFolder[];
  /** Maps that lie in no run. */
  readonly maps: readonly FoundFolder[];
}

/** Finds the runs below the given folders, and the folders of maps that lie in none. Folders that cannot be read are passed over. */
export async function findFolders(given: readonly GivenFolder[]): Promise<FoundFolders> {
  const runs: FoundFolder[] = [];
  const maps: FoundFolder[] = [];
  const seen = new Set<string>();
  const visit = async (folder: FoundFolder, depth: number): Promise<void> => {
    const real = await realpath(folder.path).catch(() => undefined);
    if (real === undefined || seen.has(real) || seen.size > MOST) return;
    seen.add(real);
    const entries = await entriesOf(folder.path);
    if (entries.some(({ name }) => name === "config.yaml")) {
      runs.push(folder);
      return;
    }
    if (entries.some(({ name }) => name === "maps.json")) maps.push(folder);
    if (depth === DEEPEST) return;
    for (const entry of entries)
      if (mayHoldRuns(entry))
        await visit({ id: `${folder.id}/${entry.name}`, path: join(folder.path, entry.name) }, depth + 1);
  };
  for (const { name, path } of given) await visit({ id: name, path }, 0);
  return { runs, maps };
}

function mayHoldRuns(entry: Dirent): boolean {
  // Links are not followed: they may lead anywhere.
  return (
    entry.isDirectory() &&
    !entry.name.startsWith(".") &&
    entry.name !== "node_modules" &&
    entry.name !== "planes"
  );
}

async function entriesOf(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((): Dirent[] => []);
  return entries.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}
