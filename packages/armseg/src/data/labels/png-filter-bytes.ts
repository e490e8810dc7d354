/**
 * Undoes PNG's row filters of images whose pixels have one byte or less: label masks, the bulk of what is read.
 *
 * Most of a mask's filtered bytes are 0 and most of its pixels equal their neighbours, so four bytes are looked at at once.
 *
 * @param raw - `height` rows of one filter byte and `n` filtered bytes.
 * @param n - A multiple of 4.
 * @returns `height * n` bytes.
 * @throws If a filter byte is not 0..4.
 */
export function unfilterBytes(raw: Uint8Array, height: number, n: number): Uint8Array {
  const out = rowsOf(new Uint8Array(height * n));
  const filtered = rowsOf(new Uint8Array(n));
  // The row above the first is all zero.
  const zeros = rowsOf(new Uint8Array(n));
  for (let y = 0; y < height; y++) {
    const from = y * (n + 1) + 1;
    const filter = raw[from - 1]!;
    const row = raw.subarray(from, from + n);
    if (filter === 0) {
      out.bytes.set(row, y * n);
      continue;
    }
    filtered.bytes.set(row);
    const [above, at] = y === 0 ? [zeros, 0] : [out, (y - 1) * n];
    if (filter === 1) sub(filtered, out, y * n);
    else if (filter === 2) up(filtered.words, above.words, at >> 2, out.words, (y * n) >> 2);
    else if (filter === 3) average(filtered.bytes, above.bytes, at, out.bytes, y * n);
    else if (filter === 4) paeth(filtered, above, at, out, y * n);
    else throw unknownFilter(y, filter);
  }
  return out.bytes;
}

/** The same memory as bytes and as words of four. */
interface Rows {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

function rowsOf(bytes: Uint8Array): Rows {
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) };
}

/** Returns the error of a row whose filter byte is none. */
export function unknownFilter(row: number, filter: number): Error {
  return new Error(`a damaged PNG: row ${row} has filter ${filter}, expected 0 to 4`);
}

function sub({ bytes, words }: Rows, out: Rows, to: number): void {
  const { bytes: outBytes, words: outWords } = out;
  let left = 0;
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) {
      outWords[(to >> 2) + w] = left * 0x01010101;
      continue;
    }
    for (let i = 4 * w; i < 4 * w + 4; i++) {
      left = (left + bytes[i]!) & 255;
      outBytes[to + i] = left;
    }
  }
}

/**
 * Adds four bytes at a time: the high bits apart, so that nothing is carried over from one to the next.
 *
 * @param at - First word of the row above.
 * @param to - First word of the row.
 */
function up(filtered: Int32Array, above: Int32Array, at: number, out: Int32Array, to: number): void {
  for (let w = 0; w < filtered.length; w++) {
    const a = filtered[w]!;
    const b = above[at + w]!;
    out[to + w] = a === 0 ? b : ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080);
  }
}

function average(filtered: Uint8Array, above: Uint8Array, at: number, out: Uint8Array, to: number): void {
  let left = 0;
  for (let i = 0; i < filtered.length; i++) {
    left = (filtered[i]! + ((left + above[at + i]!) >> 1)) & 255;
    out[to + i] = left;
  }
}

/** @param at - First byte of the row above. @param to - First byte of the row. */
function paeth({ bytes, words }: Rows, above: Rows, at: number, out: Rows, to: number): void {
  const { bytes: aboveBytes, words: aboveWords } = above;
  const { bytes: outBytes, words: outWords } = out;
  let left = 0;
  let corner = 0;
  for (let w = 0; w < words.length; w++) {
    const top = aboveWords[(at >> 2) + w]!;
    // Nothing to add, and all neighbours alike: so are the four.
    if (words[w] === 0 && left === corner && top === (left * 0x01010101) >> 0) {
      outWords[(to >> 2) + w] = top;
      continue;
    }
    for (let i = 4 * w; i < 4 * w + 4; i++) {
      const over = aboveBytes[at + i]!;
      left = (bytes[i]! + nearest(left, over, corner)) & 255;
      outBytes[to + i] = left;
      corner = over;
    }
  }
}

/** Paeth's predictor: of the bytes to the left, above and in the corner the one nearest to left + above − corner. */
function nearest(left: number, above: number, corner: number): number {
  if (left === corner) return above;
  if (above === corner) return left;
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
}
