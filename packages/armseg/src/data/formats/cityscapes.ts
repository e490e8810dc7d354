import { join } from "node:path";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import type { Annotation, Dataset, Sample } from "../sample.ts";
import { CITYSCAPES_CLASSES, LABEL_IDS, LABEL_NAMES, LABEL_TRAIN_IDS } from "./cityscapes-classes.ts";
import { joinSplits, knownSplit } from "./join-splits.ts";
import { listFiles } from "./list-files.ts";
import { countOf, unpairedNotes } from "./pair-files.ts";

export type CityscapesEncoding = "labelIds" | "labelTrainIds" | "polygons";

export interface CityscapesOptions {
  /** `train`, `val`, `test` or `train_extra`, or several with `+` between them: `train+val`. */
  readonly split: string;
  /** Which annotations: `coarse+extra` joins `train` and `train_extra`; `extra` is `train_extra` alone. Default `fine`. */
  readonly annotations?: "fine" | "coarse" | "coarse+extra" | "extra";
  /** Which label files to read. Default `auto`: for each image the first that exists of labelIds, labelTrainIds, polygons. */
  readonly encoding?: "auto" | CityscapesEncoding;
}

/** Images in the official archives. */
const OFFICIAL_COUNTS = { train: 2975, val: 500, test: 1525, train_extra: 19998 } as const;
/** Frames that are broken in the official archives. */
const BROKEN_FRAMES = new Set(["troisdorf_000000_000073"]);
const ENCODINGS: readonly CityscapesEncoding[] = ["labelIds", "labelTrainIds", "polygons"];
const IMAGE_ENDING = "_leftImg8bit.png";

type Split = keyof typeof OFFICIAL_COUNTS;
const SPLITS = Object.keys(OFFICIAL_COUNTS) as Split[];

interface Part {
  readonly split: Split;
  /** Absent for the test split, whose labels are not public. */
  readonly labels?: "gtFine" | "gtCoarse";
}

/**
 * Cityscapes in its official layout: `leftImg8bit/<split>/<city>/*_leftImg8bit.png` with `gtFine` or `gtCoarse` beside it.
 *
 * Any of labelIds, labelTrainIds and polygon JSON will do, even mixed: no preparation is needed. The known broken frame is left out, counts are compared
 * with the official ones, and both are said in {@link Dataset.notes}.
 *
 * @param root - The folder that holds `leftImg8bit` and `gtFine` or `gtCoarse`.
 * @throws {DataError} If a folder is missing, no image has a label, or there is no such split.
 */
export function cityscapes(root: string, options: CityscapesOptions): Promise<Dataset> {
  return joinSplits(options.split, (name) => {
    const split = knownSplit(name, SPLITS, root);
    return readSplit(root, { ...options, split });
  });
}

async function readSplit(
  root: string,
  options: CityscapesOptions & { readonly split: Split },
): Promise<Dataset> {
  const { split, annotations = "fine", encoding = "auto" } = options;
  const parts = await Promise.all(partsOf(split, annotations).map((part) => readPart(root, part, encoding)));
  const samples = parts.flatMap((part) => part.samples);
  if (samples.length === 0) throw new DataError(noSamples(root, options), root);
  return {
    name: annotations === "fine" ? "cityscapes" : `cityscapes ${annotations}`,
    split,
    classes: CITYSCAPES_CLASSES,
    samples,
    notes: parts.flatMap((part) => part.notes),
    unpaired: parts.flatMap((part) => part.unpaired),
  };
}

function partsOf(split: Split, annotations: NonNullable<CityscapesOptions["annotations"]>): Part[] {
  if (split === "test") return [{ split }];
  const extra: Part = { split: "train_extra", labels: "gtCoarse" };
  if (split === "train_extra" || (annotations === "extra" && split === "train")) return [extra];
  if (annotations === "fine") return [{ split, labels: "gtFine" }];
  const coarse: Part = { split, labels: "gtCoarse" };
  return annotations === "coarse+extra" && split === "train" ? [coarse, extra] : [coarse];
}

function noSamples(root: string, { split, encoding = "auto" }: CityscapesOptions): string {
  const wanted = encoding === "auto" ? "" : ` (labels.encoding: ${encoding})`;
  return `cityscapes(): no image of split ${split} in ${root} has a label${wanted}; are leftImg8bit and the gt folder unpacked there?`;
}

