import fs from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import * as z from "zod";
import { writeFileAtomically } from "../../core/atomic-file.ts";
import { readJsonLines } from "../audit/json-lines.ts";

const channel = z.int().min(0).max(255);
const file = z.string().min(1);

/** `maps.json`: whose predictions a folder holds. */
export const mapsInfoSchema = z.object({
  version: z.literal(1),
  /** Name of the run. */
  run: z.string(),
  /** Name of the checkpoint's file. */
  checkpoint: z.string(),
  /** Of the checkpoint; `null` for a file that is not the run's. */
  iteration: z.int().min(0).nullable(),
  /** Split of the run's data; `null` for images of the user's. */
  split: z.string().nullable(),
  /** Indicator of the confidence. */
  indicator: z.string(),
  /** Index = class index. */
  classes: z.array(z.object({ name: z.string(), color: z.tuple([channel, channel, channel]) })),
});
export type MapsInfo = z.output<typeof mapsInfoSchema>;

/** A line of `images.jsonl`: an image and its maps. */
export const mapsImageSchema = z.object({
  /** Name of the sample, unique within the folder. */
  image: z.string().min(1),
  /** Relative to the maps' folder where it lies below it, with `/`. */
  imageFile: file,
  /** The values of the image that are shown black and white, where its configuration says so. */
  imageRange: z.tuple([z.number(), z.number()]).optional(),
  /** `[height, width]` of the maps. */
  size: z.tuple([z.int().positive(), z.int().positive()]),
  /** PNG files of that size, relative to the maps' folder, with `/`. */
  planes: z.object({
    /** Indexed: the class of the label, 255 where there is none. `null` where the image has no label. */
    label: file.nullable(),
    /** Indexed: the predicted class. */
    prediction: file,
    /** 8-bit grey: confidence u, 0..255 for -1..1. */
    confidence: file,
  }),
  /** Pixels by label and prediction, those that occur; `null` where the image has no label. */
  confusion: z.array(z.tuple([z.int(), z.int(), z.int().positive()])).nullable(),
});
export type MapsImage = z.output<typeof mapsImageSchema>;

export interface MapsPaths {
  readonly folder: string;
  /** Its presence makes a folder one of maps. */
  readonly info: string;
  readonly images: string;
}

/** Returns where everything of a folder of maps lies; touches nothing on the disk. */
export function mapsPaths(folder: string): MapsPaths {
  return { folder, info: join(folder, "maps.json"), images: join(folder, "images.jsonl") };
}

/** Tells whether a folder holds maps. */
export function isMapsFolder(folder: string): boolean {
  return fs.existsSync(mapsPaths(folder).info);
}

/** Reads what a folder of maps says of itself. @throws {Error} If it holds none, or `maps.json` is damaged. */
export function readMapsInfo(folder: string): MapsInfo {
  const { info } = mapsPaths(folder);
  try {
    return mapsInfoSchema.parse(JSON.parse(fs.readFileSync(info, "utf8")));
  } catch (cause) {
    throw new Error(
      `readMapsInfo(): expected ${info} to describe maps, which it does not; make them anew with armseg eval --maps or armseg predict --maps`,
      { cause },
    );
  }
}

/** Yields the images of a folder of maps, also while it is being written. @throws {Error} Naming file and line, if one is no image. */
export function readMapsImages(folder: string): AsyncGenerator<MapsImage> {
  return readJsonLines(mapsPaths(folder).images, mapsImageSchema);
}

/** Begins a folder of maps, in place of the list that it held; files of planes are replaced as they are written. */
export function createMapsFolder(folder: string, info: MapsInfo): void {
  const paths = mapsPaths(folder);
  fs.mkdirSync(folder, { recursive: true });
  writeFileAtomically(paths.images, "");
  writeFileAtomically(paths.info, `${JSON.stringify(info, null, 2)}\n`);
}

/** Adds an image whose planes are written; several processes may do so at once. */
export function appendMapsImage(folder: string, image: MapsImage): void {
  const imageFile = isAbsolute(image.imageFile) ? portable(folder, image.imageFile) : image.imageFile;
  const { images } = mapsPaths(folder);
  try {
    fs.appendFileSync(images, `${JSON.stringify({ ...image, imageFile })}\n`);
  } catch (cause) {
    throw new Error(`appendMapsImage(): could not write ${images}: ${(cause as Error).message}`, { cause });
  }
}

/** A path within the folder as one that moves with it; others stay. */
function portable(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside.startsWith("..") || isAbsolute(inside) ? path : inside.split(sep).join("/");
}
