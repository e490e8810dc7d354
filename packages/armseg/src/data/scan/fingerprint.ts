import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { forEachConcurrently } from "../../core/concurrently.ts";
import type { Dataset, LabelMap, Sample } from "../sample.ts";

/** Raised when the scan's result changes form, so that older caches are not read. */
const FORMAT = 4;
const STATS_AT_ONCE = 32;

/**
 * A hash of all that a scan depends on: every file's path, size and time of change, the classes and the label maps. Contents are not read.
 *
 * @returns 64 hexadecimal digits. A missing file counts as such and is no error.
 */
export async function fingerprint(dataset: Dataset): Promise<string> {
  const hash = createHash("sha256");
  hash.update(
    JSON.stringify([
      FORMAT,
      dataset.name,
      dataset.split,
      dataset.classes,
      dataset.notes,
      dataset.unpaired ?? [],
      dataset.problems ?? [],
    ]),
  );
  const stats = new Map<string, Promise<string>>();
  const maps = new Map<LabelMap, string>();
  await forEachConcurrently(
    dataset.samples,
    STATS_AT_ONCE,
    (sample) => describe(sample, stats, maps),
    (line) => void hash.update(`${line}\n`),
  );
  return hash.digest("hex");
}

async function describe(
  sample: Sample,
  stats: Map<string, Promise<string>>,
  maps: Map<LabelMap, string>,
): Promise<string> {
  const { name, image, annotation, weights, imageRange } = sample;
  const paths = [image, annotation?.path, weights].filter((path) => path !== undefined);
  const files = await Promise.all(
    paths.map((path) => (isShared(sample, path) ? stateOnce(path, stats) : fileState(path))),
  );
  if (!annotation) return JSON.stringify([name, paths, files, imageRange]);
  const { labelMap, kind } = annotation;
  const map = maps.get(labelMap) ?? createHash("sha256").update(JSON.stringify(labelMap)).digest("hex");
  maps.set(labelMap, map);
  const details =
    kind === "mask"
      ? [annotation.channel, annotation.threshold, annotation.transparent]
      : [annotation.format, annotation.background, annotation.fill, annotation.size];
  return JSON.stringify([name, paths, files, imageRange, kind, details, map]);
}

/** Many samples share an annotation file, which is looked at once. */
function isShared({ annotation }: Sample, path: string): boolean {
  return annotation?.kind === "regions" && annotation.path === path;
}

function stateOnce(path: string, known: Map<string, Promise<string>>): Promise<string> {
  const state = known.get(path) ?? fileState(path);
  known.set(path, state);
  return state;
}

async function fileState(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${size} ${mtimeMs}`;
  } catch {
    return "missing";
  }
}
