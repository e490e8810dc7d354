/** What a file begins with, in Latin-1 from a byte on, and what such files are called. */
const KINDS: readonly (readonly [number, string, string])[] = [
  [0, "\xff\xd8\xff", "a JPEG"],
  [0, "\x89PNG", "a PNG"],
  [0, "GIF8", "a GIF"],
  [0, "BM", "a BMP"],
  [0, "II*\0", "a TIFF"],
  [0, "MM\0*", "a TIFF"],
  [8, "WEBP", "a WebP"],
  [4, "ftypavif", "an AVIF"],
  [4, "ftyphe", "a HEIC"],
  [4, "ftypmif1", "a HEIC"],
  [4, "jP  ", "a JPEG 2000"],
  [4, "JXL ", "a JPEG XL"],
  [0, "\xff\x0a", "a JPEG XL"],
  [0, "8BPS", "a Photoshop file"],
  [0, "%PDF", "a PDF"],
  [0, "\x93NUMPY", "a NumPy array"],
  [128, "DICM", "a DICOM file"],
  [0, "version https://git-lfs", "a Git LFS pointer, without the file itself (git lfs pull fetches it)"],
  [0, "<", "a text in HTML or XML"],
];

/** Returns what a file's first bytes say it is, e.g. `a JPEG`, whatever its name; undefined where they are of no known kind. */
export function kindOfBytes(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString("latin1");
  return KINDS.find(([at, start]) => text.startsWith(start, at))?.[2];
}
