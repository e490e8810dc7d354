import { basename } from "node:path";

export interface FilePair {
  /** Unique within the list, without suffix. */
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

export interface Pairs {
  readonly pairs: readonly FilePair[];
  /** Images that have no mask. */
  readonly imagesAlone: readonly string[];
  /** Masks that have no image. */
  readonly masksAlone: readonly string[];
}

/** A path without its type and without the ending that tells images from masks. */
export function stemOf(path: string, ending: string): string {
  const stem = path.replace(/\.[^./]+$/, "");
  return ending !== "" && stem.endsWith(ending) ? stem.slice(0, -ending.length) : stem;
}

/**
 * Pair images with masks by stem: by file name where names are unique on both sides, else by the path below the two folders.
 *
 * @param endings.image - What image stems end in beyond the common name, e.g. `_leftImg8bit`.
 * @param endings.mask - The same for masks, e.g. `_L`.
 */
export function pairFiles(
  images: readonly string[],
  masks: readonly string[],
  endings: { readonly image?: string; readonly mask?: string } = {},
): Pairs {
  const imageStems = images.map((path) => stemOf(path, endings.image ?? ""));
  const maskStems = masks.map((path) => stemOf(path, endings.mask ?? ""));
  const areNamesUnique = [imageStems, maskStems].every(
    (stems) => new Set(stems.map((s) => basename(s))).size === stems.length,
  );
  const key = (stem: string): string => (areNamesUnique ? basename(stem) : stem);
  const maskOf = new Map(maskStems.map((stem, i) => [key(stem), masks[i]!]));
  const pairs: FilePair[] = [];
  const imagesAlone: string[] = [];
  imageStems.forEach((stem, i) => {
    const mask = maskOf.get(key(stem));
    maskOf.delete(key(stem));
    if (mask === undefined) imagesAlone.push(images[i]!);
    else pairs.push({ name: key(stem).replaceAll("/", "__"), image: images[i]!, mask });
  });
  return { pairs, imagesAlone, masksAlone: [...maskOf.values()] };
}

/** One sentence on files without a partner, or none. */
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
