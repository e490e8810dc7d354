/** First column, first row, column step and row step of Adam7's passes (ISO/IEC 15948, clause 8). */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** What of a PNG's header an interlaced image is put together by. */
interface Interlaced {
  readonly height: number;
  readonly width: number;
  readonly bitDepth: number;
  readonly channels: number;
}

type DecodeRows = (
  raw: Uint8Array,
  height: number,
  width: number,
  bitDepth: number,
  channels: number,
) => Uint8Array | Uint16Array;

/**
 * Puts the seven passes of an interlaced PNG together.
 *
 * @param raw - The inflated image data.
 * @param decodeRows - Decodes one pass as if it were an image of its own.
 * @returns Samples, row-major, interleaved.
 */
export function deinterlace(
  header: Interlaced,
  raw: Uint8Array,
  decodeRows: DecodeRows,
): Uint8Array | Uint16Array {
  const { height, width, bitDepth, channels } = header;
  const out =
    bitDepth === 16 ? new Uint16Array(height * width * channels) : new Uint8Array(height * width * channels);
  let at = 0;
  for (const [x0, y0, dx, dy] of PASSES) {
    const passWidth = Math.ceil((width - x0) / dx);
    const passHeight = Math.ceil((height - y0) / dy);
    if (passWidth <= 0 || passHeight <= 0) continue;
    const pass = decodeRows(raw.subarray(at), passHeight, passWidth, bitDepth, channels);
    at += passHeight * (1 + Math.ceil((passWidth * bitDepth * channels) / 8));
    for (let y = 0, i = 0; y < passHeight; y++)
      for (let x = 0; x < passWidth; x++)
        for (let c = 0; c < channels; c++)
          out[((y0 + y * dy) * width + x0 + x * dx) * channels + c] = pass[i++]!;
  }
  return out;
}
