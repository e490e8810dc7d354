import { unfilterBytes, unknownFilter } from "./png-filter-bytes.ts";

/**
 * Undoes PNG's row filters (ISO/IEC 15948, clause 9).
 *
 * @param raw - `height` rows of one filter byte and `rowBytes` filtered bytes.
 * @param step - Bytes from a byte to its counterpart in the pixel to the left.
 * @returns `height * rowBytes` bytes.
 * @throws If a filter byte is not 0..4.
 */
export function unfilter(raw: Uint8Array, height: number, rowBytes: number, step: number): Uint8Array {
  if (step === 1 && rowBytes % 4 === 0) return unfilterBytes(raw, height, rowBytes);
  const out = new Uint8Array(height * rowBytes);
  for (let y = 0; y < height; y++) {
    const from = y * (rowBytes + 1) + 1;
    const to = y * rowBytes;
    const filter = raw[from - 1]!;
    // The row above the first is all zero: Up then copies, Paeth is Sub, and Average halves the left byte.
    if (filter === 0 || (filter === 2 && y === 0)) out.set(raw.subarray(from, from + rowBytes), to);
    else if (filter === 1 || (filter === 4 && y === 0)) sub(raw, from, out, to, rowBytes, step);
    else if (filter === 2) up(raw, from, out, to, rowBytes);
    else if (filter === 3) average(raw, from, out, to, rowBytes, step, y > 0);
    else if (filter === 4) paeth(raw, from, out, to, rowBytes, step);
    else throw unknownFilter(y, filter);
  }
  return out;
}

function sub(raw: Uint8Array, from: number, out: Uint8Array, to: number, n: number, step: number): void {
  for (let i = 0; i < step && i < n; i++) out[to + i] = raw[from + i]!;
  for (let i = step; i < n; i++) out[to + i] = raw[from + i]! + out[to + i - step]!;
}

function up(raw: Uint8Array, from: number, out: Uint8Array, to: number, n: number): void {
  const above = to - n;
  for (let i = 0; i < n; i++) out[to + i] = raw[from + i]! + out[above + i]!;
}

function average(
  raw: Uint8Array,
  from: number,
  out: Uint8Array,
  to: number,
  n: number,
  step: number,
  hasAbove: boolean,
): void {
  for (let i = 0; i < n; i++) {
    const left = i < step ? 0 : out[to + i - step]!;
    const above = hasAbove ? out[to + i - n]! : 0;
    out[to + i] = raw[from + i]! + ((left + above) >> 1);
  }
}

function paeth(raw: Uint8Array, from: number, out: Uint8Array, to: number, n: number, step: number): void {
  const above = to - n;
  for (let i = 0; i < step && i < n; i++) out[to + i] = raw[from + i]! + out[above + i]!;
  for (let i = step; i < n; i++) {
    const a = out[to + i - step]!;
    const b = out[above + i]!;
    const c = out[above + i - step]!;
    const pa = Math.abs(b - c);
    const pb = Math.abs(a - c);
    const pc = Math.abs(a + b - 2 * c);
    out[to + i] = raw[from + i]! + (pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
  }
}
