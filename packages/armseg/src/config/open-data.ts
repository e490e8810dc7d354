import { existsSync } from "node:fs";
import { join } from "node:path";
import { scenes } from "../coarsen/index.ts";
import { ade20k } from "../data/formats/ade20k.ts";
import { camvid } from "../data/formats/camvid.ts";
import { cityscapes } from "../data/formats/cityscapes.ts";
import { coco, cocoPanoptic } from "../data/formats/coco.ts";
import { cvat } from "../data/formats/cvat.ts";
import { folder } from "../data/formats/folder.ts";
import { joinSplits, knownSplit } from "../data/formats/join-splits.ts";
import { labelme } from "../data/formats/labelme.ts";
import { readNames } from "../data/formats/list-files.ts";
import { IGNORED_NAME } from "../data/formats/named-labels.ts";
import { withImageRange } from "../data/image-form.ts";
import { labelMapOf } from "../data/labels/class-labels.ts";
import type { Dataset } from "../data/sample.ts";
import { pickSamples } from "../data/split-names.ts";
import { withWeights } from "../data/weights.ts";
import { ConfigError } from "./read-config.ts";
import type { Tree } from "./renamed-keys.ts";
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

/** What the keys that say what labels mean apply to. */
const LABEL_KEYS: Readonly<Record<string, readonly DataConfig["format"][]>> = {
  "labels.encoding": ["folder", "cityscapes", "camvid", "coco-panoptic"],
  "labels.map": ["folder", "coco", "coco-panoptic", "labelme", "cvat"],
  "labels.threshold": ["folder"],
  "labels.transparent": ["folder"],
  background: ["coco", "coco-panoptic", "labelme", "cvat"],
  classes: ["folder", "coco", "coco-panoptic", "labelme", "cvat"],
};

/** Labels are not read otherwise than the configuration says: a key that the format does not know is no key that may be left unread. */
function checkLabelKeys(data: DataConfig): void {
  for (const [key, formats] of Object.entries(LABEL_KEYS)) {
    const value = key.split(".").reduce<unknown>((part, name) => (part as Tree)[name], data);
    if (value === undefined || formats.includes(data.format)) continue;
    throw new ConfigError(
      `data.${key}: has no meaning for data.format ${data.format}, whose labels have a meaning of their own; remove it${formats.includes("folder") ? ", or read the masks as data.format folder" : ""}`,
    );
  }
}

/** Where the classes are listed, labels lead to these. */
function checkLabelNames({ classes, labels, background }: DataConfig): void {
  if (!classes) return;
  const known = [...classes.map(({ name }) => name), IGNORED_NAME];
  const wrong = Object.entries(labels.map ?? {}).find(([, name]) => !known.includes(name));
  if (wrong)
    throw new ConfigError(
      `data.labels.map sends ${wrong[0]} to "${wrong[1]}", expected one of ${known.join(", ")}`,
    );
  if (background !== undefined && !known.includes(background))
    throw new ConfigError(
      `data.background: there is no class "${background}", expected one of ${known.join(", ")}`,
    );
}

/** Returns a format's encoding. @throws {ConfigError} If it has none of that name. */
function encodingOf<Name extends string>(data: DataConfig, known: readonly [Name, ...Name[]]): Name {
  const { encoding = known[0] } = data.labels;
  const found = known.find((name) => name === encoding);
  if (found !== undefined) return found;
  throw new ConfigError(
    `data.labels.encoding: expected one of ${known.join(", ")} for data.format ${data.format}, got ${encoding}`,
  );
}

function openFolder(data: DataConfig, split: SplitConfig): Promise<Dataset> {
  const classes = required(data, "classes") as NonNullable<DataConfig["classes"]>;
  const { map, threshold, transparent } = data.labels;
  const encoding = encodingOf(data, ["values", "colors"]);
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
    encoding: encodingOf(data, ["auto", "labelIds", "labelTrainIds", "polygons"]),
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
  const encoding = encodingOf(data, ["auto", "values", "colors"]);
  const dataset = await camvid(required(data, "root") as string, { split: split.split, encoding });
  return split.masks ? replaceMasks(dataset, split.masks) : dataset;
}

function openScenes({ scenes: options, annotations }: DataConfig, split: string): Promise<Dataset> {
  return joinSplits(split, (name) => {
    const part = knownSplit(name, ["train", "val"] as const, options.folder);
    const drawn = annotations === "fine" ? "fine" : "coarse";
    return scenes({ ...options, split: part, annotations: drawn });
  });
}

/** Returns the data with a split's own keys in place of the common ones. Validation is on fine annotations unless its own key says otherwise. */
function dataOf(data: DataConfig, { split: _, list: __, ...own }: SplitConfig, purpose: Purpose): DataConfig {
  const annotations = own.annotations ?? (purpose === "val" ? "fine" : data.annotations);
  return { ...data, ...own, annotations };
}

function openFormat(common: DataConfig, split: SplitConfig, purpose: Purpose): Promise<Dataset> {
  const data = dataOf(common, split, purpose);
  checkLabelKeys(data);
  checkLabelNames(data);
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
      return cocoPanoptic(root(), {
        split: split.split,
        images: images(),
        masks: masks(),
        form: encodingOf(data, ["ids", "twoChannel"]),
        ...named(data),
      });
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
