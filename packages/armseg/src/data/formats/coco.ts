import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../data-error.ts";
import type { Annotation, Dataset, LabelMap, Region, Sample } from "../sample.ts";
import {
  type CocoCategory,
  type CocoImage,
  type CocoSegmentation,
  cocoFile,
  cocoLists,
  cocoPanopticFile,
} from "./coco-file.ts";
import { readJson } from "./json-file.ts";
import { generatedColor, type NamedLabelOptions, type NamedLabels, namedLabels } from "./named-labels.ts";
import { stemOf, unpairedNotes } from "./pair-files.ts";

export interface CocoOptions extends NamedLabelOptions {
  readonly split: string;
  /** The folder of pictures that `file_name` starts from. */
  readonly images: string;
}

export interface CocoMaskOptions extends CocoOptions {
  /** The folder of PNGs. */
  readonly masks: string;
}

export interface CocoPanopticOptions extends CocoMaskOptions {
  /** `ids`: red + 256 green + 65536 blue is the segment (default). `twoChannel`: red is the category. */
  readonly form?: "ids" | "twoChannel";
}

/**
 * COCO instances or stuff: polygons, run lengths and compressed run lengths, painted in the order of the file (crowds too).
 *
 * A category that does not cover a pixel leaves it to {@link NamedLabelOptions.background}: ignored by default. Images without annotations are left out and noted.
 *
 * @param path - `instances_*.json` or `stuff_*.json`.
 * @throws {DataError} If the file is of another form, names an unknown image or category, or no picture is found.
 */
export async function coco(path: string, options: CocoOptions): Promise<Dataset> {
  const file = await readJson(path, cocoFile);
  const named = namedLabels(categoryClasses(file.categories), options, path);
  const nameOf = new Map(file.categories.map(({ id, name }) => [id, name]));
  const regionsOf = new Map<number, Region[]>(file.images.map(({ id }) => [id, []]));
  file.annotations.forEach(({ image_id, category_id, segmentation }, i) => {
    const regions = regionsOf.get(image_id);
    const label = nameOf.get(category_id);
    if (!regions || label === undefined)
      throw new DataError(
        `coco(): annotation ${i} of ${path} has image ${image_id}, category ${category_id}: not listed`,
        path,
      );
    for (const shape of shapesOf(segmentation)) regions.push({ label, shape });
  });
  return dataset("coco", path, file.images, named, options, ({ id, height, width }) => {
    const regions = regionsOf.get(id)!;
    if (regions.length === 0) return undefined;
    const { labelMap, background } = named;
    return {
      kind: "regions",
      path,
      format: "inline",
      regions,
      labelMap,
      background,
      size: [height, width],
      fill: "centres",
    };
  });
}

/** Each polygon is a region of its own, since polygons of an instance join and do not cut holes. */
function shapesOf(segmentation: CocoSegmentation | undefined): Region["shape"][] {
  if (!segmentation) return [];
  if (Array.isArray(segmentation)) return segmentation.map((ring) => ({ kind: "polygon", rings: [ring] }));
  const [height, width] = segmentation.size;
  return [{ kind: "rle", height, width, counts: segmentation.counts }];
}

/**
 * COCO panoptic: PNGs whose colour is a segment, with the segments' categories in the JSON; things and stuff become classes alike.
 *
 * @param path - `panoptic_*.json`.
 * @throws {DataError} If the file is of another form, names an unknown image or category, or no picture is found.
 */
export async function cocoPanoptic(path: string, options: CocoPanopticOptions): Promise<Dataset> {
  const file = await readJson(path, cocoPanopticFile);
  const named = namedLabels(categoryClasses(file.categories), options, path);
  const classOf = categoryIndex(file.categories, named, path);
  const annotationOf = new Map(file.annotations.map((annotation) => [annotation.image_id, annotation]));
  const twoChannel = categoryValues(file.categories, named);
  return dataset("coco panoptic", path, file.images, named, options, ({ id }) => {
    const annotation = annotationOf.get(id);
    if (!annotation) return undefined;
    const mask = { kind: "mask", path: join(options.masks, annotation.file_name) } as const;
    if (options.form === "twoChannel") return { ...mask, labelMap: twoChannel, channel: 0 };
    return {
      ...mask,
      labelMap: segmentColors(annotation.segments_info, classOf, named.background),
      remedy: NOT_A_SEGMENT,
    };
  });
}

