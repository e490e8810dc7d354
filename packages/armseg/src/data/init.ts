import { join } from "node:path";
import { mapConcurrently } from "../core/concurrently.ts";
import { DataError } from "./data-error.ts";
import { generatedColor } from "./formats/named-labels.ts";
import { countOf, type Pairs, pairingNotes, pairingProblems } from "./formats/pair-files.ts";
import { pairByEndings } from "./formats/pair-folders.ts";
import { countValues } from "./labels/inspect-label.ts";
import { colorKey } from "./labels/label-map.ts";
import { type RawMask, readRawMask } from "./labels/raw-mask.ts";
import { imageSize } from "./read-image.ts";
import type { ClassInfo } from "./sample.ts";
import { type SplitOptions, splitNames } from "./split-names.ts";

/** The `data` part of a configuration, ready to be written as YAML. */
export interface FolderConfig {
  readonly format: "folder";
  readonly images: string;
  readonly masks: string;
  readonly imageEnding?: string;
  readonly maskEnding?: string;
  readonly classes: readonly ClassInfo[];
  readonly labels: {
    readonly encoding: "values" | "colors";
    /** Value or `r,g,b` to the name of a class, or `ignore`. */
    readonly map: Readonly<Record<string, string>>;
  };
}

export interface InitProposal {
  readonly data: FolderConfig;
  /** Names of the pictures to train on, and to validate on: the lines of two lists. */
  readonly train: readonly string[];
  readonly val: readonly string[];
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
}

/** More classes than this are not a label mask, but a photograph or smoothed borders. */
const MAX_CLASSES = 254;
const FILES_AT_ONCE = 4;
const IGNORED = "ignore";

/**
 * Look at a folder of pictures and a folder of masks, and propose a configuration: pairing, form of the masks, classes, label map and a split.
 *
 * Value 255 is taken as ignored, unless the masks hold 0 and 255 only; nothing else is guessed. Class names are `class_<value>`, to be renamed.
 *
 * @throws {DataError} If nothing pairs, a mask cannot be read, masks differ in form, or there are too many values to be classes.
 */
export async function proposeConfig(
  images: string,
  masks: string,
  options: SplitOptions = {},
): Promise<InitProposal> {
  const found = await pairByEndings(images, masks);
  const survey = await surveyMasks(
    masks,
    found.pairs.pairs.map(({ mask }) => mask),
  );
  const labels = survey.mode === "rgb" ? colorLabels(survey) : valueLabels(survey);
  const { train, val } = splitNames(
    found.pairs.pairs.map(({ name }) => name),
    options,
  );
  const data: FolderConfig = {
    format: "folder",
    images,
    masks,
    ...(found.endings.image && { imageEnding: found.endings.image }),
    ...(found.endings.mask && { maskEnding: found.endings.mask }),
    classes: labels.classes,
    labels: labels.labels,
  };
  const sentences = [
    `${countOf(found.pairs.pairs.length, "picture")} with a mask.`,
    ...pairingNotes(found.pairs).map((note) => `${note}.`),
    ...pairingProblems(found.pairs).map(({ text }) => `Left out: ${text}.`),
    ...(await sizeSentences(images, found.pairs, survey)),
    `The masks are ${FORM[survey.mode]}.`,
    ...labels.sentences,
    `Split: ${countOf(train.length, "picture")} for training and ${val.length} for validation, chosen at random with seed ${options.seed ?? 0}. If they are frames of videos, split them by video instead: neighbouring frames on both sides make validation meaningless.`,
  ];
  return { data, train, val, sentences };
}

const FORM = {
  grey: "grey; their values are the labels",
  palette: "indexed; their palette indices are the labels",
  rgb: "RGB; their colours are the labels",
};

interface Survey {
  readonly mode: RawMask["mode"];
  /** Raw value to pixels, over all masks, in order of value. */
  readonly values: readonly (readonly [number, number])[];
  readonly palette?: Uint8Array;
  /** `[height, width]` of each mask, in the order of the pairs. */
  readonly sizes: readonly (readonly [number, number])[];
}

