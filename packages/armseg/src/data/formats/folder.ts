import { join } from "node:path";
import { DataError } from "../data-error.ts";
import type { ClassInfo, Dataset, LabelMap, Sample } from "../sample.ts";
import { pickSamples } from "../split-names.ts";
import { IMAGE_FILE, listFiles, MASK_FILE } from "./list-files.ts";
import { pairFiles, unpairedNotes } from "./pair-files.ts";

export interface FolderOptions {
  /** Shown in logs. Default `folder`. */
  readonly name?: string;
  readonly split: string;
  /** Folder of pictures, searched with its sub-folders. */
  readonly images: string;
  /** Folder of PNG masks; absent for pictures without labels. */
  readonly masks?: string;
  /** What image stems end in beyond the common name, e.g. `_leftImg8bit`. */
  readonly imageEnding?: string;
  /** What mask stems end in beyond the common name, e.g. `_L`. */
  readonly maskEnding?: string;
  /** Keep only samples of these names (a split list). */
  readonly names?: readonly string[];
  readonly classes: readonly ClassInfo[];
  /** Values or colours of the masks to class indices. */
  readonly labelMap: LabelMap;
}

/**
 * A folder of pictures and a folder of masks, paired by stem.
 *
 * @throws {DataError} If a folder is missing, nothing pairs, a listed name is missing, or the label map names a class that does not exist.
 */
export async function folder(options: FolderOptions): Promise<Dataset> {
  checkLabelMap(options.labelMap, options.classes.length, options.images);
  const { masks: maskFolder, labelMap } = options;
  const images = await listFiles(options.images, IMAGE_FILE);
  const masks = maskFolder ? await listFiles(maskFolder, MASK_FILE) : images;
  const endings = {
    image: options.imageEnding ?? "",
    mask: (maskFolder ? options.maskEnding : options.imageEnding) ?? "",
  };
  const { pairs, imagesAlone, masksAlone } = pairFiles(images, masks, endings);
  const samples = pairs.map(({ name, image, mask }): Sample => {
    const picture = { name, image: join(options.images, image) };
    if (!maskFolder) return picture;
    return { ...picture, annotation: { kind: "mask", path: join(maskFolder, mask), labelMap } };
  });
  if (samples.length === 0) throw new DataError(nothingPairs(options, images, masks), options.images);
  const dataset: Dataset = {
    name: options.name ?? "folder",
    split: options.split,
    classes: options.classes,
    samples,
    notes: unpairedNotes(imagesAlone, masksAlone),
    unpaired: [...imagesAlone, ...masksAlone],
  };
  return options.names ? pickSamples(dataset, options.names) : dataset;
}

function nothingPairs(options: FolderOptions, images: readonly string[], masks: readonly string[]): string {
  const found = `${images.length} pictures in ${options.images} and ${masks.length} PNG masks in ${options.masks}`;
  const example =
    images[0] && masks[0]
      ? `, e.g. ${images[0]} and ${masks[0]}; set data.imageEnding or data.maskEnding`
      : "";
  return `folder(): ${found}, but none share a name${example}`;
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
