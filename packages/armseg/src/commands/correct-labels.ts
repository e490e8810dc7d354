import fs from "node:fs";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { openData } from "../config/open-data.ts";
import type { Config } from "../config/schema.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { encodeLabelPng } from "../data/drawing/index.ts";
import { IGNORED_NAME } from "../data/formats/named-labels.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { imageSize } from "../data/read-image.ts";
import type { Annotation, ClassInfo, Dataset, LabelImage, LabelMap, Sample } from "../data/sample.ts";

type MaskAnnotation = Extract<Annotation, { kind: "mask" }>;

/** How corrected labels are written, and what a configuration says to read them. */
export interface CorrectedForm {
  /** File of a sample's label, below the folder of the labels. */
  file(sample: Sample): string;
  /** PNG of a label that was changed. */
  encode(label: LabelImage): Uint8Array;
  /** Whether labels that were not changed are copied as they are, byte by byte. */
  readonly copiesUnchanged: boolean;
  /**
   * Writes what else belongs into the folder.
   *
   * @param unfinished - The folder while it is being made.
   * @param folder - As it will be called.
   * @returns `data` of a configuration that trains on the labels in it.
   */
  finish(unfinished: string, folder: string): Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Returns how the corrected labels of a training split are written: as masks in the values of the data set itself where these can be put in the
 * place of its own (`folder`, `camvid`), else as class indices of a `folder` data set, with the validation labels beside them.
 */
export function correctedForm(data: Config["data"], dataset: Dataset): CorrectedForm {
  const { samples, classes } = dataset;
  const annotation = samples[0]?.annotation;
  const canReplace = data.format === "camvid" || data.format === "folder";
  const values = canReplace && annotation ? valuesOf(annotation, classes) : null;
  return values ? inOwnValues(data, values) : asFolder(data, dataset);
}

/** Folders below that of the corrected labels. */
const LABELS = "labels";
const VAL_LABELS = "val-labels";

/** Pixel values that a label map reads as the classes. */
interface Values {
  /** Value by class; that of 255 at 255. */
  readonly table: Uint8Array;
  /** Colours by value, for the palette. */
  readonly palette: readonly ClassInfo[];
  /** What the map lacks to say what is ignored. */
  readonly added: Readonly<Record<string, string>>;
}

function valuesOf(annotation: Annotation, classes: readonly ClassInfo[]): Values | null {
  if (annotation.kind !== "mask" || hasOwnReading(annotation)) return null;
  return annotation.labelMap.encoding === "colors"
    ? colorValues(annotation.labelMap, classes)
    : plainValues(annotation.labelMap, classes);
}

/** A channel or a threshold is applied to the values that are written, too. */
function hasOwnReading({ channel, threshold }: MaskAnnotation): boolean {
  return channel !== undefined || threshold !== undefined;
}

function plainValues({ classes: map }: LabelMap, classes: readonly ClassInfo[]): Values | null {
  const known = new Map<number, number>();
  const bytes = Object.entries(map).filter(([value]) => Number(value) <= 255);
  for (const [value, label] of bytes) if (!known.has(label)) known.set(label, Number(value));
  // Of several that are ignored, 255.
  const isFree = !Object.hasOwn(map, 255);
  if (!isFree && (map as Record<number, number>)[255] === IGNORE_INDEX) known.set(IGNORE_INDEX, 255);
  const needsIgnored = !known.has(IGNORE_INDEX) && isFree;
  if (needsIgnored) known.set(IGNORE_INDEX, 255);
  return tableOf(known, classes, needsIgnored ? { 255: IGNORED_NAME } : {});
}

/** Palette indices are class indices; the palette has the colours that the map knows. */
function colorValues({ classes: map }: LabelMap, classes: readonly ClassInfo[]): Values | null {
  const colors = new Map<number, string>();
  for (const [color, label] of Object.entries(map)) if (!colors.has(label)) colors.set(label, color);
  const free = ["0,0,0", "255,255,255", "255,0,255"].find((color) => !Object.hasOwn(map, color));
  const needsIgnored = !colors.has(IGNORE_INDEX) && free !== undefined;
  if (needsIgnored) colors.set(IGNORE_INDEX, free);
  const known = new Map([...colors.keys()].map((label) => [label, label]));
  const shown = classes.map((own, label) => ({ ...own, color: colorOf(colors.get(label)) ?? own.color }));
  const values = tableOf(known, shown, needsIgnored ? { [free]: IGNORED_NAME } : {});
  const ignored = colorOf(colors.get(IGNORE_INDEX));
  if (!values || !ignored) return null;
  return {
    ...values,
    palette: values.palette.map((own, i) => (i === IGNORE_INDEX ? { ...own, color: ignored } : own)),
  };
}

function colorOf(text: string | undefined): ClassInfo["color"] | undefined {
  const [r, g, b] = text?.split(",").map(Number) ?? [];
  return r === undefined || g === undefined || b === undefined ? undefined : [r, g, b];
}

/** @returns `null` if a class, or what is ignored, has no value of a byte. */
function tableOf(
  known: ReadonlyMap<number, number>,
  classes: readonly ClassInfo[],
  added: Values["added"],
): Values | null {
  const labels = [...classes.keys(), IGNORE_INDEX];
  if (labels.some((label) => !known.has(label))) return null;
  const table = new Uint8Array(256);
  const palette: ClassInfo[] = Array.from({ length: 256 }, () => ({ name: "", color: [0, 0, 0] }));
  for (const label of labels) {
    const value = known.get(label) as number;
    table[label] = value;
    if (label !== IGNORE_INDEX) palette[value] = classes[label]!;
  }
  return { table, palette, added };
}

function inOwnValues(data: Config["data"], { table, palette, added }: Values): CorrectedForm {
  // Keys that mean nothing to these formats are left out.
  const { scenes: _, annotations: __, labels, ...own } = data;
  const meaning = Object.keys(added).length > 0 ? { ...labels, map: { ...labels.map, ...added } } : labels;
  const imageEnding = data.train.imageEnding ?? data.imageEnding ?? "";
  const images = data.train.images ?? data.images;
  return {
    file: ({ name, image }) => {
      const own = data.format === "camvid" || images === undefined ? name : stem(relative(images, image));
      return join(LABELS, `${withoutEnding(own, imageEnding)}.png`);
    },
    encode: ({ height, width, data: classes }) =>
      encodeLabelPng({ height, width, data: classes.map((label) => table[label]!) }, palette),
    copiesUnchanged: true,
    finish: async (_, folder) => ({
      ...own,
      ...(Object.keys(meaning).length > 0 && { labels: meaning }),
      train: {
        ...data.train,
        masks: join(folder, LABELS),
        ...(data.format === "folder" && { maskEnding: "" }),
      },
    }),
  };
}

function asFolder(data: Config["data"], { samples, classes }: Dataset): CorrectedForm {
  const images = commonFolder(samples);
  const encode = (label: LabelImage) => encodeLabelPng(label, classes);
  return {
    file: (sample) => join(LABELS, fileBelow(images, sample)),
    encode,
    copiesUnchanged: false,
    finish: async (unfinished, folder) => {
      const val = await openData(data, "val");
      const valImages = commonFolder(val.samples);
      for (const sample of val.samples) {
        const label = await readLabelOf(sample);
        if (label) writeInto(unfinished, join(VAL_LABELS, fileBelow(valImages, sample)), encode(label));
      }
      return {
        format: "folder",
        classes: classes.map(({ name, color }) => ({ name, color: [...color] })),
        ...(data.imageRange && { imageRange: data.imageRange }),
        train: { split: data.train.split, images, masks: join(folder, LABELS) },
        val: { split: data.val.split, images: valImages, masks: join(folder, VAL_LABELS) },
      };
    },
  };
}

/** Returns the label of a sample at the size of its image; `null` where it has none. */
export async function readLabelOf({ image, annotation }: Sample): Promise<LabelImage | null> {
  return annotation ? await readLabel(annotation, await imageSize(image)) : null;
}

/** Writes a file below a folder. @throws {Error} If its name leads elsewhere, or it is there. */
export function writeInto(folder: string, file: string, content: string | Uint8Array): void {
  const path = insidePath(folder, file);
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, content, { flag: "wx" });
}

/** Copies a file below a folder. @throws {Error} As {@link writeInto}. */
export function copyInto(folder: string, file: string, source: string): void {
  const path = insidePath(folder, file);
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.copyFileSync(source, path, fs.constants.COPYFILE_EXCL);
}

function insidePath(folder: string, file: string): string {
  const path = resolve(folder, file);
  if (path.startsWith(resolve(folder) + sep)) return path;
  throw new Error(`correctLabels(): ${file} would lie outside of ${folder}; rename the sample`);
}

function fileBelow(images: string, { image }: Sample): string {
  return `${stem(relative(images, image))}.png`;
}

function stem(path: string): string {
  return path.slice(0, path.length - extname(path).length);
}

function withoutEnding(text: string, ending: string): string {
  return ending !== "" && text.endsWith(ending) ? text.slice(0, -ending.length) : text;
}

/** The deepest folder that all images of a split lie in. */
function commonFolder(samples: readonly Sample[]): string {
  const parts = samples.map(({ image }) => dirname(resolve(image)).split(sep));
  const [first = []] = parts;
  const differs = first.findIndex((part, i) => parts.some((other) => other[i] !== part));
  const common = differs < 0 ? first : first.slice(0, differs);
  return common.join(sep) || sep;
}