const NOT_A_SEGMENT = "the segment is not listed in the JSON; do the PNGs belong to this file?";

function segmentColors(
  segments: readonly { readonly id: number; readonly category_id: number }[],
  classOf: (category: number) => number,
  background: number,
): LabelMap {
  const colors = segments.map(({ id, category_id }) => [
    `${id & 255},${(id >> 8) & 255},${id >> 16}`,
    classOf(category_id),
  ]);
  return { encoding: "colors", classes: Object.fromEntries([["0,0,0", background], ...colors]) };
}

/**
 * COCO stuff as pixel maps: PNGs whose values are category ids.
 *
 * @param path - A COCO file with `images` and `categories`.
 * @throws {DataError} If the file is of another form or no picture is found.
 */
export async function cocoPixelmaps(path: string, options: CocoMaskOptions): Promise<Dataset> {
  const file = await readJson(path, cocoLists);
  const named = namedLabels(categoryClasses(file.categories), options, path);
  const labelMap = categoryValues(file.categories, named);
  return dataset("coco pixelmaps", path, file.images, named, options, ({ file_name }) => {
    const mask = join(options.masks, `${stemOf(file_name, "")}.png`);
    return existsSync(mask) ? { kind: "mask", path: mask, labelMap } : undefined;
  });
}

/** Values 0 (nothing) and 255 (unlabelled) are the background unless a category has them; categories without a class have no entry. */
function categoryValues(
  categories: readonly CocoCategory[],
  { labelMap, background }: NamedLabels,
): LabelMap {
  const names = labelMap.classes as Readonly<Record<string, number>>;
  const values = categories
    .filter(({ name }) => Object.hasOwn(names, name))
    .map(({ id, name }) => [id, names[name]!]);
  return { encoding: "values", classes: Object.fromEntries([[0, background], [255, background], ...values]) };
}

function categoryClasses(categories: readonly CocoCategory[]) {
  return categories.map(({ name, color }, i) => ({ name, color: color ?? generatedColor(i) }));
}

function categoryIndex(
  categories: readonly CocoCategory[],
  named: NamedLabels,
  path: string,
): (id: number) => number {
  const classes = named.labelMap.classes as Readonly<Record<string, number>>;
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  return (id) => {
    const name = nameOf.get(id);
    if (name === undefined)
      throw new DataError(`coco(): category ${id} is used in ${path}, but not listed there`, path);
    if (!Object.hasOwn(classes, name))
      throw new DataError(
        `coco(): "${name}" in ${path} is outside the label map; map it in labels.map`,
        path,
      );
    return classes[name]!;
  };
}

function dataset(
  name: string,
  path: string,
  images: readonly CocoImage[],
  named: NamedLabels,
  options: CocoOptions,
  annotate: (image: CocoImage) => Annotation | undefined,
): Dataset {
  const samples: Sample[] = [];
  const alone: string[] = [];
  for (const image of images) {
    const annotation = annotate(image);
    if (!annotation) alone.push(image.file_name);
    else
      samples.push({
        name: stemOf(image.file_name, "").replaceAll("/", "__"),
        image: join(options.images, image.file_name),
        annotation,
      });
  }
  if (samples.length === 0)
    throw new DataError(`coco(): none of the ${images.length} images in ${path} has an annotation`, path);
  return {
    name,
    split: options.split,
    classes: named.classes,
    samples,
    notes: unpairedNotes(alone, []),
    unpaired: alone,
  };
}
