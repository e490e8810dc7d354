import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import type { Annotation, Region } from "../sample.ts";
import { type BorderCounts, countBorders } from "./border-values.ts";
import { colorKey, labelLookup } from "./label-map.ts";
import { type MaskFacts, MOST_COLORS, maskFacts } from "./mask-facts.ts";
import { misplaced } from "./misplaced.ts";
import type { RawMask } from "./raw-mask.ts";
import { readLabel, readMask, readRegions } from "./read-label.ts";

/** One of an annotation's own values: what it is, what it means, how often it occurs. */
export interface ValueCount {
  /** A number, a colour `r,g,b`, or a name. */
  readonly value: string;
  /** Class index or {@link IGNORE_INDEX}; absent if the label map has no entry. */
  readonly label?: number;
  readonly pixels: number;
}

export interface LabelInspection {
  /** `[height, width]` in pixels, upright. */
  readonly size: readonly [number, number];
  /** E.g. `grey 8-bit`, `palette 4-bit`, `rgb 8-bit`, `polygons (cityscapes)`. */
  readonly mode: string;
  readonly values: readonly ValueCount[];
  /** What is compared with the other masks of a data set; masks only. */
  readonly facts?: MaskFacts;
  /** Where asked for: how often values occur inside areas; masks only. */
  readonly borders?: BorderCounts;
  /** Whether the label carries an EXIF orientation of its own. */
  readonly isTurned?: true;
  /** Pixels whose alpha is 0 and whose value counts as a class all the same. */
  readonly transparentPixels?: number;
  /** Shapes that can be no part of the image, and the first of them; see {@link misplaced}. */
  readonly misplacedShapes?: { readonly count: number; readonly first: string };
  /** Names of shapes of which no pixel is left: later shapes of other names cover them. */
  readonly coveredNames?: readonly string[];
}

export interface InspectLabelOptions {
  /** `[height, width]` of the image in pixels; the label must have it. */
  readonly size?: readonly [number, number] | undefined;
  /** Called with the error that {@link readLabel} would throw for values outside the label map. */
  readonly onUnknown: (error: DataError) => void;
  /** Counts borders too. Default false. */
  readonly countsBorders?: boolean;
}

/** What no region covers, in the list of values. */
const UNCOVERED = "(uncovered)";
/** Names are painted as bytes; 255 stands for what no region covers. */
const MAX_NAMES = 255;

/**
 * Reads a label and counts its own values, known or not.
 *
 * @throws {DataError} If the file cannot be read or has another size than the image.
 */
export async function inspectLabel(
  annotation: Annotation,
  { size, onUnknown, countsBorders = false }: InspectLabelOptions,
): Promise<LabelInspection> {
  const found =
    annotation.kind === "mask"
      ? await inspectMask(annotation, countsBorders)
      : await inspectRegions(annotation, size);
  if (found.values.some(({ label }) => label === undefined)) onUnknown(await unknownError(annotation, size));
  return found;
}

async function unknownError(
  annotation: Annotation,
  size: readonly [number, number] | undefined,
): Promise<DataError> {
  try {
    await readLabel(annotation, size);
  } catch (error) {
    if (error instanceof DataError) return error;
    throw error;
  }
  return new DataError(`${annotation.path} changed while it was read`, annotation.path);
}

async function inspectMask(
  annotation: Extract<Annotation, { kind: "mask" }>,
  countsBorders: boolean,
): Promise<LabelInspection> {
  const { path, labelMap } = annotation;
  const mask = await readMask(annotation, { inBackground: true });
  const { classOf } = labelLookup(mask, labelMap, path);
  const ignored = annotation.transparent ? mask.transparent : undefined;
  const counts = countValues(mask, ignored);
  const values = [...counts].map(([value, pixels]): ValueCount => {
    const label = classOf(value);
    const text = mask.mode === "rgb" ? colorKey(value) : String(value);
    return { value: text, pixels, ...(label !== undefined && { label }) };
  });
  const swapsSides = mask.orientation >= 5;
  return {
    size: swapsSides ? [mask.width, mask.height] : [mask.height, mask.width],
    mode: `${mask.mode} ${mask.bitDepth}-bit`,
    values: [...shortened(values), ...transparentValues(ignored)],
    facts: maskFacts(path, mask, counts.keys()),
    ...(mask.orientation > 1 && { isTurned: true as const }),
    ...(countsBorders && { borders: countBorders(mask) }),
    ...(mask.transparent && !ignored && { transparentPixels: countUnder(mask, classOf) }),
  };
}

/** Photographs in place of masks have a colour per pixel: unknown ones are kept up to a number, the rest as one entry. */
function shortened(values: readonly ValueCount[]): readonly ValueCount[] {
  if (values.length <= MOST_COLORS) return values;
  const known = values.filter(({ label }) => label !== undefined);
  const unknown = values.filter(({ label }) => label === undefined);
  const pixels = unknown.slice(MOST_COLORS).reduce((sum, value) => sum + value.pixels, 0);
  const rest = pixels > 0 ? [{ value: "(other values)", pixels }] : [];
  return [...known, ...unknown.slice(0, MOST_COLORS), ...rest];
}

function transparentValues(transparent: Uint8Array | undefined): ValueCount[] {
  if (!transparent) return [];
  const pixels = transparent.reduce((sum, isTransparent) => sum + isTransparent, 0);
  return [{ value: "(transparent)", pixels, label: IGNORE_INDEX }];
}

/** Transparent pixels whose value is not ignored. */
function countUnder(mask: RawMask, classOf: (value: number) => number | undefined): number {
  let pixels = 0;
  for (const [value, count] of countValues(mask, mask.transparent, 1))
    if (classOf(value) !== IGNORE_INDEX) pixels += count;
  return pixels;
}

