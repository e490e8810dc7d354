import { basename, join } from "node:path";
import { DataError, messageOf } from "./data-error.ts";
import { listFiles } from "./formats/list-files.ts";
import { stemOf } from "./formats/pair-files.ts";
import { decodePng } from "./labels/png.ts";
import { readBytes } from "./labels/raw-mask.ts";
import { parseNpy } from "./npy.ts";
import type { Dataset } from "./sample.ts";

/** A weight per pixel, row-major, finite and not negative. */
export interface WeightMap {
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/**
 * Read a per-pixel weight map.
 *
 * PNG: grey, 8 or 16 bits, full scale is 1. NPY: `[height, width]`, float32 or float64 as they are, uint8 divided by 255.
 *
 * @param size - `[height, width]` that the map must have, in pixels.
 * @throws {DataError} If the file is damaged, of another type or size, or has a weight that is negative or not finite.
 */
export async function readWeights(path: string, size?: readonly [number, number]): Promise<WeightMap> {
  const bytes = await readBytes(path);
  let map: WeightMap;
  try {
    map = /\.npy$/i.test(path) ? npyWeights(bytes) : pngWeights(bytes);
    checkWeights(map);
  } catch (cause) {
    throw new DataError(`readWeights(): ${path}: ${messageOf(cause)}`, path, cause);
  }
  if (size && (map.height !== size[0] || map.width !== size[1]))
    throw new DataError(
      `readWeights(): ${path} is ${map.height}x${map.width}, its label ${size[0]}x${size[1]}`,
      path,
    );
  return map;
}

function pngWeights(bytes: Uint8Array): WeightMap {
  const png = decodePng(bytes);
  if (png.colorType !== 0) throw new Error("a PNG that is not grey; export weights as a grey PNG");
  const scale = 1 / (2 ** png.bitDepth - 1);
  return {
    height: png.height,
    width: png.width,
    data: Float32Array.from(png.data, (value) => value * scale),
  };
}

function npyWeights(bytes: Uint8Array): WeightMap {
  const { shape, data } = parseNpy(bytes);
  const [height, width, ...rest] = shape;
  if (height === undefined || width === undefined || rest.length > 0)
    throw new Error(`an array of shape [${shape.join(", ")}], expected [height, width]`);
  if (data instanceof Float32Array) return { height, width, data };
  const scale = data instanceof Uint8Array ? 1 / 255 : 1;
  return { height, width, data: Float32Array.from(data as ArrayLike<number>, (value) => value * scale) };
}

function checkWeights({ data, width }: WeightMap): void {
  const at = data.findIndex((value) => !(value >= 0 && value < Number.POSITIVE_INFINITY));
  if (at >= 0)
    throw new Error(
      `weight ${data[at]} at row ${Math.floor(at / width)}, column ${at % width}, expected finite and at least 0`,
    );
}

/**
 * Give every sample its weight map from a folder, paired by stem.
 *
 * @throws {DataError} If the folder is missing or a sample has no map.
 */
export async function withWeights(dataset: Dataset, folder: string): Promise<Dataset> {
  const files = await listFiles(folder, /\.(png|npy)$/i);
  // By path where the sample's name has one, else by file name: weight maps may lie in sub-folders of their own.
  const byName = new Map([
    ...files.map((file) => [basename(stemOf(file, "")), file] as const),
    ...files.map((file) => [stemOf(file, "").replaceAll("/", "__"), file] as const),
  ]);
  const samples = dataset.samples.map((sample) => {
    const file = byName.get(sample.name);
    if (file === undefined)
      throw new DataError(`withWeights(): ${folder} has no weight map ${sample.name}.png or .npy`, folder);
    return { ...sample, weights: join(folder, file) };
  });
  return { ...dataset, samples };
}
