import { join } from "node:path";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { DataError } from "../data-error.ts";
import type { Annotation, Dataset, DatasetProblem, LabelMap, Region, Sample } from "../sample.ts";
import {
  type CocoAnnotation,
  type CocoCategory,
  type CocoImage,
  cocoFile,
  cocoPanopticFile,
} from "./coco-file.ts";
import { readJson } from "./json-file.ts";
import { findFile, requireInside, withSlashes } from "./list-files.ts";
import {
  generatedColor,
  IGNORED_REGION,
  type NamedLabelOptions,
  type NamedLabels,
  namedLabels,
} from "./named-labels.ts";
import { hasNestedRing } from "./nested-rings.ts";
import { countOf, unpairedNotes } from "./pair-files.ts";
import { doubleLabels, sampleNames } from "./sample-names.ts";
import { withoutArea } from "./shape-area.ts";

export interface CocoOptions extends NamedLabelOptions {
  readonly split: string;
  /** The folder of images that `file_name` starts from. */
  readonly images: string;
}

export interface CocoPanopticOptions extends CocoOptions {
  /** The folder of PNGs. */
  readonly masks: string;
  /** `ids`: red + 256 green + 65536 blue is the segment (default). `twoChannel`: red is the category. */
  readonly form?: "ids" | "twoChannel";
}

/**
 * Reads COCO instances or stuff: polygons, run lengths and compressed run lengths, painted in the order of the file (crowds too).
 *
 * What no category covers is {@link NamedLabelOptions.background}: ignored by default. Images without annotations are left out and noted. An annotation without
 * an area is a problem of the data set, and its box is ignored, or without a box all that nothing else covers: which pixels of it are the object, nobody knows.
 *
 * @param path - `instances_*.json` or `stuff_*.json`; LVIS, Roboflow and VIA write the same form.
 * @throws {DataError} If the file is of another form, an id is listed twice or not at all, or no image is found.
 */
export async function coco(path: string, options: CocoOptions): Promise<Dataset> {
  const file = await readJson(path, cocoFile);
  const used = new Set(file.annotations.map(({ category_id }) => String(category_id)));
  const { classes: categories, notes } = withoutSuperCategories(file.categories, used);
  const named = namedLabels(categoryClasses(categories), options, path);
  const nameOf = new Map(byId(file.categories, "category", path).map(([id, { name }]) => [id, name]));
  const found = new Map(byId(file.images, "image", path).map(([id]) => [id, newImage()]));
  file.annotations.forEach((annotation, i) => {
    const image = found.get(String(annotation.image_id));
    const label = nameOf.get(String(annotation.category_id));
    if (!image || label === undefined)
      throw new DataError(
        `coco(): annotation ${i} of ${path} has image ${annotation.image_id}, category ${annotation.category_id}: not listed`,
        path,
      );
    const { regions, lost, isAnywhere } = regionsOf(annotation, label);
    image.regions.push(...regions);
    image.hasLostObject ||= isAnywhere;
    if (lost) image.lost.push(`annotation ${annotation.id ?? i} ("${label}"): ${lost}`);
    if (hasNestedRing(regions.flatMap(({ shape }) => (shape.kind === "polygon" ? shape.rings : []))))
      image.nested.push(`annotation ${annotation.id ?? i} ("${label}")`);
  });
  const dataset = cocoDataset("coco", path, file.images, named, options, ({ id, height, width }) => {
    const { regions, hasLostObject } = found.get(String(id))!;
    if (regions.length === 0) return undefined;
    return {
      kind: "regions",
      path,
      format: "inline",
      regions,
      labelMap: named.labelMap,
      // What no region covers may be the object.
      background: hasLostObject ? IGNORE_INDEX : named.background,
      ...(height && width && { size: [height, width] }),
      fill: "centres",
    };
  });
  const problems = annotationProblems(file.images, path, (id) => found.get(id)!);
  return {
    ...dataset,
    notes: [...notes, ...dataset.notes],
    problems: [...problems, ...(dataset.problems ?? [])],
  };
}

/** An image's regions, and what is wrong with its annotations. */
interface FoundImage {
  readonly regions: Region[];
  readonly lost: string[];
  /** Annotations with a ring inside another. */
  readonly nested: string[];
  /** One of its objects has neither an area nor a box, and may be anywhere. */
  hasLostObject: boolean;
}

