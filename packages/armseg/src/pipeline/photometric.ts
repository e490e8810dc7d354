import type { CounterRandom } from "../core/random.ts";
import { type HsvMap, HUES, mapHsv_ } from "./hsv.ts";

export interface PhotometricOptions {
  /** Brightness is moved by up to this many levels of 255. */
  readonly brightnessDelta: number;
  readonly contrastRange: readonly [number, number];
  readonly saturationRange: readonly [number, number];
  /** Hue is moved by `-hueDelta..hueDelta - 1` of 180 steps. */
  readonly hueDelta: number;
}

/** What was drawn; a step that is absent is not taken. */
export interface PhotometricDistortion {
  readonly brightness?: number;
  readonly contrast?: number;
  /** Contrast comes before saturation and hue, else after them. */
  readonly contrastFirst: boolean;
  readonly saturation?: number;
  readonly hue?: number;
}

/**
 * Draws a photometric distortion: each of brightness, contrast, saturation and hue with probability one half, contrast early or late by
 * the toss of a coin. mmsegmentation `PhotoMetricDistortion` (after SSD).
 */
export function drawPhotometric(random: CounterRandom, options: PhotometricOptions): PhotometricDistortion {
  const { brightnessDelta, contrastRange, saturationRange, hueDelta } = options;
  const brightness = random.coin() ? random.uniform(-brightnessDelta, brightnessDelta) : undefined;
  const contrastFirst = random.coin();
  const contrast = random.coin() ? random.uniform(...contrastRange) : undefined;
  const saturation = random.coin() ? random.uniform(...saturationRange) : undefined;
  const hue = hueDelta > 0 && random.coin() ? random.integer(-hueDelta, hueDelta) : undefined;
  return {
    contrastFirst,
    ...(brightness !== undefined && { brightness }),
    ...(contrast !== undefined && { contrast }),
    ...(saturation !== undefined && { saturation }),
    ...(hue !== undefined && { hue }),
  };
}

/**
 * Returns what distorts the colours of 8-bit RGB pixels (`[..., 3]`, interleaved) in place.
 *
 * Each step starts and ends with 8 bits, clipped and truncated, as in the reference: brightness and contrast are v·α + β in float32;
 * saturation scales S and hue turns H of OpenCV's 8-bit HSV.
 */
export function colorDistortion(distortion: PhotometricDistortion): (data: Uint8Array) => void {
  const { brightness, contrast, contrastFirst, saturation, hue } = distortion;
  const before = IDENTITY.slice();
  if (brightness !== undefined) compose_(before, scaleTable(1, brightness));
  if (contrast !== undefined && contrastFirst) compose_(before, scaleTable(contrast, 0));
  const after = contrast !== undefined && !contrastFirst ? scaleTable(contrast, 0) : IDENTITY;
  const saturations = saturation === undefined ? null : scaleTable(saturation, 0);
  const hues = hue === undefined ? null : turnTable(hue);
  // Table steps ride along with the steps through HSV, which are the expensive ones.
  if (saturations && hues)
    return throughHsv([
      { before, hues: SAME_HUES, saturations, after: IDENTITY },
      { before: IDENTITY, hues, saturations: IDENTITY, after },
    ]);
  if (saturations || hues)
    return throughHsv([{ before, hues: hues ?? SAME_HUES, saturations: saturations ?? IDENTITY, after }]);
  return throughTable(compose_(before, after));
}

const IDENTITY = Uint8Array.from({ length: 256 }, (_, i) => i);
const SAME_HUES = IDENTITY.slice(0, HUES);

/** Tabulates clip(v·alpha + beta, 0, 255), truncated, computed in float32 step by step. */
function scaleTable(alpha: number, beta: number): Uint8Array {
  const a = Math.fround(alpha);
  const b = Math.fround(beta);
  return IDENTITY.map((value) => Math.min(Math.max(Math.fround(Math.fround(value * a) + b), 0), 255));
}

function turnTable(steps: number): Uint8Array {
  return SAME_HUES.map((hue) => (((hue + steps) % HUES) + HUES) % HUES);
}

/** Makes `first` the table of doing `first`, then `second`. */
function compose_(first: Uint8Array, second: Uint8Array): Uint8Array {
  for (let i = 0; i < 256; i++) first[i] = second[first[i]!]!;
  return first;
}

function throughHsv(maps: readonly HsvMap[]): (data: Uint8Array) => void {
  return (data) => mapHsv_(data, maps);
}

function throughTable(table: Uint8Array): (data: Uint8Array) => void {
  return table.every((value, i) => value === i) ? () => {} : (data) => mapBytes_(data, table);
}

function mapBytes_(data: Uint8Array, table: Uint8Array): void {
  for (let i = 0; i < data.length; i++) data[i] = table[data[i]!]!;
}
