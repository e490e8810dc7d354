/** Where each pixel of a resized row or column comes from: two source positions and their fixed-point weights. */
export interface LinearTable {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  /** Weight of `lower`, in units of 1/2048. */
  readonly lowerWeight: Int32Array;
  readonly upperWeight: Int32Array;
}

/** OpenCV's INTER_RESIZE_COEF_SCALE. */
const WEIGHT_ONE = 2048;

/**
 * Returns the taps of OpenCV's INTER_LINEAR for 8-bit images along one side: half-pixel centres, no antialiasing, weights rounded to 1/2048.
 *
 * Position d reads f = (d + 0.5)·source/target − 0.5, in float32 as OpenCV computes it.
 *
 * @param edges - `clamped`: past the outermost centres the weights become 1 and 0 (columns). `repeated`: the weights stay and both taps
 *   read the border (rows). OpenCV treats its two sides so, and the fixed-point result differs in the last bit.
 * @param from - First target position, and how many: only a window is tabulated.
 */
export function linearTable(
  target: number,
  source: number,
  from: number,
  count: number,
  edges: "clamped" | "repeated",
): LinearTable {
  const scale = 1 / (target / source);
  const last = source - 1;
  const table = emptyTable(count);
  for (let i = 0; i < count; i++) {
    const position = Math.fround((from + i + 0.5) * scale - 0.5);
    let lower = Math.floor(position);
    let fraction = Math.fround(position - lower);
    if (edges === "clamped" && (lower < 0 || lower >= last)) {
      lower = lower < 0 ? 0 : last;
      fraction = 0;
    }
    table.lower[i] = Math.min(Math.max(lower, 0), last);
    table.upper[i] = Math.min(Math.max(lower + 1, 0), last);
    table.lowerWeight[i] = roundHalfEven(Math.fround(1 - fraction) * WEIGHT_ONE);
    table.upperWeight[i] = roundHalfEven(fraction * WEIGHT_ONE);
  }
  return table;
}

function emptyTable(count: number): LinearTable {
  return {
    lower: new Int32Array(count),
    upper: new Int32Array(count),
    lowerWeight: new Int32Array(count),
    upperWeight: new Int32Array(count),
  };
}

/**
 * Returns the source position of each target position under OpenCV's INTER_NEAREST: floor(d · source/target).
 *
 * @param from - First target position, and how many: only a window is tabulated.
 */
export function nearestTable(target: number, source: number, from: number, count: number): Int32Array {
  const scale = 1 / (target / source);
  const table = new Int32Array(count);
  for (let i = 0; i < count; i++) table[i] = Math.min(Math.floor((from + i) * scale), source - 1);
  return table;
}

/** Rounds to the nearest whole number, halves to the even one, as C's `lrint`. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
