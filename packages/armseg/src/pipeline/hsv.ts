/**
 * OpenCV's 8-bit HSV, table by table: H in 0..179 (degrees halved), S and V in 0..255.
 *
 * Both ways equal `cv2.cvtColor` for every input (checked against all 2^24 colours and all 180·2^16 HSV triples). One thing differs: where a
 * row's width is no multiple of the vector length, OpenCV rounds the last few pixels instead of truncating them; here all are truncated.
 */

const SHIFT = 12;
const HALF = 1 << (SHIFT - 1);
/** Values of H. */
export const HUES = 180;

const SATURATION_DIVISOR = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : Math.round((255 << SHIFT) / i),
);
const HUE_DIVISOR = Int32Array.from({ length: 256 }, (_, i) =>
  i === 0 ? 0 : Math.round((HUES << SHIFT) / (6 * i)),
);

const UNIT = Float32Array.from({ length: 256 }, (_, i) => Math.fround(i * Math.fround(1 / 255)));
const HUE_SCALE = Math.fround(6 / HUES);
const SECTOR = Uint8Array.from({ length: HUES }, (_, hue) => Math.trunc(Math.fround(hue * HUE_SCALE)) % 6);

function toByte(value: number): number {
  return Math.trunc(Math.fround(value * 255));
}

/** The largest channel, from V. */
const LARGEST = Uint8Array.from({ length: 256 }, (_, v) => toByte(UNIT[v]!));

/** The smallest channel V·(1 − S), at `S << 8 | V`. */
const SMALLEST = Uint8Array.from({ length: 65536 }, (_, i) =>
  toByte(Math.fround(UNIT[i & 255]! * Math.fround(1 - UNIT[i >> 8]!))),
);

/** The middle channel's factor 1 − S·f or 1 − S·(1 − f), at `H << 8 | S`; the subtraction is fused as OpenCV's compiler fuses it. */
const MIDDLE = Float32Array.from({ length: HUES << 8 }, (_, i) => {
  const position = Math.fround((i >> 8) * HUE_SCALE);
  const fraction = Math.fround(position - Math.trunc(position));
  const falling = SECTOR[i >> 8]! % 2 === 1;
  return 1 - UNIT[i & 255]! * (falling ? fraction : Math.fround(1 - fraction));
});

/** Where the largest, middle and smallest channel of a hue lie in R, G, B (0, 1, 2), as a shift. */
const LARGEST_AT = channelOf([0, 1, 1, 2, 2, 0]);
const MIDDLE_AT = channelOf([1, 0, 2, 1, 0, 2]);
const SMALLEST_AT = channelOf([2, 2, 0, 0, 1, 1]);

function channelOf(bySector: readonly number[]): Uint8Array {
  return SECTOR.map((sector) => 16 - 8 * bySector[sector]!);
}

/** What happens to a colour on its way through HSV and back; each table is a function of a byte or hue. */
export interface HsvMap {
  /** What each level of R, G and B becomes first. */
  readonly before: Uint8Array;
  /** What each of the 180 hues becomes. */
  readonly hues: Uint8Array;
  /** What each of the 256 saturations becomes. */
  readonly saturations: Uint8Array;
  /** What each level of the resulting R, G and B becomes. */
  readonly after: Uint8Array;
}

/**
 * Colours that were mapped already, by hash: most pixels of a photograph repeat one that was seen a little before. What is remembered fits
 * into a processor's first cache, from which the rows of the image would push more.
 */
const MEMO_BITS = 12;
const memoColors = new Int32Array(1 << MEMO_BITS);
const memoMapped = new Int32Array(1 << MEMO_BITS);
/** What they were mapped by. */
let memoMaps: readonly HsvMap[] | undefined;

/**
 * Sends every pixel through HSV and back, once for each map, replacing hue and saturation on the way, in place.
 *
 * @param data - `[..., 3]`, 8-bit RGB.
 * @param maps - Not to be changed afterwards: colours that were mapped are remembered until other maps come.
 */
export function mapHsv_(data: Uint8Array, maps: readonly HsvMap[]): void {
  if (memoMaps !== maps) memoColors.fill(-1);
  memoMaps = maps;
  const length = data.length;
  for (let i = 0; i < length; i += 3) {
    const color = (data[i]! << 16) | (data[i + 1]! << 8) | data[i + 2]!;
    const slot = Math.imul(color, 0x9e3779b1) >>> (32 - MEMO_BITS);
    if (memoColors[slot] !== color) {
      memoColors[slot] = color;
      memoMapped[slot] = mapColor(color, maps);
    }
    const mapped = memoMapped[slot]!;
    data[i] = mapped >> 16;
    data[i + 1] = mapped >> 8;
    data[i + 2] = mapped;
  }
}

function mapColor(color: number, maps: readonly HsvMap[]): number {
  let mapped = color;
  for (let i = 0; i < maps.length; i++) mapped = throughHsv(mapped, maps[i]!);
  return mapped;
}

/** Maps one colour, `R << 16 | G << 8 | B`. */
function throughHsv(color: number, { before, hues, saturations, after }: HsvMap): number {
  const r = before[color >> 16]!;
  const g = before[(color >> 8) & 255]!;
  const b = before[color & 255]!;
  const value = Math.max(r, g, b);
  const difference = value - Math.min(r, g, b);
  const numerator = value === r ? g - b : value === g ? b - r + 2 * difference : r - g + 4 * difference;
  const turned = (Math.imul(numerator, HUE_DIVISOR[difference]!) + HALF) >> SHIFT;
  const hue = hues[turned < 0 ? turned + HUES : turned]!;
  const saturation = saturations[(Math.imul(difference, SATURATION_DIVISOR[value]!) + HALF) >> SHIFT]!;
  const share = Math.fround(UNIT[value]! * MIDDLE[(hue << 8) | saturation]!);
  return (
    (after[LARGEST[value]!]! << LARGEST_AT[hue]!) |
    (after[Math.fround(share * 255) | 0]! << MIDDLE_AT[hue]!) |
    (after[SMALLEST[(saturation << 8) | value]!]! << SMALLEST_AT[hue]!)
  );
}