interface PartResult {
  samples: Sample[];
  notes: string[];
  unpaired: string[];
}

async function readPart(
  root: string,
  part: Part,
  encoding: "auto" | CityscapesEncoding,
): Promise<PartResult> {
  const imageFolder = join(root, "leftImg8bit", part.split);
  const images = await listFiles(imageFolder, /_leftImg8bit\.png$/);
  const broken = images.filter((path) => BROKEN_FRAMES.has(frameOf(path)));
  const frames = images.filter((path) => !BROKEN_FRAMES.has(frameOf(path)));
  const notes = broken.map(
    (path) => `${frameOf(path)} left out: its image is broken in the official archive`,
  );
  const expected = OFFICIAL_COUNTS[part.split];
  if (images.length !== expected)
    notes.push(
      `${countOf(images.length, "image")} found in ${part.split}; the official set has ${expected.toLocaleString("en-GB")}`,
    );
  const found = part.labels
    ? await pairLabels(root, part.split, part.labels, frames, encoding)
    : withoutLabels(imageFolder, frames);
  return { ...found, notes: [...notes, ...found.notes] };
}

function frameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1, -IMAGE_ENDING.length);
}

function withoutLabels(folder: string, frames: readonly string[]): PartResult {
  const samples = frames.map((path): Sample => ({ name: frameOf(path), image: join(folder, path) }));
  return { samples, notes: [], unpaired: [] };
}

async function pairLabels(
  root: string,
  split: Split,
  labels: "gtFine" | "gtCoarse",
  frames: readonly string[],
  encoding: "auto" | CityscapesEncoding,
): Promise<PartResult> {
  const labelFolder = join(root, labels, split);
  const labelFiles = new Set(
    await listFiles(labelFolder, /_(labelIds\.png|labelTrainIds\.png|polygons\.json)$/),
  );
  const samples: Sample[] = [];
  const imagesAlone: string[] = [];
  const stems = new Set<string>();
  for (const path of frames) {
    const stem = path.replace(IMAGE_ENDING, `_${labels}_`);
    stems.add(stem);
    const found = (encoding === "auto" ? ENCODINGS : [encoding]).find((kind) =>
      labelFiles.has(fileOf(stem, kind)),
    );
    if (!found) imagesAlone.push(`${split}/${path}`);
    else
      samples.push(
        sampleOf(join(root, "leftImg8bit", split, path), join(labelFolder, fileOf(stem, found)), found, path),
      );
  }
  const labelsAlone = labelsWithoutImage(labelFiles, stems);
  return {
    samples,
    notes: unpairedNotes(imagesAlone, labelsAlone),
    unpaired: [...imagesAlone, ...labelsAlone],
  };
}

function labelsWithoutImage(labelFiles: ReadonlySet<string>, stems: ReadonlySet<string>): string[] {
  const alone = [...labelFiles].map((path) =>
    path.replace(/(labelIds\.png|labelTrainIds\.png|polygons\.json)$/, ""),
  );
  return [...new Set(alone)].filter(
    (stem) => !stems.has(stem) && !BROKEN_FRAMES.has(stem.replace(/^.*\/|_gt\w+_$/g, "")),
  );
}

function fileOf(stem: string, encoding: CityscapesEncoding): string {
  return `${stem}${encoding}.${encoding === "polygons" ? "json" : "png"}`;
}

function sampleOf(image: string, label: string, encoding: CityscapesEncoding, path: string): Sample {
  return { name: frameOf(path), image, annotation: cityscapesAnnotation(label, encoding) };
}

/** The annotation of one label file of Cityscapes' kind. */
export function cityscapesAnnotation(path: string, encoding: CityscapesEncoding): Annotation {
  if (encoding === "polygons")
    return { kind: "regions", path, format: "cityscapes", labelMap: LABEL_NAMES, background: IGNORE_INDEX };
  const other = encoding === "labelIds" ? "labelTrainIds" : "labelIds";
  const labelMap = encoding === "labelIds" ? LABEL_IDS : LABEL_TRAIN_IDS;
  return { kind: "mask", path, labelMap, remedy: `is this a ${other} file? set labels.encoding: ${other}` };
}