async function surveyMasks(folder: string, masks: readonly string[]): Promise<Survey> {
  const counts = new Map<number, number>();
  let first: { mode: RawMask["mode"]; path: string; palette?: Uint8Array } | undefined;
  const sizes = await mapConcurrently(masks, FILES_AT_ONCE, async (file) => {
    const path = join(folder, file);
    const mask = await readRawMask(path);
    first ??= { mode: mask.mode, path, ...(mask.palette && { palette: mask.palette }) };
    if (mask.mode !== first.mode)
      throw new DataError(
        `proposeConfig(): ${path} is ${mask.mode}, ${first.path} is ${first.mode}; export all masks in one form`,
        path,
      );
    for (const [value, pixels] of countValues(mask)) counts.set(value, (counts.get(value) ?? 0) + pixels);
    if (counts.size > MAX_CLASSES + 1) throw new DataError(tooMany(path, counts.size), path);
    return mask.orientation >= 5
      ? ([mask.width, mask.height] as const)
      : ([mask.height, mask.width] as const);
  });
  const values = [...counts].sort(([a], [b]) => a - b);
  return { mode: first!.mode, values, sizes, ...(first!.palette && { palette: first!.palette }) };
}

function tooMany(path: string, count: number): string {
  return `proposeConfig(): ${count} different values up to ${path}, expected at most ${MAX_CLASSES + 1}; are these masks, saved without smoothing?`;
}

interface Labels {
  readonly classes: readonly ClassInfo[];
  readonly labels: FolderConfig["labels"];
  readonly sentences: readonly string[];
}

function valueLabels({ values, palette }: Survey): Labels {
  const found = values.map(([value]) => value);
  const isBinary = found.length === 2 && found[0] === 0 && found[1] === 255;
  const isIgnored = (value: number): boolean => value === 255 && !isBinary;
  const nameOf = (value: number): string =>
    isBinary ? (value === 0 ? "background" : "foreground") : `class_${value}`;
  const kept = found.filter((value) => !isIgnored(value));
  const classes = kept.map((value, i) => ({
    name: nameOf(value),
    color: paletteColor(palette, value) ?? generatedColor(i),
  }));
  const map = Object.fromEntries(
    found.map((value) => [String(value), isIgnored(value) ? IGNORED : nameOf(value)]),
  );
  const sentences = [
    `${countOf(kept.length, "value")} found: ${kept.join(", ")}. Rename the classes in data.classes and data.labels.map.`,
    ...(isBinary
      ? ["The masks hold 0 and 255 only, so 255 is taken as the class foreground, not as ignored."]
      : []),
    ...(found.some(isIgnored) ? ["Value 255 is taken as ignored."] : []),
  ];
  return { classes, labels: { encoding: "values", map }, sentences };
}

function paletteColor(palette: Uint8Array | undefined, index: number): [number, number, number] | undefined {
  if (!palette || 3 * index + 2 >= palette.length) return undefined;
  return [palette[3 * index]!, palette[3 * index + 1]!, palette[3 * index + 2]!];
}

function colorLabels({ values }: Survey): Labels {
  const classes = values.map(([color], i): ClassInfo => {
    return { name: `class_${i}`, color: [color >> 16, (color >> 8) & 255, color & 255] };
  });
  const map = Object.fromEntries(values.map(([color], i) => [colorKey(color), `class_${i}`]));
  const hasBlack = values.some(([color]) => color === 0);
  const sentences = [
    `${countOf(values.length, "colour")} found. Rename the classes in data.classes and data.labels.map.`,
    ...(hasBlack
      ? ["Black is taken as a class; if it means unlabelled, map 0,0,0 to ignore and remove its class."]
      : []),
  ];
  return { classes, labels: { encoding: "colors", map }, sentences };
}

async function sizeSentences(images: string, { pairs }: Pairs, { sizes }: Survey): Promise<string[]> {
  const found = await mapConcurrently(pairs, FILES_AT_ONCE, ({ image }) => imageSize(join(images, image)));
  const wrong = pairs.filter((_, i) => found[i]![0] !== sizes[i]![0] || found[i]![1] !== sizes[i]![1]);
  if (wrong.length === 0) return [];
  return [
    `${countOf(wrong.length, "mask")} of another size than the picture, e.g. ${wrong[0]!.mask}: mend them before training.`,
  ];
}
