import { existsSync } from "node:fs";
import { join } from "node:path";
import { scenes } from "../coarsen/index.ts";
import { ade20k } from "../data/formats/ade20k.ts";
import { camvid } from "../data/formats/camvid.ts";
import type { CityscapesOptions } from "../data/formats/cityscapes.ts";
import { cityscapes } from "../data/formats/cityscapes.ts";
import { coco, cocoPanoptic } from "../data/formats/coco.ts";
import { cvat } from "../data/formats/cvat.ts";
import { folder } from "../data/formats/folder.ts";
import { joinSplits, knownSplit } from "../data/formats/join-splits.ts";
import { labelme } from "../data/formats/labelme.ts";
import { readNames } from "../data/formats/list-files.ts";
import { withImageRange } from "../data/image-form.ts";
import { labelMapOf } from "../data/labels/class-labels.ts";
import type { Dataset } from "../data/sample.ts";
import { pickSamples } from "../data/split-names.ts";
import { withWeights } from "../data/weights.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

type DataConfig = Config["data"];
type SplitConfig = DataConfig["train"];
export type Purpose = "train" | "val";

function required(
  data: DataConfig,
  key: "root" | "images" | "masks" | "classes",
): NonNullable<DataConfig[typeof key]> {
  const value = data[key];
  if (value === undefined) throw new ConfigError(`data.${key}: needed for data.format ${data.format}`);
  return value;
}

/** What the formats with named regions have in common. */
function named(data: DataConfig) {
  return {
    ...(data.classes && { classes: data.classes }),
    ...(data.labels.map && { labels: data.labels.map }),
    ...(data.background && { background: data.background }),
  };
}

function openFolder(data: DataConfig, split: SplitConfig): Promise<Dataset> {
  const classes = required(data, "classes") as NonNullable<DataConfig["classes"]>;
  const { encoding = "values", map, threshold, transparent } = data.labels;
  if (encoding !== "values" && encoding !== "colors") {
    throw new ConfigError(`data.labels.encoding: expected values or colors for folders, got ${encoding}`);
  }
  return folder({
    name: data.root ?? data.images ?? "folder",
    split: split.split,
    images: required(data, "images") as string,
    masks: required(data, "masks") as string,
    ...(data.imageEnding && { imageEnding: data.imageEnding }),
    ...(data.maskEnding && { maskEnding: data.maskEnding }),
    classes,
    labelMap: labelMapOf(encoding, map ?? identity(classes), classes),
    ...(threshold !== undefined && { threshold }),
    ...(transparent && { transparent }),
  });
}

/** Value i is class i, 255 is ignored. */
function identity(classes: readonly { name: string }[]): Record<string, string> {
  return { ...Object.fromEntries(classes.map(({ name }, i) => [String(i), name])), 255: "ignore" };
}

function openCityscapes(data: DataConfig, split: SplitConfig): Promise<Dataset> {
  return cityscapes(required(data, "root") as string, {
    split: split.split,
    annotations: data.annotations,
    encoding: (data.labels.encoding ?? "auto") as NonNullable<CityscapesOptions["encoding"]>,
  });
}

/** A split of labels drawn elsewhere: the images of a data set with masks of another folder, paired by stem. */
function replaceMasks(dataset: Dataset, masks: string): Dataset {
  const samples = dataset.samples.map((sample) => {
    if (sample.annotation?.kind !== "mask") return sample;
    return { ...sample, annotation: { ...sample.annotation, path: join(masks, `${sample.name}.png`) } };
  });
  const missing = samples.find(({ annotation }) => annotation && !existsSync(annotation.path));
  if (missing)
    throw new ConfigError(`data.train.masks: ${missing.annotation?.path} is missing for ${missing.image}`);
  return { ...dataset, samples };
}

async function openCamvid(data: DataConfig, split: SplitConfig): Promise<Dataset> {
  const dataset = await camvid(required(data, "root") as string, { split: split.split });
  return split.masks ? replaceMasks(dataset, split.masks) : dataset;
}

function openScenes({ scenes: options, annotations }: DataConfig, split: string): Promise<Dataset> {
  return joinSplits(split, (name) => {
    const part = knownSplit(name, ["train", "val"] as const, options.folder);
    return scenes({ ...options, split: part, annotations: annotations === "fine" ? "fine" : "coarse" });
  });
}

