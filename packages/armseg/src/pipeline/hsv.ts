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

/**
 * Send every pixel through HSV and back, replacing hue and saturation on the way, in place.
 *
 * @param data - `[..., 3]`, 8-bit RGB.
 * @param hues - What each of the 180 hues becomes.
 * @param saturations - What each of the 256 saturations becomes.
 */
export function mapHueSaturation_(data: Uint8Array, hues: Uint8Array, saturations: Uint8Array): void {
  const length = data.length;
  for (let i = 0; i < length; i += 3) {
    const r = data[i]!;
    const g = data[i + 1]!;
    const b = data[i + 2]!;
    const value = Math.max(r, g, b);
    const difference = value - Math.min(r, g, b);
    let hue = value === r ? g - b : value === g ? b - r + 2 * difference : r - g + 4 * difference;
    hue = (Math.imul(hue, HUE_DIVISOR[difference]!) + HALF) >> SHIFT;
    if (hue < 0) hue += HUES;
    hue = hues[hue]!;
    const saturation = saturations[(Math.imul(difference, SATURATION_DIVISOR[value]!) + HALF) >> SHIFT]!;
    const largest = LARGEST[value]!;
    const smallest = SMALLEST[(saturation << 8) | value]!;
    const share = Math.fround(UNIT[value]! * MIDDLE[(hue << 8) | saturation]!);
    const middle = Math.fround(share * 255) | 0;
    const sector = SECTOR[hue]!;
    data[i] = sector === 0 || sector === 5 ? largest : sector === 1 || sector === 4 ? middle : smallest;
    data[i + 1] = sector === 1 || sector === 2 ? largest : sector === 0 || sector === 3 ? middle : smallest;
    data[i + 2] = sector === 3 || sector === 4 ? largest : sector === 2 || sector === 5 ? middle : smallest;
  }
}
