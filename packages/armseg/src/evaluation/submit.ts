import { join } from "node:path";
import sharp from "sharp";
import { argumentError } from "../core/argument-error.ts";
import { writeNewFile } from "../core/atomic-file.ts";
import type { LabelImage } from "./maps.ts";

/** What a benchmark's server wants: 8-bit grey PNGs with its own values, under its own names. */
export interface SubmissionFormat {
  /** For messages. */
  readonly benchmark: string;
  /** The file's value of each class; its length is the number of classes. */
  readonly values: readonly number[];
  /** `[height, width]` that the server insists on; absent where it is the image's. */
  readonly size?: readonly [height: number, width: number];
  /** Returns the name of the file for an image, given the image's name with or without folder and suffix. */
  fileName(imageName: string): string;
}

/**
 * Returns the format of Cityscapes: label **ids** (not train ids), named as the image, 1024×2048.
 *
 * The server finds the image by `<city>_<sequence>_<frame>` at the start of the name.
 *
 * @param labelIds - Label id of each class, `CITYSCAPES_LABEL_IDS`.
 */
export function cityscapesSubmission(labelIds: readonly number[]): SubmissionFormat {
  return {
    benchmark: "Cityscapes",
    values: labelIds,
    size: [1024, 2048],
    fileName: (imageName) => {
      const frame = baseName(imageName).replace(/_leftImg8bit$/, "");
      if (!/^[^_]+_\d{6}_\d{6}$/.test(frame))
        throw argumentError(
          "cityscapesSubmission",
          "a frame's name such as berlin_000123_000019",
          imageName,
          "submit predictions of Cityscapes' own images",
        );
      return `${frame}_leftImg8bit.png`;
    },
  };
}

/** Returns the format of ADE20K scene parsing: class + 1 (0 is "other" and never predicted), named as the image. */
export function ade20kSubmission(): SubmissionFormat {
  return {
    benchmark: "ADE20K",
    values: Array.from({ length: 150 }, (_, c) => c + 1),
    fileName: (imageName) => `${baseName(imageName)}.png`,
  };
}

/** Returns the last part of a path or URL without the suffix of an image. */
function baseName(name: string): string {
  return name
    .slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1)
    .replace(/\.(png|jpe?g)$/i, "");
}

/**
 * Encodes a prediction as the server wants it.
 *
 * @param prediction - Classes; nothing may be ignored.
 * @throws {RangeError} If a value is no class, or the size is not the benchmark's.
 */
export async function encodeSubmission(
  format: SubmissionFormat,
  prediction: LabelImage,
): Promise<Uint8Array> {
  const { height, width, data } = prediction;
  checkSize(format, prediction);
  const values = Uint8Array.from(format.values);
  const mapped = data.map((value, pixel) => {
    if (value < values.length) return values[value]!;
    const where = `row ${Math.floor(pixel / width)}, column ${pixel % width}`;
    const expected = `classes 0..${values.length - 1} of ${format.benchmark}`;
    throw argumentError("encodeSubmission", expected, `${value} at ${where}`);
  });
  return sharp(mapped, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png({ compressionLevel: 9 })
    .toBuffer();
}

function checkSize({ benchmark, size }: SubmissionFormat, { height, width }: LabelImage): void {
  if (!size || (size[0] === height && size[1] === width)) return;
  throw argumentError(
    "encodeSubmission",
    `predictions of ${size[0]}×${size[1]} pixels for ${benchmark}`,
    `${height}×${width}`,
    "predict at the size of the image on disk",
  );
}

/**
 * Writes the prediction of an image into a folder, whole or not at all, and returns the file's path.
 *
 * @param imageName - Sets the file's name.
 * @throws {Error} If the file exists and `overwrite` is not set, or the prediction does not suit the benchmark.
 */
export async function writeSubmission(
  folder: string,
  format: SubmissionFormat,
  imageName: string,
  prediction: LabelImage,
  options: { readonly overwrite?: boolean } = {},
): Promise<string> {
  const path = join(folder, format.fileName(imageName));
  writeNewFile("writeSubmission", path, await encodeSubmission(format, prediction), options);
  return path;
}
