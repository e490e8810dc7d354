import type { LabelImage } from "../sample.ts";

const ORIENTATION_TAG = 0x0112;

/**
 * The orientation in an EXIF block, 1 to 8; 1 (upright) where there is none or it is damaged.
 *
 * @param exif - A TIFF header and its first directory, as in PNG's eXIf chunk.
 */
export function exifOrientation(exif: Uint8Array | undefined): number {
  if (!exif || exif.length < 14) return 1;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const littleEndian = view.getUint16(0) === 0x4949;
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > exif.length) return 1;
  const entries = view.getUint16(directory, littleEndian);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= exif.length; i++, at += 12)
    if (view.getUint16(at, littleEndian) === ORIENTATION_TAG)
      return validOrientation(view.getUint16(at + 8, littleEndian));
  return 1;
}

function validOrientation(value: number): number {
  return value >= 1 && value <= 8 ? value : 1;
}

/** Turn a label as a viewer turns the image: by its EXIF orientation (1 to 8). */
export function orientLabel(label: LabelImage, orientation: number): LabelImage {
  if (orientation === 1) return label;
  const swapsSides = orientation >= 5;
  const height = swapsSides ? label.width : label.height;
  const width = swapsSides ? label.height : label.width;
  const flipsX = [2, 3, 7, 8].includes(orientation);
  const flipsY = [3, 4, 6, 7].includes(orientation);
  const data = new Uint8Array(height * width);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      // (row, column) of the stored pixel that is shown at (y, x).
      let [row, column] = swapsSides ? [x, y] : [y, x];
      if (flipsX) column = label.width - 1 - column;
      if (flipsY) row = label.height - 1 - row;
      data[y * width + x] = label.data[row * label.width + column]!;
    }
  return { height, width, data };
}
