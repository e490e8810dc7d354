import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import { countOf } from "../formats/pair-files.ts";
import type { LabelImage, LabelMap } from "../sample.ts";
import type { RawMask } from "./raw-mask.ts";
import { isGreyColor, shownColor } from "./shown-color.ts";

/** What a mask's raw values mean, and how to write one of them in a message. */
interface Lookup {
  readonly classOf: (value: number) => number | undefined;
  readonly describe: (value: number) => string;
}

/**
 * Turns a mask's raw values into class indices; transparent pixels are ignored where the annotation says so.
 *
 * @param where.path - The mask's file, for messages.
 * @param where.remedy - What to do about a value outside the map.
 * @returns The label, of the mask's size.
 * @throws {DataError} If the map is of the wrong kind for the file, or a value has no entry; the message says which, how often and where first.
 */
export function applyLabelMap(
  mask: RawMask,
  labelMap: LabelMap,
  where: { readonly path: string; readonly remedy?: string; readonly transparent?: "ignore" },
): LabelImage {
  if (where.transparent && mask.transparent)
    return ignoreTransparent(mask, mask.transparent, labelMap, where);
  const lookup = labelLookup(mask, labelMap, where.path);
  const data =
    mask.values instanceof Uint32Array
      ? mapColors(mask.values, lookup)
      : mapValues(mask.values, lookup, mask.bitDepth);
  if (!data) throw outsideMap(mask, lookup, where);
  return { height: mask.height, width: mask.width, data };
}

/** Values under alpha 0 need no entry in the map: they are read as some value that is seen, and ignored then. */
function ignoreTransparent(
  mask: RawMask,
  transparent: Uint8Array,
  labelMap: LabelMap,
  { path, remedy }: { readonly path: string; readonly remedy?: string },
): LabelImage {
  const { height, width } = mask;
  const seen = transparent.indexOf(0);
  if (seen < 0) return { height, width, data: new Uint8Array(height * width).fill(IGNORE_INDEX) };
  const values = mask.values.map((value, i) => (transparent[i] ? mask.values[seen]! : value));
  const label = applyLabelMap({ ...mask, values }, labelMap, { path, ...(remedy && { remedy }) });
  transparent.forEach((isTransparent, i) => {
    if (isTransparent) label.data[i] = IGNORE_INDEX;
  });
  return label;
}

/**
 * Returns the class of each raw value of a mask.
 *
 * Palette files under a colour map go through their palette; RGB files under a value map are read only where all three channels agree.
 *
 * @throws {DataError} If the map is one of names.
 */
export function labelLookup(mask: RawMask, labelMap: LabelMap, path: string): Lookup {
  if (labelMap.encoding === "names")
    throw new DataError(
      `readLabel(): ${path} is a mask, but its label map maps names; map values or colours`,
      path,
    );
  return labelMap.encoding === "values"
    ? valueLookup(mask, labelMap.classes)
    : colorLookup(mask, labelMap.classes);
}

function valueLookup(mask: RawMask, classes: Readonly<Record<number, number>>): Lookup {
  if (mask.mode !== "rgb")
    return { classOf: (value) => classes[value], describe: (value) => `label ${value}` };
  // A grey mask saved as RGB is exact as long as the channels agree; anything else is a colour, not a value.
  return {
    classOf: (value) => (isGreyColor(value) ? classes[value & 255] : undefined),
    describe: (value) => (isGreyColor(value) ? `label ${value & 255}` : `colour ${colorKey(value)}`),
  };
}

function colorLookup(mask: RawMask, classes: Readonly<Record<string, number>>): Lookup {
  if (mask.mode === "rgb")
    return { classOf: (value) => classes[colorKey(value)], describe: (value) => `colour ${colorKey(value)}` };
  const hasColor = (value: number): boolean => !mask.palette || 3 * value < mask.palette.length;
  return {
    classOf: (value) =>
      mask.bitDepth > 8 || !hasColor(value) ? undefined : classes[colorKey(shownColor(mask, value))],
    describe: (value) =>
      hasColor(value)
        ? `colour ${colorKey(shownColor(mask, value))} (value ${value})`
        : `index ${value}, for which the palette has no colour,`,
  };
}

/** A packed colour as the key of a colour map, `"r,g,b"`. */
export function colorKey(color: number): string {
  return `${color >> 16},${(color >> 8) & 255},${color & 255}`;
}

function mapValues(
  values: Uint8Array | Uint16Array,
  { classOf }: Lookup,
  bitDepth: number,
): Uint8Array | undefined {
  const table = new Int16Array(bitDepth > 8 ? 65536 : 256);
  for (let value = 0; value < table.length; value++) table[value] = classOf(value) ?? -1;
  if (values instanceof Uint8Array) return mapBytes(values, table);
  const out = new Uint8Array(values.length);
  let anyUnknown = 0;
  for (let i = 0; i < values.length; i++) {
    const label = table[values[i]!]!;
    anyUnknown |= label;
    out[i] = label;
  }
  return anyUnknown < 0 ? undefined : out;
}

/** Maps four pixels at a time, and looks them up only where they differ from the four before: in a label most do not. */
function mapBytes(values: Uint8Array, table: Int16Array): Uint8Array | undefined {
  const padded = new Uint8Array((values.length + 3) & ~3);
  padded.fill(values[0] ?? 0, values.length);
  padded.set(values);
  const words = new Int32Array(padded.buffer);
  let anyUnknown = 0;
  let last = ~words[0]!;
  let mapped = 0;
  for (let w = 0; w < words.length; w++) {
    const word = words[w]!;
    if (word !== last) {
      last = word;
      const a = table[word & 255]!;
      const b = table[(word >> 8) & 255]!;
      const c = table[(word >> 16) & 255]!;
      const d = table[word >>> 24]!;
      anyUnknown |= a | b | c | d;
      mapped = a | (b << 8) | (c << 16) | (d << 24);
    }
    words[w] = mapped;
  }
  return anyUnknown < 0 ? undefined : padded.subarray(0, values.length);
}

function mapColors(colors: Uint32Array, { classOf }: Lookup): Uint8Array | undefined {
  const known = new Map<number, number>();
  const out = new Uint8Array(colors.length);
  let last = -1;
  let label = 0;
  for (let i = 0; i < colors.length; i++) {
    const color = colors[i]!;
    if (color !== last) {
      label = known.get(color) ?? classOf(color) ?? -1;
      if (label < 0) return undefined;
      known.set(color, label);
      last = color;
    }
    out[i] = label;
  }
  return out;
}

function outsideMap(mask: RawMask, lookup: Lookup, where: { path: string; remedy?: string }): DataError {
  const unknown = new Map<number, { count: number; first: number }>();
  mask.values.forEach((value, i) => {
    if (lookup.classOf(value) !== undefined) return;
    const seen = unknown.get(value);
    if (seen) seen.count++;
    else unknown.set(value, { count: 1, first: i });
  });
  const [[value, { count, first }]] = [...unknown] as [[number, { count: number; first: number }]];
  const place = `first at row ${Math.floor(first / mask.width)}, column ${first % mask.width}`;
  const others = unknown.size > 1 ? ` (and ${countOf(unknown.size - 1, "other value")})` : "";
  const pixels = `${countOf(count, "pixel")}, ${place}`;
  const remedy = where.remedy ?? "map it to a class or to ignore in labels.map";
  const text = `${lookup.describe(value)} in ${where.path} (${pixels})${others} is outside the label map; ${remedy}`;
  return new DataError(`readLabel(): ${text}`, where.path);
}
