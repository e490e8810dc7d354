import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { requireRegularFile } from "../../core/regular-file.ts";
import { DataError } from "../data-error.ts";
import type { Dataset, Sample } from "../sample.ts";
import { readJson } from "./json-file.ts";
import { type LabelmeFile, labelmeFile } from "./labelme-shapes.ts";
import { findFile, leadsOut, listFiles, withSlashes } from "./list-files.ts";
import { type NamedLabelOptions, namedLabels, uncolored } from "./named-labels.ts";
import { sampleName, stemOf, unpairedNotes } from "./pair-files.ts";
import { doubleLabels } from "./sample-names.ts";

export interface LabelmeOptions extends NamedLabelOptions {
  readonly split: string;
  /** Where the images are, if not beside the JSON files. */
  readonly images?: string;
}

/** Tried, with the stem of the JSON, where the file's own `imagePath` does not lead to an image. */
const IMAGE_TYPES = ["jpg", "jpeg", "png", "JPG", "JPEG", "PNG", "webp", "tif", "tiff"];

/**
 * Reads a folder of LabelMe JSON files (versions 3 to 5), one per image; every shape type is read. `__ignore__` is ignored.
 *
 * The image is the file that `imagePath` names, else that of the same stem beside the JSON, else the one embedded in
 * `imageData`. A JSON without any is left out and told in the notes.
 *
 * @throws {DataError} If the folder is missing, a file cannot be read, or none has an image.
 */
export async function labelme(annotations: string, options: LabelmeOptions): Promise<Dataset> {
  const files = await listFiles(annotations, /\.json$/i);
  const names = new Set<string>();
  const found: { name: string; path: string; image: string }[] = [];
  const alone: string[] = [];
  for (const file of files) {
    const path = join(annotations, file);
    const content = await readJson(path, labelmeFile);
    for (const { label } of content.shapes) names.add(label);
    // LabelMe itself writes ../images/a.jpg, from the folder of the JSON; but it leads no further out.
    const root = options.images ?? dirname(resolve(annotations));
    const image = await findImage(path, content, root, options.images);
    if (image) found.push({ name: sampleName(file), path, image });
    else alone.push(file);
  }
  if (found.length === 0) throw noImage(annotations, files);
  const { classes, labelMap, background, problems } = namedLabels(uncolored(names), options, annotations);
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
    problems: [
      ...problems,
      ...doubleLabels(
        found.map(({ name, path, image }) => ({ sample: name, image, label: path })),
        "delete one, or set its imagePath to its own image",
      ),
    ],
  };
}

async function findImage(
  path: string,
  file: LabelmeFile,
  root: string,
  images?: string,
): Promise<string | undefined> {
  const relative = withSlashes(file.imagePath ?? "");
  const stem = stemOf(basename(path), "");
  const named = [relative, basename(relative)].filter((name) => name !== "");
  const folder = images ?? dirname(path);
  const candidates = [...named, ...IMAGE_TYPES.map((type) => `${stem}.${type}`)]
    .map((name) => findFile(folder, name) ?? join(folder, name))
    .filter((candidate) => !leadsOut(root, candidate));
  for (const candidate of candidates) if (await hasImageSignature(candidate)) return candidate;
  if (file.imageData) return path;
  // A damaged image is not left out in silence: it is named when it is read.
  return candidates.find((candidate) => existsSync(candidate) && IMAGE_TYPES.includes(typeOf(candidate)));
}

function typeOf(path: string): string {
  return extname(path).slice(1);
}

function noImage(folder: string, files: readonly string[]): DataError {
  const [first] = files;
  const example = first === undefined ? "" : `, e.g. ${first}`;
  return new DataError(
    `labelme(): ${files.length} JSON files in ${folder}, but none leads to an image${example}: expected imagePath ` +
      "to name an image, one of the same name beside the JSON, or imageData inside it; set data.images to the " +
      "folder of the images, or save the files with their image data",
    first === undefined ? folder : join(folder, first),
  );
}

/** What JPEG, PNG, GIF, WebP and TIFF files begin with, in Latin-1. */
const STARTS = ["\xff\xd8\xff", "\x89PNG\r\n\x1a\n", "GIF8", "RIFF", "II*\0", "II+\0", "MM\0*", "MM\0+"];

/** Whether a file exists and begins as an image does; what follows may still be damaged. */
async function hasImageSignature(path: string): Promise<boolean> {
  try {
    requireRegularFile(path);
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
    const found = buffer.toString("latin1", 0, bytesRead);
    return STARTS.some((start) => found.startsWith(start));
  } catch {
    return false;
  }
}
