import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { auditPaths, isMapsFolder, mapsPaths, runPaths } from "armseg/runs";
import type { MapSet } from "../api.ts";
import type { GivenFolders } from "../given-folders.ts";
import { RequestError } from "../http/answers.ts";
import type { RunStore } from "../runs/run-store.ts";
import { describeAudit, describeMaps, loadAudit, loadMaps } from "./load-set.ts";
import type { LoadedSet, SetImage } from "./map-set.ts";

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
  readonly #described = new Map<string, { readonly stamp: string; readonly info: MapSet }>();
  readonly #loaded = new Map<string, { readonly stamp: string; readonly images: Promise<SetImage[]> }>();

  constructor(runs: RunStore, folders: GivenFolders) {
    this.#runs = runs;
    this.#folders = folders;
  }

  /** Lists the sets that can be read. @param run - Of this run alone. */
  async list(run?: string): Promise<MapSet[]> {
    const places = this.#places().filter((place) => run === undefined || place.run === run);
    const sets: MapSet[] = [];
    for (const place of places) {
      const info = await this.#describe(place).catch(() => null);
      if (info) sets.push(info);
    }
    return sets;
  }

  /** Returns a set with its images. @throws {RequestError} 404 if there is none, or no longer. */
  async get(id: string): Promise<LoadedSet> {
    const place = this.#places().find((known) => known.id === id);
    const info = place && (await this.#describe(place));
    if (!place || !info) throw new RequestError(404, `there are no maps ${id}, or no longer`);
    return { info, folder: place.folder, images: await this.#load(place) };
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

  /** Null where there is no audit, or none that is complete. */
  async #describe(place: Place): Promise<MapSet | null> {
    const { id, run, kind, folder } = place;
    if (kind === "audit" && !existsSync(auditPaths(folder).summary)) return null;
    const stamp = this.#stamp(place);
    const known = this.#described.get(id);
    if (known?.stamp === stamp) return known.info;
    const info = await (kind === "maps" ? describeMaps(id, folder, run) : describeAudit(run!, folder));
    this.#described.set(id, { stamp, info });
    return info;
  }

  #load(place: Place): Promise<SetImage[]> {
    const { id, kind, folder } = place;
    const stamp = this.#stamp(place);
    const known = this.#loaded.get(id);
    if (known?.stamp === stamp) return known.images;
    const images = kind === "maps" ? loadMaps(folder) : loadAudit(folder);
    this.#loaded.delete(id);
    this.#loaded.set(id, { stamp, images });
    images.catch(() => this.#loaded.delete(id));
    if (this.#loaded.size > KEPT) this.#loaded.delete(this.#loaded.keys().next().value!);
    return images;
  }

  /** Changes when the list of images does. @throws {RequestError} If it lies elsewhere: a link is no folder of maps of ours. */
  #stamp({ kind, folder }: Place): string {
    const list = kind === "maps" ? mapsPaths(folder).images : auditPaths(folder).images;
    const { mtimeMs, size } = statSync(this.#folders.open(list));
    return `${mtimeMs} ${size}`;
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
