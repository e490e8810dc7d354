import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DataError } from "./data-error.ts";
import { listFiles, MASK_FILE } from "./formats/list-files.ts";
import { readText } from "./formats/text-file.ts";

/** The formats that a configuration can be written for from the files alone. */
export const DETECTED_FORMATS = [
  "folder",
  "labelme",
  "coco",
  "coco-panoptic",
  "cvat",
  "cityscapes",
  "ade20k",
  "camvid",
] as const;
export type DetectedFormat = (typeof DETECTED_FORMATS)[number];

/** How a data set lies on the disk. */
export interface DetectedData {
  readonly format: DetectedFormat;
  /** Folder of the data set, or its annotation file. */
  readonly root?: string;
  readonly images?: string;
  readonly masks?: string;
  /** Of formats whose splits lie in two places. */
  readonly train?: { readonly root: string; readonly images: string };
  readonly val?: { readonly root: string; readonly images: string };
}

const JSON_FILE = /\.json$/i;

/**
 * Finds out how a data set is annotated.
 *
 * @param images - Folder of images, or of a whole data set.
 * @param annotations - Folder of masks or of LabelMe's JSON files, or a file of COCO or CVAT. None for data sets of one folder.
 * @param format - Taken as given. Default: what the files say.
 * @throws {DataError} If nothing is recognised, or the format needs annotations and has none.
 */
export async function detectData(
  images: string,
  annotations?: string,
  format?: DetectedFormat,
): Promise<DetectedData> {
  const found =
    format ?? (annotations === undefined ? await formatOfFolder(images) : await formatOf(annotations));
  return await places(found, images, annotations);
}

async function places(format: DetectedFormat, images: string, annotations?: string): Promise<DetectedData> {
  switch (format) {
    case "cityscapes":
    case "ade20k":
    case "camvid":
      return { format, root: images };
    case "folder":
      return { format, images, masks: needed(annotations, images, "the folder of masks") };
    case "labelme":
      return annotations === undefined ? { format, root: images } : { format, root: annotations, images };
    case "coco":
      if (annotations === undefined && roboflowFile(images, "train")) return roboflow(images);
      return { format, root: needed(annotations, images, "the JSON file"), images };
    case "coco-panoptic": {
      const root = needed(annotations, images, "the JSON file");
      return { format, root, images, masks: panopticMasks(root) };
    }
    case "cvat":
      return { format, root: needed(annotations, images, "annotations.xml"), images };
  }
}

function needed(annotations: string | undefined, images: string, what: string): string {
  if (annotations !== undefined) return annotations;
  throw new DataError(
    `detectData(): expected ${what} beside ${images}: armseg init ${images} ANNOTATIONS`,
    images,
  );
}

/** COCO's layout: the PNGs lie in a folder named after the file. */
function panopticMasks(root: string): string {
  const masks = join(dirname(root), basename(root).replace(JSON_FILE, ""));
  if (existsSync(masks)) return masks;
  throw new DataError(`detectData(): expected the PNGs of ${root} in ${masks}; set data.masks by hand`, root);
}

const ROBOFLOW_FILE = "_annotations.coco.json";

function roboflowFile(folder: string, split: string): string | undefined {
  const file = join(folder, split, ROBOFLOW_FILE);
  return existsSync(file) ? file : undefined;
}

function roboflow(folder: string): DetectedData {
  const split = (name: string) => ({ root: join(folder, name, ROBOFLOW_FILE), images: join(folder, name) });
  return { format: "coco", train: split("train"), val: split("valid") };
}

/** The format of a data set that lies in one folder. */
async function formatOfFolder(folder: string): Promise<DetectedFormat> {
  const has = (...parts: string[]) => existsSync(join(folder, ...parts));
  if (has("leftImg8bit")) return "cityscapes";
  if (has("images", "training") && has("annotations", "training")) return "ade20k";
  if (["trainannot", "train_labels", "701_StillsRaw_full"].some((name) => has(name))) return "camvid";
  if (roboflowFile(folder, "train")) return "coco";
  if (await holdsLabelme(folder)) return "labelme";
  throw new DataError(
    `detectData(): expected annotations beside the images of ${folder}, found none: armseg init ${folder} MASKS-OR-ANNOTATIONS; name the folder twice where masks lie among its images`,
    folder,
  );
}

/** The format of annotations that are not the images' own folder. */
async function formatOf(annotations: string): Promise<DetectedFormat> {
  const stats = statSync(annotations, { throwIfNoEntry: false });
  if (!stats) throw new DataError(`detectData(): ${annotations} does not exist`, annotations);
  if (!stats.isDirectory()) return await formatOfFile(annotations);
  if ((await listFiles(annotations, MASK_FILE)).length > 0) return "folder";
  if (await holdsLabelme(annotations)) return "labelme";
  const files = await listFiles(annotations, /\.(json|xml)$/i);
  if (files.length === 0) return "folder"; // which says what it misses
  const [first] = files as [string];
  throw new DataError(
    `detectData(): expected PNG masks or LabelMe's JSON files in ${annotations}, got ${first}; name a file of COCO or CVAT itself: ${join(annotations, first)}`,
    annotations,
  );
}

async function formatOfFile(path: string): Promise<DetectedFormat> {
  const text = await readText(path);
  if (/^\s*</.test(text) && text.includes("<annotations")) return "cvat";
  const keys = keysOf(text);
  if (keys.has("categories") && keys.has("annotations"))
    return text.includes('"segments_info"') ? "coco-panoptic" : "coco";
  const reason = keys.has("shapes")
    ? "is of one image, as LabelMe writes it: name its folder"
    : "is none of these";
  throw new DataError(
    `detectData(): expected a JSON file of COCO or an XML file of CVAT, but ${path} ${reason}; --format says what it is`,
    path,
  );
}

function keysOf(text: string): ReadonlySet<string> {
  try {
    return new Set(Object.keys(JSON.parse(text) as object));
  } catch {
    return new Set();
  }
}

/** Whether the first JSON file of a folder is LabelMe's. */
async function holdsLabelme(folder: string): Promise<boolean> {
  const [first] = await listFiles(folder, JSON_FILE);
  return first !== undefined && keysOf(await readText(join(folder, first))).has("shapes");
}
