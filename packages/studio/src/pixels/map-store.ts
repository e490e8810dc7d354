import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { auditPaths, isMapsFolder, mapsPaths, runPaths } from "armseg/runs";
import type { MapSet } from "../api.ts";
import type { GivenFolders } from "../given-folders.ts";
import { RequestError } from "../http/answers.ts";
import type { RunStore } from "../runs/run-store.ts";
import { loadAudit, loadMaps } from "./load-set.ts";
import type { LoadedSet } from "./map-set.ts";

/** So many lists of images are kept. */
const KEPT = 8;

interface Place {
  readonly id: string;
  readonly run: string | null;
  readonly kind: "maps" | "audit";
  readonly folder: string;
}

/** The sets of images with planes, of the runs and beside them. */
export class MapStore {
  readonly #runs: RunStore;
  readonly #folders: GivenFolders;
  readonly #loaded = new Map<string, { readonly stamp: string; readonly set: Promise<LoadedSet | null> }>();

  constructor(runs: RunStore, folders: GivenFolders) {
    this.#runs = runs;
    this.#folders = folders;
  }

  /** Lists the sets that can be read. @param run - Of this run alone. */
  async list(run?: string): Promise<MapSet[]> {
    const places = this.#places().filter((place) => run === undefined || place.run === run);
    const sets: MapSet[] = [];
    for (const place of places) {
      const set = await this.#load(place).catch(() => null);
      if (set) sets.push({ ...set.info, images: set.images.length });
    }
    return sets;
  }

  /** Returns a set with its images. @throws {RequestError} 404 if there is none, or no longer. */
  async get(id: string): Promise<LoadedSet> {
    const place = this.#places().find((known) => known.id === id);
    const set = place && (await this.#load(place));
    if (!set) throw new RequestError(404, `there are no maps ${id}, or no longer`);
    return set;
  }

  #places(): Place[] {
    const ofRuns = this.#runs.summaries().flatMap(({ id: run }) => {
      const path = pathOf(this.#runs, run);
      return path === null ? [] : placesOf(run, path);
    });
    const beside = this.#runs.maps.map(
      ({ id, path }): Place => ({ id, run: null, kind: "maps", folder: path }),
    );
    return [...ofRuns, ...beside];
  }

  async #load(place: Place): Promise<LoadedSet | null> {
    const { id, run, kind, folder } = place;
    if (kind === "audit" && !existsSync(auditPaths(folder).summary)) return null;
    const list = kind === "maps" ? mapsPaths(folder).images : auditPaths(folder).images;
    // A link to elsewhere is no folder of maps of ours.
    this.#folders.open(list);
    const { mtimeMs, size } = statSync(list);
    const stamp = `${mtimeMs} ${size}`;
    const known = this.#loaded.get(id);
    if (known?.stamp === stamp) return known.set;
    const set = kind === "maps" ? loadMaps(id, folder, run) : loadAudit(run!, folder);
    this.#loaded.delete(id);
    this.#loaded.set(id, { stamp, set });
    set.catch(() => this.#loaded.delete(id));
    if (this.#loaded.size > KEPT) this.#loaded.delete(this.#loaded.keys().next().value!);
    return set;
  }
}

function pathOf(runs: RunStore, id: string): string | null {
  try {
    return runs.folder(id);
  } catch {
    return null;
  }
}

function placesOf(run: string, folder: string): Place[] {
  const { maps } = runPaths(folder);
  const names = namesIn(maps).filter((name) => isMapsFolder(join(maps, name)));
  const places = names.map(
    (name): Place => ({ id: `${run}/maps/${name}`, run, kind: "maps", folder: join(maps, name) }),
  );
  return [...places, { id: `${run}/audit`, run, kind: "audit", folder }];
}

/** Whole evaluations before the few samples. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort(
      (a, b) => Number(a === "samples") - Number(b === "samples") || b.localeCompare(a),
    );
  } catch {
    return [];
  }
}
