import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { mapConcurrently } from "../../core/concurrently.ts";
import type { Dataset, LabelMap, Sample } from "../sample.ts";

/** Raised when the scan's result changes form, so that older caches are not read. */
const FORMAT = 3;
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
  const lines = await mapConcurrently(dataset.samples, STATS_AT_ONCE, (sample) =>
    describe(sample, stats, maps),
  );
  for (const line of lines) hash.update(`${line}\n`);
  return hash.digest("hex");
}

async function describe(
  sample: Sample,
  stats: Map<string, Promise<string>>,
  maps: Map<LabelMap, string>,
): Promise<string> {
  const { name, image, annotation, weights, imageRange } = sample;
  const paths = [image, annotation?.path, weights].filter((path) => path !== undefined);
  const files = await Promise.all(paths.map((path) => fileState(path, stats)));
  if (!annotation) return JSON.stringify([name, paths, files, imageRange]);
  const { labelMap, kind } = annotation;
  const map = maps.get(labelMap) ?? JSON.stringify(labelMap);
  maps.set(labelMap, map);
  const details =
    kind === "mask"
      ? [annotation.channel, annotation.threshold, annotation.transparent]
      : [annotation.format, annotation.background, annotation.fill, annotation.size];
  return JSON.stringify([name, paths, files, imageRange, kind, details, map]);
}

/** Many samples share an annotation file, which is looked at once. */
function fileState(path: string, stats: Map<string, Promise<string>>): Promise<string> {
  const known =
    stats.get(path) ??
    stat(path).then(
      ({ size, mtimeMs }) => `${size} ${mtimeMs}`,
      () => "missing",
    );
  stats.set(path, known);
  return known;
}
