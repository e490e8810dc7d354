import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DataError } from "../data-error.ts";
import type { Dataset, Sample } from "../sample.ts";
import { readJson } from "./json-file.ts";
import { labelmeFile } from "./labelme-shapes.ts";
import { listFiles } from "./list-files.ts";
import { type NamedLabelOptions, namedLabels, uncolored } from "./named-labels.ts";
import { stemOf, unpairedNotes } from "./pair-files.ts";

export interface LabelmeOptions extends NamedLabelOptions {
  readonly split: string;
  /** Where the pictures are, if not beside the JSON files. */
  readonly images?: string;
}

/** Tried where the file's own `imagePath` does not lead to a picture. */
const IMAGE_TYPES = ["jpg", "jpeg", "png", "JPG", "JPEG", "PNG", "webp", "tif", "tiff"];

/**
 * A folder of LabelMe JSON files (versions 3 to 5), one a picture; every shape type is read. `__ignore__` is ignored.
 *
 * @throws {DataError} If the folder is missing, a file cannot be read, or none has a picture.
 */
export async function labelme(annotations: string, options: LabelmeOptions): Promise<Dataset> {
  const files = await listFiles(annotations, /\.json$/i);
  const names = new Set<string>();
  const found: { name: string; path: string; image: string }[] = [];
  const alone: string[] = [];
  for (const file of files) {
    const path = join(annotations, file);
    const { shapes, imagePath } = await readJson(path, labelmeFile);
    for (const { label } of shapes) names.add(label);
    const image = findImage(path, imagePath ?? "", options.images);
    if (image) found.push({ name: stemOf(file, "").replaceAll("/", "__"), path, image });
    else alone.push(file);
  }
  if (found.length === 0)
    throw new DataError(
      `labelme(): ${files.length} JSON files in ${annotations}, but none has its picture beside it; set data.images`,
      annotations,
    );
  const { classes, labelMap, background } = namedLabels(uncolored(names), options, annotations);
  const samples = found.map(({ name, path, image }): Sample => {
    return { name, image, annotation: { kind: "regions", path, format: "labelme", labelMap, background } };
  });
  return {
    name: "labelme",
    split: options.split,
    classes,
    samples,
    notes: unpairedNotes([], alone),
    unpaired: alone,
  };
}

function findImage(path: string, imagePath: string, images: string | undefined): string | undefined {
  // Files written on Windows have backslashes in imagePath.
  const relative = imagePath.replaceAll("\\", "/");
  const folder = images ?? dirname(path);
  const stem = stemOf(basename(path), "");
  const candidates = [relative, basename(relative), ...IMAGE_TYPES.map((type) => `${stem}.${type}`)];
  return candidates
    .filter((candidate) => candidate !== "")
    .map((candidate) => join(folder, candidate))
    .find((candidate) => existsSync(candidate));
}
