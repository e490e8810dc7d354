import { DataError } from "../data-error.ts";
import { type Annotation, IGNORE_INDEX } from "../sample.ts";
import { colorKey, labelLookup } from "./label-map.ts";
import { type RawMask, readRawMask } from "./raw-mask.ts";
import { readLabel, readRegions } from "./read-label.ts";

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
}

/** What no region covers, in the list of values. */
const UNCOVERED = "(uncovered)";
/** Names are painted as bytes; 255 stands for what no region covers. */
const MAX_NAMES = 255;

/**
 * Read a label and count its own values, known or not.
 *
 * @param size - `[height, width]` of the image in pixels; the label must have it.
 * @param onUnknown - Called with the error that {@link readLabel} would throw for values outside the label map.
 * @throws {DataError} If the file cannot be read or has another size than the image.
 */
export async function inspectLabel(
  annotation: Annotation,
  size: readonly [number, number] | undefined,
  onUnknown: (error: DataError) => void,
): Promise<LabelInspection> {
  const found =
    annotation.kind === "mask" ? await inspectMask(annotation) : await inspectRegions(annotation, size);
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

async function inspectMask(annotation: Extract<Annotation, { kind: "mask" }>): Promise<LabelInspection> {
  const { path, channel, labelMap } = annotation;
  const mask = await readRawMask(path, channel === undefined ? {} : { channel });
  const { classOf } = labelLookup(mask, labelMap, path);
  const values = [...countValues(mask)].map(([value, pixels]): ValueCount => {
    const label = classOf(value);
    const text = mask.mode === "rgb" ? colorKey(value) : String(value);
    return { value: text, pixels, ...(label !== undefined && { label }) };
  });
  const isTurned = mask.orientation >= 5;
  const size = isTurned ? ([mask.width, mask.height] as const) : ([mask.height, mask.width] as const);
  return { size, mode: `${mask.mode} ${mask.bitDepth}-bit`, values };
}

/** How often each raw value of a mask occurs. */
export function countValues({ values }: Pick<RawMask, "values">): Map<number, number> {
  if (values instanceof Uint32Array) return countColors(values);
  const counts = new Float64Array(values instanceof Uint16Array ? 65536 : 256);
  for (let i = 0; i < values.length; i++) counts[values[i]!]!++;
  return new Map([...counts.entries()].filter(([, count]) => count > 0));
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
  return { size: [label.height, label.width], mode: `regions (${annotation.format})`, values: all };
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
