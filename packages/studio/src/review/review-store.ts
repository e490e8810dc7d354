import { existsSync, lstatSync, statSync } from "node:fs";
import {
  type AuditRegion,
  appendVerdict,
  auditPaths,
  fitsSize,
  type GivenVerdict,
  readAuditSummary,
  readRegions,
  readVerdicts,
  verdictSchema,
  verdictsThatCount,
} from "armseg/runs";
import type { NewVerdict, Review, ReviewRegion, VerdictKind } from "../api.ts";
import type { GivenFolders } from "../given-folders.ts";
import { RequestError } from "../http/answers.ts";
import type { MapStore } from "../pixels/map-store.ts";
import type { RunStore } from "../runs/run-store.ts";
import { shownPath } from "../shown-path.ts";

/** A person does not look at more. */
const MOST_REGIONS = 2000;

/** The regions of audits, and what people say of them. */
export class ReviewStore {
  readonly #runs: RunStore;
  readonly #maps: MapStore;
  readonly #folders: GivenFolders;
  readonly #regions = new Map<string, { readonly stamp: number; readonly regions: Promise<AuditRegion[]> }>();

  constructor(runs: RunStore, maps: MapStore, folders: GivenFolders) {
    this.#runs = runs;
    this.#maps = maps;
    this.#folders = folders;
  }

  /** Returns the regions of a run's audit with the verdicts so far. @throws {RequestError} 404 if it has none. */
  async get(run: string): Promise<Review> {
    const folder = this.#runs.folder(run);
    const paths = auditPaths(folder);
    if (!existsSync(paths.summary))
      throw new RequestError(
        404,
        `${run} has no audit yet; make one with npx armseg audit ${shownPath(folder)}`,
      );
    const summary = readAuditSummary(this.#folders.open(paths.summary));
    const [regions, verdicts] = [await this.#read(run, folder), await this.#verdicts(folder)];
    const set = await this.#maps.get(`${run}/audit`);
    const indices = new Map(set.images.map(({ name }, index) => [name, index]));
    const listed = regions.map((region): ReviewRegion => shown(region, indices, verdicts));
    return {
      set: set.info.id,
      classes: summary.classes.map(({ name, color }) => ({ name, color })),
      regions: listed,
      total: summary.regions,
      command: `npx armseg correct ${shownPath(folder)} --out ${shownPath(`${folder}-labels`)}`,
    };
  }

  /**
   * Appends a verdict to the run's `verdicts.jsonl`, where it is when this returns. Returns the one on the region that counts now.
   *
   * @throws {RequestError} If there is no such region, or the verdict is none.
   */
  async add(given: NewVerdict): Promise<VerdictKind | null> {
    const folder = this.#runs.folder(given.run);
    const region = (await this.#read(given.run, folder)).find(({ id }) => id === given.region);
    if (!region) throw new RequestError(404, `${given.run} has no region ${given.region}`);
    const { verdicts, folder: audit } = auditPaths(folder);
    this.#folders.openWithin(folder, audit);
    // Whoever put a link there would have us write elsewhere.
    if (lstatSync(verdicts, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new RequestError(403, `${verdicts} is a link; Studio writes into no file but the run's own`);
    appendVerdict(verdicts, verdictOf(given, region));
    return (await this.#verdicts(folder)).get(keyOf(region.image, region.id)) ?? null;
  }

  /** The list is read once, until the audit is made anew. */
  #read(run: string, folder: string): Promise<AuditRegion[]> {
    const path = this.#folders.open(auditPaths(folder).regions);
    const stamp = statSync(path).mtimeMs;
    const known = this.#regions.get(run);
    if (known?.stamp === stamp) return known.regions;
    const regions = firstRegions(path);
    this.#regions.set(run, { stamp, regions });
    regions.catch(() => this.#regions.delete(run));
    return regions;
  }

  async #verdicts(folder: string): Promise<ReadonlyMap<string, VerdictKind>> {
    const all: GivenVerdict[] = [];
    for await (const verdict of readVerdicts(auditPaths(folder).verdicts)) all.push(verdict);
    return new Map(
      verdictsThatCount(all).map(({ image, region, verdict }) => [keyOf(image, region), verdict]),
    );
  }
}

function keyOf(image: string, region: string): string {
  return JSON.stringify([image, region]);
}

function shown(
  region: AuditRegion,
  indices: ReadonlyMap<string, number>,
  verdicts: ReadonlyMap<string, VerdictKind>,
): ReviewRegion {
  const { id, rank, image, area, label, prediction, score, likelihood, mask } = region;
  return {
    id,
    rank,
    image,
    imageIndex: indices.get(image) ?? -1,
    area,
    label,
    prediction,
    score,
    likelihood,
    mask,
    verdict: verdicts.get(keyOf(image, id)) ?? null,
  };
}

async function firstRegions(path: string): Promise<AuditRegion[]> {
  const regions: AuditRegion[] = [];
  for await (const region of readRegions(path)) {
    regions.push(region);
    if (regions.length === MOST_REGIONS) break;
  }
  return regions;
}

/** The label's file and hash are the audit's, whatever the page says. */
function verdictOf({ verdict, painted }: NewVerdict, region: AuditRegion): GivenVerdict {
  const { image, labelFile, labelSha256, size, id, mask, prediction } = region;
  const parsed = verdictSchema.safeParse({
    image,
    labelFile,
    labelSha256,
    size,
    region: id,
    mask,
    at: new Date().toISOString(),
    by: "studio",
    verdict,
    ...(verdict === "prediction" && { class: prediction }),
    ...(verdict === "painted" && { painted }),
  });
  if (!parsed.success)
    throw new RequestError(400, `expected a verdict, got one with ${parsed.error.issues[0]!.message}`);
  const drawn = parsed.data.verdict === "painted" ? parsed.data.painted : [];
  if (drawn.some((stroke) => !fitsSize(stroke.mask, size)))
    throw new RequestError(400, "expected strokes within the image, got one beyond it");
  return parsed.data;
}
