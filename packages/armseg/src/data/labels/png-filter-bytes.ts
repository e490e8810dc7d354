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
  const out = new Uint8Array(height * n);
  // The row above the first is all zero.
  let above = rowOf(new Uint8Array(n));
  const filtered = rowOf(new Uint8Array(n));
  for (let y = 0; y < height; y++) {
    const from = y * (n + 1) + 1;
    filtered.bytes.set(raw.subarray(from, from + n));
    const row = rowOf(out.subarray(y * n, (y + 1) * n));
    unfilterRow(raw[from - 1]!, y, filtered, above, row);
    above = row;
  }
  return out;
}

/** The same memory as bytes and as words of four. */
interface Row {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

function rowOf(bytes: Uint8Array): Row {
  return { bytes, words: new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2) };
}

function unfilterRow(filter: number, y: number, filtered: Row, above: Row, out: Row): void {
  if (filter === 0) out.bytes.set(filtered.bytes);
  else if (filter === 1) sub(filtered, out);
  else if (filter === 2) up(filtered.words, above.words, out.words);
  else if (filter === 3) average(filtered.bytes, above.bytes, out.bytes);
  else if (filter === 4) paeth(filtered, above, out);
  else throw unknownFilter(y, filter);
}

/** Returns the error of a row whose filter byte is none. */
export function unknownFilter(row: number, filter: number): Error {
  return new Error(`a damaged PNG: row ${row} has filter ${filter}, expected 0 to 4`);
}

function sub({ bytes, words }: Row, out: Row): void {
  let left = 0;
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) {
      out.words[w] = left * 0x01010101;
      continue;
    }
    for (let i = 4 * w; i < 4 * w + 4; i++) {
      left = (left + bytes[i]!) & 255;
      out.bytes[i] = left;
    }
  }
}

/** Adds four bytes at a time: the high bits apart, so that nothing is carried over from one to the next. */
function up(filtered: Int32Array, above: Int32Array, out: Int32Array): void {
  for (let w = 0; w < out.length; w++) {
    const [a, b] = [filtered[w]!, above[w]!];
    out[w] = a === 0 ? b : ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080);
  }
}

function average(filtered: Uint8Array, above: Uint8Array, out: Uint8Array): void {
  let left = 0;
  for (let i = 0; i < out.length; i++) {
    left = (filtered[i]! + ((left + above[i]!) >> 1)) & 255;
    out[i] = left;
  }
}

function paeth({ bytes, words }: Row, above: Row, out: Row): void {
  let left = 0;
  let corner = 0;
  for (let w = 0; w < words.length; w++) {
    const top = above.words[w]!;
    // Nothing to add, and all neighbours alike: so are the four.
    if (words[w] === 0 && left === corner && top === (left * 0x01010101) >> 0) {
      out.words[w] = top;
      continue;
    }
    for (let i = 4 * w; i < 4 * w + 4; i++) {
      const over = above.bytes[i]!;
      left = (bytes[i]! + nearest(left, over, corner)) & 255;
      out.bytes[i] = left;
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
