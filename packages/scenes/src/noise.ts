import { HashRandom } from "./hash-random.ts";

/** Side of the repeating noise tiles, a power of two. */
const SIDE = 256;
const MASK = SIDE - 1;

const GRAIN = grainTile();
const CLOUDS = cloudTile();

function grainTile(): Float32Array {
  const random = new HashRandom(0x6e6f6973);
  return Float32Array.from({ length: SIDE * SIDE }, () => random.next());
}

/** Sum of five octaves of smooth value noise, stretched to [0, 1]. */
function cloudTile(): Float32Array {
  const tile = new Float32Array(SIDE * SIDE);
  for (let octave = 0; octave < 5; octave++) {
    addOctave(tile, SIDE >> (3 + octave), 0.5 ** octave);
  }
  let low = Infinity;
  let high = -Infinity;
  for (const value of tile) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return tile.map((value) => (value - low) / (high - low));
}

function addOctave(tile: Float32Array, cell: number, amplitude: number): void {
  const cells = SIDE / cell;
  const random = new HashRandom(0x636c6f75, cells);
  const lattice = Float32Array.from({ length: cells * cells }, () => random.next());
  const at = (row: number, column: number): number => lattice[(row % cells) * cells + (column % cells)]!;
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const row = Math.floor(y / cell);
      const column = Math.floor(x / cell);
      const v = smooth(y / cell - row);
      const u = smooth(x / cell - column);
      const top = at(row, column) * (1 - u) + at(row, column + 1) * u;
      const bottom = at(row + 1, column) * (1 - u) + at(row + 1, column + 1) * u;
      tile[y * SIDE + x]! += amplitude * (top * (1 - v) + bottom * v);
    }
  }
}

function smooth(t: number): number {
  return t * t * (3 - 2 * t);
}

/** Uncorrelated noise in [0, 1): a constant of the unit square that holds (x, y). */
export function grain(x: number, y: number): number {
  return GRAIN[(Math.floor(y) & MASK) * SIDE + (Math.floor(x) & MASK)]!;
}

/** Smooth noise in [0, 1] with features from 16 units down to 1, repeating every 256; bilinear between the units. */
export function clouds(x: number, y: number): number {
  const column = Math.floor(x);
  const row = Math.floor(y);
  const u = x - column;
  const v = y - row;
  const top = (row & MASK) * SIDE;
  const bottom = ((row + 1) & MASK) * SIDE;
  const left = column & MASK;
  const right = (column + 1) & MASK;
  const a = CLOUDS[top + left]! * (1 - u) + CLOUDS[top + right]! * u;
  const b = CLOUDS[bottom + left]! * (1 - u) + CLOUDS[bottom + right]! * u;
  return a * (1 - v) + b * v;
}
