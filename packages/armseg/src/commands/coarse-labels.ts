import { existsSync } from "node:fs";
import { join } from "node:path";
import { scenes } from "../coarsen/index.ts";
import { openData } from "../config/open-data.ts";
import { ConfigError } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { Annotation, Dataset, LabelMap } from "../data/sample.ts";

type Split = "train" | "val";

/** Images with fine labels, and the coarse labels of the same images. */
export interface FineAndCoarse {
  readonly fine: Dataset;
  /** By the name of the sample. */
  readonly coarse: ReadonlyMap<string, Annotation>;
}

/**
 * Opens a split with its fine labels, and finds the coarse labels of its images: by the format for `scenes` and `cityscapes`, for
 * others in a folder.
 *
 * @param folder - Masks named after the images (`NAME.png`), as `armseg data coarsen` writes them: value i is class i, 255 is
 *   void. Default: what the format has, or the masks that `data.train.masks` put in place of CamVid's own.
 * @throws {ConfigError} If there are no coarse labels to be found, or one is missing.
 */
export async function openFineAndCoarse(
  data: Config["data"],
  split: Split,
  folder?: string,
): Promise<FineAndCoarse> {
  const fine = await openData(withFineLabels(data, split), split);
  const masks = folder ?? drawnMasks(data, split);
  const coarse = masks === undefined ? await coarseLabelsOf(data, split) : masksIn(masks, fine);
  const missing = fine.samples.find(({ name }) => !coarse.has(name));
  if (missing === undefined) return { fine, coarse };
  throw new ConfigError(
    `--split-errors: ${missing.image} has no coarse label${masks === undefined ? "" : ` in ${masks}`}; every image of the split needs one`,
  );
}

/**
 * Finds the fine labels of a split's images: in a folder of masks named after them, or what the format has.
 *
 * @param folder - As that of {@link openFineAndCoarse}.
 * @returns By the name of the sample.
 * @throws {ConfigError} If there are none to be found, or one is missing.
 */
export async function openFine(
  data: Config["data"],
  split: Split,
  dataset: Dataset,
  folder?: string,
): Promise<ReadonlyMap<string, Annotation>> {
  const hasOwn = ["scenes", "cityscapes"].includes(data.format) || drawnMasks(data, split) !== undefined;
  if (folder === undefined && !hasOwn) {
    throw new ConfigError(
      `--against: data.format ${data.format} has no fine labels beside those that were trained on; name a folder of masks`,
    );
  }
  const fine =
    folder === undefined
      ? annotationsOf(await openData(withFineLabels(data, split), split))
      : masksIn(folder, dataset);
  const missing = dataset.samples.find(({ name }) => !fine.has(name));
  if (missing === undefined) return fine;
  throw new ConfigError(
    `--against: ${missing.image} has no fine label${folder === undefined ? "" : ` in ${folder}`}; every image of the split needs one`,
  );
}

/** The masks that take the place of a data set's own. */
function drawnMasks(data: Config["data"], split: Split): string | undefined {
  return data.format === "camvid" ? data[split].masks : undefined;
}

function withFineLabels(data: Config["data"], split: Split): Config["data"] {
  const { masks: _, annotations: __, ...own } = data[split];
  const withOwn = { ...own, annotations: "fine" as const };
  return {
    ...data,
    annotations: "fine",
    [split]: drawnMasks(data, split) ? withOwn : { ...data[split], annotations: "fine" },
  };
}

async function coarseLabelsOf(data: Config["data"], split: Split): Promise<Map<string, Annotation>> {
  return annotationsOf(await openCoarse(data, split));
}

function annotationsOf({ samples }: Dataset): Map<string, Annotation> {
  return new Map(
    samples.flatMap(({ name, annotation }) => (annotation ? [[name, annotation] as const] : [])),
  );
}

function openCoarse(data: Config["data"], split: Split): Promise<Dataset> {
  const annotations = "coarse";
  if (data.format === "scenes") return scenes({ ...data.scenes, split, annotations });
  // The split is opened as one to train on: that of validation has fine labels always.
  if (data.format === "cityscapes") return openData({ ...data, annotations, train: data[split] }, "train");
  throw new ConfigError(
    `--split-errors: data.format ${data.format} has no coarse labels of its own; name a folder of masks with --coarse`,
  );
}

function masksIn(folder: string, { samples, classes }: Dataset): Map<string, Annotation> {
  const values = [...classes.keys(), IGNORE_INDEX];
  const labelMap: LabelMap = {
    encoding: "values",
    classes: Object.fromEntries(values.map((value) => [value, value])),
  };
  return new Map(
    samples.flatMap(({ name }) => {
      const path = join(folder, `${name}.png`);
      return existsSync(path) ? [[name, { kind: "mask", path, labelMap } as const] as const] : [];
    }),
  );
}