/**
 * Returns how often each raw value of a mask occurs.
 *
 * @param transparent - Leaves out the pixels where this is not `counted`.
 */
export function countValues(
  { values }: Pick<RawMask, "values">,
  transparent?: Uint8Array,
  counted = 0,
): Map<number, number> {
  const seen = transparent ? values.filter((_, i) => transparent[i] === counted) : values;
  if (seen instanceof Uint32Array) return countColors(seen);
  const counts = seen instanceof Uint16Array ? countRuns(seen, 65536) : countBytes(seen);
  const found = new Map<number, number>();
  counts.forEach((count, value) => void (count > 0 && found.set(value, count)));
  return found;
}

/** Labels come in runs: one is counted at once. */
function countRuns(values: Uint8Array | Uint16Array, levels: number): Float64Array {
  const counts = new Float64Array(levels);
  for (let from = 0; from < values.length; ) {
    const value = values[from]!;
    let to = from + 1;
    while (to < values.length && values[to] === value) to++;
    counts[value]! += to - from;
    from = to;
  }
  return counts;
}

/** {@link countRuns}, four bytes at a time. */
function countBytes(bytes: Uint8Array): Float64Array {
  if (bytes.byteOffset % 4 !== 0) return countRuns(bytes, 256);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  const counts = countRuns(bytes.subarray(4 * words.length), 256);
  for (let from = 0; from < words.length; ) {
    const word = words[from]!;
    let to = from + 1;
    while (to < words.length && words[to] === word) to++;
    for (let i = 0; i < 4; i++) counts[(word >>> (8 * i)) & 255]! += to - from;
    from = to;
  }
  return counts;
}

function countColors(colors: Uint32Array): Map<number, number> {
  const counts = new Map<number, number>();
  for (let from = 0; from < colors.length; ) {
    const color = colors[from]!;
    let to = from + 1;
    while (to < colors.length && colors[to] === color) to++;
    counts.set(color, (counts.get(color) ?? 0) + to - from);
    from = to;
  }
  return counts;
}

async function inspectRegions(
  annotation: Extract<Annotation, { kind: "regions" }>,
  imageSize: readonly [number, number] | undefined,
): Promise<LabelInspection> {
  const { regions, size } = await readRegions(annotation);
  const classes = annotation.labelMap.classes as Readonly<Record<string, number>>;
  const names = [...new Set(regions.map(({ label }) => label))];
  const own = { ...annotation, regions, ...(size && { size }) };
  if (names.length > MAX_NAMES) return countByClass(own, imageSize);
  // Each name is painted as a value of its own, so that its pixels can be counted.
  const labelMap = {
    encoding: "names",
    classes: Object.fromEntries(names.map((name, i) => [name, i])),
  } as const;
  const label = await readLabel({ ...own, labelMap, background: IGNORE_INDEX }, imageSize);
  const values = [...countValues({ values: label.data })].map(([index, pixels]): ValueCount => {
    const name = names[index];
    if (name === undefined) return { value: UNCOVERED, pixels, label: annotation.background };
    return { value: name, pixels, ...(Object.hasOwn(classes, name) && { label: classes[name]! }) };
  });
  const all = [...values, ...hidden(names, values, classes)];
  const outside = misplacedShapes(regions, [label.height, label.width]);
  const covered = coveredNames(annotation, regions, values, [label.height, label.width]);
  return {
    size: [label.height, label.width],
    mode: `regions (${annotation.format})`,
    values: all,
    ...(outside && { misplacedShapes: outside }),
    ...(covered.length > 0 && { coveredNames: covered }),
  };
}

/** Cityscapes' polygons are made to cover each other; what lies beneath is no mistake. */
function coveredNames(
  { format, labelMap }: Extract<Annotation, { kind: "regions" }>,
  regions: readonly Region[],
  seen: readonly ValueCount[],
  size: readonly [number, number],
): string[] {
  if (format === "cityscapes") return [];
  const classes = labelMap.classes as Readonly<Record<string, number>>;
  const visible = new Set(seen.map(({ value }) => value));
  const found = regions.filter((region) => !visible.has(region.label) && !misplaced(region, size));
  return [...new Set(found.map(({ label }) => label))].filter((name) => classes[name] !== IGNORE_INDEX);
}

function misplacedShapes(
  regions: readonly Region[],
  size: readonly [number, number],
): LabelInspection["misplacedShapes"] {
  const found = regions.flatMap((region) => {
    const reason = misplaced(region, size);
    return reason === undefined ? [] : [`a shape of "${region.label}" ${reason}`];
  });
  return found.length === 0 ? undefined : { count: found.length, first: found[0]! };
}

async function countByClass(
  annotation: Extract<Annotation, { kind: "regions" }>,
  imageSize: readonly [number, number] | undefined,
): Promise<LabelInspection> {
  const { height, width, data } = await readLabel(annotation, imageSize);
  const values = [...countValues({ values: data })].map(([label, pixels]) => ({
    value: `(class ${label})`,
    pixels,
    label,
  }));
  return { size: [height, width], mode: `regions (${annotation.format})`, values };
}

/** Names that later regions cover wholly still need an entry in the label map. */
function hidden(
  names: readonly string[],
  seen: readonly ValueCount[],
  classes: Readonly<Record<string, number>>,
): ValueCount[] {
  const visible = new Set(seen.map(({ value }) => value));
  return names
    .filter((name) => !visible.has(name))
    .map((value) => ({ value, pixels: 0, ...(Object.hasOwn(classes, value) && { label: classes[value]! }) }));
}