function newImage(): FoundImage {
  return { regions: [], lost: [], nested: [], hasLostObject: false };
}

/** Entries by id as text. @throws {DataError} If an id is listed twice. */
function byId<T extends { readonly id: string | number }>(
  entries: readonly T[],
  what: string,
  path: string,
): (readonly [string, T])[] {
  const seen = new Set<string>();
  return entries.map((entry) => {
    const id = String(entry.id);
    if (seen.has(id))
      throw new DataError(
        `coco(): expected one ${what} of id ${id}, got several in ${path}; number them anew, with their annotations`,
        path,
      );
    seen.add(id);
    return [id, entry];
  });
}

/**
 * A super-category (Roboflow's category 0, the project) is listed with the categories. Where nothing is labelled with it, it is no class.
 */
function withoutSuperCategories(
  categories: readonly CocoCategory[],
  used: ReadonlySet<string>,
): { classes: CocoCategory[]; notes: string[] } {
  const isTop = ({ supercategory }: CocoCategory): boolean => !supercategory || supercategory === "none";
  const isEmptySuper = (category: CocoCategory): boolean =>
    isTop(category) &&
    !used.has(String(category.id)) &&
    categories.some((other) => other !== category && other.supercategory === category.name);
  const empty = categories.filter(isEmptySuper);
  return {
    classes: categories.filter((category) => !empty.includes(category)),
    notes: empty.map(({ name }) => `"${name}" is a super-category without annotations and no class`),
  };
}

/** Each polygon is a region of its own, since polygons of an instance join and do not cut holes. */
function regionsOf(
  annotation: CocoAnnotation,
  label: string,
): { regions: Region[]; lost?: string; isAnywhere: boolean } {
  const shapes = shapesOf(annotation.segmentation).map((shape) => ({ shape, reason: withoutArea(shape) }));
  const regions = shapes.filter(({ reason }) => reason === undefined).map(({ shape }) => ({ label, shape }));
  const lost = shapes.length === 0 ? "no segmentation" : shapes.find(({ reason }) => reason)?.reason;
  if (!lost) return { regions, isAnywhere: false };
  // A ring without area beside others loses nothing; numbers that are no points do.
  const isWhole = regions.length > 0 && shapes.every(({ shape }) => hasPoints(shape));
  const box = isWhole ? undefined : boxOf(annotation);
  return {
    regions: [...(box ? [{ label: IGNORED_REGION, shape: box }] : []), ...regions],
    lost,
    isAnywhere: !isWhole && !box,
  };
}

function shapesOf(segmentation: CocoAnnotation["segmentation"]): Region["shape"][] {
  if (!segmentation) return [];
  if (!Array.isArray(segmentation)) {
    const [height, width] = segmentation.size;
    return [{ kind: "rle", height, width, counts: segmentation.counts }];
  }
  const isFlat = (list: number[] | number[][]): list is number[] => typeof list[0] === "number";
  const rings = isFlat(segmentation) ? [segmentation] : segmentation;
  return rings.map((ring) => ({ kind: "polygon", rings: [ring] }));
}

function hasPoints(shape: Region["shape"]): boolean {
  return shape.kind === "rle" || shape.rings.every((ring) => ring.length % 2 === 0);
}

function boxOf({ bbox }: CocoAnnotation): Region["shape"] | undefined {
  const [x, y, width, height] = bbox ?? [];
  if (!(x !== undefined && y !== undefined && width! > 0 && height! > 0)) return undefined;
  const [right, bottom] = [x + width!, y + height!];
  return { kind: "polygon", rings: [[x, y, right, y, right, bottom, x, bottom]] };
}

function annotationProblems(
  images: readonly CocoImage[],
  path: string,
  foundOf: (id: string) => FoundImage,
): DatasetProblem[] {
  const paths = images.map((image) => withSlashes(imageName(image, path)));
  const names = sampleNames(paths);
  return images.flatMap(({ id }, i) => {
    const { lost, nested } = foundOf(String(id));
    const of = { sample: names[i]! };
    return [
      ...lost.map(
        (text): DatasetProblem => ({
          ...of,
          kind: "annotation without area",
          text: `${paths[i]}, ${text}; draw it anew or delete it. Its box is ignored, or without one all that no other annotation covers`,
        }),
      ),
      ...nested.map(
        (text): DatasetProblem => ({
          ...of,
          kind: "polygon inside another of its annotation",
          text: `${paths[i]}, ${text}; polygons of one annotation join, so that a hole is filled: export holes as run lengths, or as annotations of their own that come later`,
        }),
      ),
    ];
  });
}

