import { join } from "node:path";
import { DataError } from "../data-error.ts";
import { checkClasses } from "../labels/check-classes.ts";
import type { ClassInfo, Dataset, LabelMap, Sample } from "../sample.ts";
import { pickSamples } from "../split-names.ts";
import { IMAGE_FILE, listFiles } from "./list-files.ts";
import { type Endings, type Pairs, pairFiles, pairingNotes, pairingProblems } from "./pair-files.ts";
import { pairFolders } from "./pair-folders.ts";
import { unreadFiles } from "./unread-files.ts";

export interface FolderOptions {
  /** Shown in logs. Default `folder`. */
  readonly name?: string;
  readonly split: string;
  /** Folder of images, searched with its sub-folders. */
  readonly images: string;
  /** Folder of PNG masks; absent for images without labels. */
  readonly masks?: string;
  /** What image stems end in beyond the common name, e.g. `_leftImg8bit`; other images are left out. */
  readonly imageEnding?: string;
  /** What mask stems end in beyond the common name, e.g. `_L`; other masks are left out. */
  readonly maskEnding?: string;
  /** Keep only samples of these names (a split list). */
  readonly names?: readonly string[];
  readonly classes: readonly ClassInfo[];
  /** Values or colours of the masks to class indices. */
  readonly labelMap: LabelMap;
  /** Reads grey levels below it, on the scale of 0 to 255, as the value 0 and the others as 255. */
  readonly threshold?: number;
  /** `ignore` ignores pixels whose alpha is 0. Default: they count as what their values or colours say. */
  readonly transparent?: "ignore";
}

/**
 * A folder of images and a folder of masks, paired by stem.
 *
 * @throws {DataError} If a folder is missing, nothing pairs, a listed name is missing, or the label map names a class that does not exist.
 */
export async function folder(options: FolderOptions): Promise<Dataset> {
  checkClasses(options.classes, options.images);
  checkLabelMap(options.labelMap, options.classes.length, options.images);
  const { masks, labelMap, threshold, transparent } = options;
  const reading = {
    labelMap,
    ...(threshold !== undefined && { threshold }),
    ...(transparent && { transparent }),
  };
  const found = masks
    ? await pairFolders(options.images, masks, endingsOf(options))
    : await withoutMasks(options);
  const samples = found.pairs.map(({ name, image, mask }): Sample => {
    const unlabelled = { name, image: join(options.images, image) };
    if (!masks) return unlabelled;
    return { ...unlabelled, annotation: { kind: "mask", path: join(masks, mask), ...reading } };
  });
  const dataset: Dataset = {
    name: options.name ?? "folder",
    split: options.split,
    classes: options.classes,
    samples,
    notes: [...pairingNotes(found), ...(masks ? await unreadFiles(options.images, masks) : [])],
    unpaired: [...found.imagesAlone, ...found.masksAlone],
    problems: pairingProblems(found),
  };
  return options.names ? pickSamples(dataset, options.names) : dataset;
}

function endingsOf({ imageEnding, maskEnding }: FolderOptions): Endings {
  return { ...(imageEnding && { image: imageEnding }), ...(maskEnding && { mask: maskEnding }) };
}

/** Every image is paired with itself, so that those of one name are found here too. */
async function withoutMasks({ images, imageEnding = "" }: FolderOptions): Promise<Pairs> {
  const files = await listFiles(images, IMAGE_FILE);
  const pairs = pairFiles(files, files, { image: imageEnding, mask: imageEnding });
  if (pairs.pairs.length > 0) return { ...pairs, withoutEnding: [...new Set(pairs.withoutEnding)] };
  throw new DataError(
    `folder(): expected images in ${images}, got ${files.length} files; set data.imageEnding`,
    images,
  );
}

/** Check that every entry of a label map is a class index or 255. @throws {DataError} Naming the first that is not. */
export function checkLabelMap(labelMap: LabelMap, classCount: number, path: string): void {
  for (const [key, value] of Object.entries(labelMap.classes))
    if (!Number.isInteger(value) || value < 0 || (value >= classCount && value !== 255))
      throw new DataError(
        `the label map of ${path} sends ${key} to ${value}, expected 0 to ${classCount - 1} or 255 (ignored)`,
        path,
      );
}
