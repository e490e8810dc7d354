import { basename } from "node:path";
import type { DatasetProblem } from "../sample.ts";

export interface FilePair {
  /** Unique within the list, without suffix. */
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

/** What stems of images and of masks end in beyond the common name, e.g. `_leftImg8bit` and `_L`. Files without a set ending take no part. */
export interface Endings {
  readonly image?: string;
  readonly mask?: string;
}

/** Images and masks that share a name, so that nobody can tell which belong together. */
export interface UnclearPair {
  readonly name: string;
  readonly images: readonly string[];
  readonly masks: readonly string[];
}

export interface Pairs {
  readonly pairs: readonly FilePair[];
  readonly unclear: readonly UnclearPair[];
  /** Images that have no mask. */
  readonly imagesAlone: readonly string[];
  /** Masks that have no image. */
  readonly masksAlone: readonly string[];
  /** Files that lack the ending which their side was said to have. */
  readonly withoutEnding: readonly string[];
}

/** Returns a path without its type and without an ending, in Unicode's composed form, so that names from two systems agree. */
export function stemOf(path: string, ending: string): string {
  const stem = path.replace(/\.[^./]+$/, "").normalize("NFC");
  return ending !== "" && stem.endsWith(ending) ? stem.slice(0, -ending.length) : stem;
}

/** Returns the sample name of a file by its path below a folder. */
export function sampleName(path: string): string {
  return stemOf(path, "").replaceAll("/", "__");
}

/** Whether a file's stem has an ending; every stem has the empty one. */
export function hasEnding(path: string, ending: string): boolean {
  return stemOf(path, "").endsWith(ending.normalize("NFC"));
}

/** One side of the pairing: its files that have the ending, by stem without it. */
interface Side {
  readonly files: readonly { readonly path: string; readonly stem: string }[];
  readonly withoutEnding: readonly string[];
}

interface Group {
  readonly name: string;
  readonly images: string[];
  readonly masks: string[];
}

/**
 * Pairs images with masks by stem: by file name where names are unique on both sides, else by the path below the two folders.
 *
 * Images or masks that share a stem are unclear, and so is an image with a further mask, whose name goes on after the ending (`_mask_1` beside `_mask`).
 */
export function pairFiles(images: readonly string[], masks: readonly string[], endings: Endings = {}): Pairs {
  const [imageSide, maskSide] = [sideOf(images, endings.image), sideOf(masks, endings.mask)];
  const isByName = [imageSide, maskSide].every(hasUniqueNames);
  const nameOf = (stem: string): string => (isByName ? basename(stem) : stem).replaceAll("/", "__");
  const groups = new Map<string, Group>();
  for (const { path, stem } of imageSide.files) groupOf(groups, nameOf(stem)).images.push(path);
  for (const { path, stem } of maskSide.files) groupOf(groups, nameOf(stem)).masks.push(path);
  const further = addFurtherMasks(groups, maskSide.withoutEnding, nameOf, endings.mask);
  const withoutEnding = [...imageSide.withoutEnding, ...maskSide.withoutEnding];
  return sortGroups(
    [...groups.values()],
    withoutEnding.filter((path) => !further.has(path)),
  );
}

function sideOf(paths: readonly string[], ending = ""): Side {
  return {
    files: paths
      .filter((path) => hasEnding(path, ending))
      .map((path) => ({ path, stem: stemOf(path, ending) })),
    withoutEnding: paths.filter((path) => !hasEnding(path, ending)),
  };
}

/** Whether no two folders of a side have files of one name. */
function hasUniqueNames({ files }: Side): boolean {
  const stems = new Set(files.map(({ stem }) => stem));
  return new Set([...stems].map((stem) => basename(stem))).size === stems.size;
}

function groupOf(groups: Map<string, Group>, name: string): Group {
  const group = groups.get(name) ?? { name, images: [], masks: [] };
  groups.set(name, group);
  return group;
}

/** Adds masks whose names go on after the ending to their image's group; in one folder with the images they passed for images. */
function addFurtherMasks(
  groups: Map<string, Group>,
  masksWithoutEnding: readonly string[],
  nameOf: (stem: string) => string,
  ending = "",
): Set<string> {
  const further = new Set<string>();
  if (ending === "") return further;
  const ownerOf = (name: string): Group | undefined => {
    const at = name.lastIndexOf(ending);
    const owner = groups.get(name.slice(0, Math.max(0, at)));
    return owner && owner.images.length > 0 && owner.masks.length > 0 ? owner : undefined;
  };
  for (const path of masksWithoutEnding) {
    const owner = ownerOf(nameOf(stemOf(path, "")));
    if (!owner) continue;
    owner.masks.push(path);
    further.add(path);
  }
  for (const { name, images, masks } of [...groups.values()]) {
    const owner = masks.length === 0 ? ownerOf(name) : undefined;
    if (!owner) continue;
    owner.masks.push(...images);
    groups.delete(name);
  }
  return further;
}

function sortGroups(groups: readonly Group[], withoutEnding: readonly string[]): Pairs {
  const both = groups.filter(({ images, masks }) => images.length > 0 && masks.length > 0);
  const isClear = ({ images, masks }: Group): boolean => images.length === 1 && masks.length === 1;
  return {
    pairs: both
      .filter(isClear)
      .map(({ name, images, masks }) => ({ name, image: images[0]!, mask: masks[0]! })),
    unclear: both.filter((group) => !isClear(group)),
    imagesAlone: groups.flatMap(({ images, masks }) => (masks.length === 0 ? images : [])),
    masksAlone: groups.flatMap(({ images, masks }) => (images.length === 0 ? masks : [])),
    withoutEnding,
  };
}

/** What was left out of a pairing, one sentence each. */
export function pairingNotes({ imagesAlone, masksAlone, withoutEnding }: Pairs): string[] {
  const alone = unpairedNotes(imagesAlone, masksAlone);
  if (withoutEnding.length === 0) return alone;
  return [
    ...alone,
    `${countOf(withoutEnding.length, "file")} without the ending left out: ${some(withoutEnding)}`,
  ];
}

/** What is unclear in a pairing, as problems of the data set. */
export function pairingProblems({ unclear }: Pairs): DatasetProblem[] {
  return unclear.map(({ name, images, masks }) => ({
    kind: "several files of one name",
    sample: name,
    text: `${name}: expected one image and one mask, got ${images.join(", ")} and ${masks.join(", ")}; join or remove masks, or set data.maskEnding`,
  }));
}

/** Returns one sentence on images and one on labels without a partner, where there are any. */
export function unpairedNotes(imagesAlone: readonly string[], labelsAlone: readonly string[]): string[] {
  return [
    ...(imagesAlone.length > 0
      ? [`${countOf(imagesAlone.length, "image")} without a label left out: ${some(imagesAlone)}`]
      : []),
    ...(labelsAlone.length > 0
      ? [`${countOf(labelsAlone.length, "label")} without an image left out: ${some(labelsAlone)}`]
      : []),
  ];
}

/** `1 image`, `2 images`, `1,203 pixels`. */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString("en-GB")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The first ten of a list, and how many more there are. */
export function some(items: readonly string[]): string {
  return items.slice(0, 10).join(", ") + (items.length > 10 ? ` and ${items.length - 10} more` : "");
}