/**
 * Reads COCO panoptic: PNGs whose colour is a segment, with the segments' categories in the JSON; things and stuff become classes alike.
 *
 * @param path - `panoptic_*.json`.
 * @throws {DataError} If the file is of another form, an id is listed twice or not at all, or no image is found.
 */
export async function cocoPanoptic(path: string, options: CocoPanopticOptions): Promise<Dataset> {
  const file = await readJson(path, cocoPanopticFile);
  byId(file.images, "image", path);
  const named = namedLabels(categoryClasses(file.categories), options, path);
  const classOf = categoryIndex(file.categories, named, path);
  const annotationOf = new Map(
    file.annotations.map((annotation) => [String(annotation.image_id), annotation]),
  );
  const twoChannel = categoryValues(file.categories, named);
  return cocoDataset("coco panoptic", path, file.images, named, options, ({ id }) => {
    const annotation = annotationOf.get(String(id));
    if (!annotation) return undefined;
    requireInside(options.masks, annotation.file_name, path);
    const mask = { kind: "mask", path: fileIn(options.masks, annotation.file_name) } as const;
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
  segments: readonly { readonly id: number; readonly category_id: string | number }[],
  classOf: (category: string | number) => number,
  background: number,
): LabelMap {
  const colors = segments.map(({ id, category_id }) => [
    `${id & 255},${(id >> 8) & 255},${id >> 16}`,
    classOf(category_id),
  ]);
  return { encoding: "colors", classes: Object.fromEntries([["0,0,0", background], ...colors]) };
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
): (id: string | number) => number {
  const classes = named.labelMap.classes as Readonly<Record<string, number>>;
  const nameOf = new Map(byId(categories, "category", path).map(([id, { name }]) => [id, name]));
  return (id) => {
    const name = nameOf.get(String(id));
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

function cocoDataset(
  name: string,
  path: string,
  images: readonly CocoImage[],
  named: NamedLabels,
  options: CocoOptions,
  annotate: (image: CocoImage) => Annotation | undefined,
): Dataset {
  const paths = images.map((image) => imageName(image, path));
  const names = sampleNames(paths.map(withSlashes));
  const samples: Sample[] = [];
  const labels: { sample: string; image: string; label: string }[] = [];
  const alone: string[] = [];
  images.forEach((image, i) => {
    const annotation = annotate(image);
    if (!annotation) alone.push(paths[i]!);
    else {
      requireInside(options.images, paths[i]!, path);
      const sample = { name: names[i]!, image: imageFile(options.images, paths[i]!, image), annotation };
      samples.push(sample);
      labels.push({ sample: sample.name, image: sample.image, label: `image id ${image.id} of ${path}` });
    }
  });
  if (samples.length === 0)
    throw new DataError(
      `coco(): none of the ${countOf(images.length, "image")} in ${path} has an annotation with an area`,
      path,
    );
  return {
    name,
    split: options.split,
    classes: named.classes,
    samples,
    notes: unpairedNotes(alone, []),
    unpaired: alone,
    problems: [...named.problems, ...doubleLabels(labels, "give all its annotations one image id")],
  };
}

/** The image's name in the file; LVIS has only an address, which ends in it. */
function imageName({ id, file_name, coco_url }: CocoImage, path: string): string {
  const name = file_name ?? coco_url?.split("/").at(-1);
  if (name) return name;
  throw new DataError(`coco(): expected file_name for image ${id} of ${path}, got none`, path);
}

/** LVIS takes images from several of COCO's folders, which the address names. */
function imageFile(folder: string, name: string, { file_name, coco_url }: CocoImage): string {
  const inFolder =
    file_name || !coco_url ? undefined : findFile(folder, coco_url.split("/").slice(-2).join("/"));
  return inFolder ?? fileIn(folder, name);
}

/** Where a file is; one that is missing is named when it is read. */
function fileIn(folder: string, name: string): string {
  // Most names are plain: nothing is asked of the disk for them.
  return /^[\w./ -]+$/.test(name)
    ? join(folder, name)
    : (findFile(folder, name) ?? join(folder, withSlashes(name)));
}