/** Returns the data with a split's own keys in place of the common ones. Validation is on fine annotations unless its own key says otherwise. */
function dataOf(data: DataConfig, { split: _, list: __, ...own }: SplitConfig, purpose: Purpose): DataConfig {
  const annotations = own.annotations ?? (purpose === "val" ? "fine" : data.annotations);
  return { ...data, ...own, annotations };
}

function openFormat(common: DataConfig, split: SplitConfig, purpose: Purpose): Promise<Dataset> {
  const data = dataOf(common, split, purpose);
  const root = () => required(data, "root") as string;
  const images = () => required(data, "images") as string;
  const masks = () => required(data, "masks") as string;
  switch (data.format) {
    case "folder":
      return openFolder(data, split);
    case "cityscapes":
      return openCityscapes(data, split);
    case "ade20k":
      return ade20k(root(), { split: split.split });
    case "camvid":
      return openCamvid(data, split);
    case "coco":
      return coco(root(), { split: split.split, images: images(), ...named(data) });
    case "coco-panoptic":
      return cocoPanoptic(root(), { split: split.split, images: images(), masks: masks(), ...named(data) });
    case "labelme":
      return labelme(root(), {
        split: split.split,
        ...(data.images && { images: data.images }),
        ...named(data),
      });
    case "cvat":
      return cvat(root(), { split: split.split, images: images(), ...named(data) });
    case "scenes":
      return openScenes(data, split.split);
  }
}

/** Formats whose folders tell the splits apart. Those of the others are where the configuration says: images, masks, list. */
const HAVE_SPLITS: ReadonlySet<DataConfig["format"]> = new Set(["cityscapes", "ade20k", "camvid", "scenes"]);

/** Where a split of a format without splits of its own lies: as the entry of that name says, else as this one's. */
function entryOf(data: DataConfig, purpose: Purpose, name: string): SplitConfig {
  const other = data[purpose === "train" ? "val" : "train"];
  return other.split === name ? other : { ...data[purpose], split: name };
}

async function openSplit(data: DataConfig, split: SplitConfig, purpose: Purpose): Promise<Dataset> {
  const whole = await openFormat(data, split, purpose);
  return split.list ? pickSamples(whole, await readNames(split.list), split.split) : whole;
}

/**
 * Returns the samples that a configuration trains on (`train`) or is measured on (`val`).
 *
 * A split may be several with `+` between them: `train+val`. Where the format has no splits of its own, each name leads to
 * the images, masks and list of the entry that has it: with `val` in the list of `data.train`, to those of `data.val`.
 *
 * @throws {ConfigError} If a key is missing that the format needs.
 * @throws {DataError} If files are missing or do not fit together.
 */
export async function openData(data: DataConfig, purpose: Purpose): Promise<Dataset> {
  const split = data[purpose];
  const isOne = HAVE_SPLITS.has(data.format) || !split.split.includes("+");
  const listed = isOne
    ? await openSplit(data, split, purpose)
    : await joinSplits(split.split, (name) => openSplit(data, entryOf(data, purpose, name), purpose));
  const opened = purpose === "train" && data.weights ? await withWeights(listed, data.weights) : listed;
  return { ...opened, samples: withImageRange(opened.samples, data.imageRange) };
}

/**
 * Makes sure that class i means the same in both splits.
 *
 * @throws {ConfigError} Naming the first class that differs.
 */
export function checkClasses(train: Dataset, val: Dataset): void {
  const [own, other] = [train, val].map(({ classes }) => classes.map(({ name }) => name)) as [
    string[],
    string[],
  ];
  const at = [...own, ...other].findIndex((_, i) => own[i] !== other[i]);
  if (at < 0) return;
  const [to, on] = [own[at], other[at]].map((name) => (name === undefined ? "missing" : `"${name}"`));
  throw new ConfigError(
    `the splits differ in classes: ${own.length} to train on, ${other.length} to validate on; class ${at} is ${to} here and ${on} there. List the classes in data.classes`,
  );
}

/** Names of validation samples whose images are trained on too: scores on them mean little. */
export function sharedNames(train: Dataset, val: Dataset): string[] {
  const images = new Set(train.samples.map(({ image }) => image));
  return val.samples.flatMap(({ name, image }) => (images.has(image) ? [name] : []));
}
