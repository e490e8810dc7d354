import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../data-error.ts";
import { IMAGE_FILE, listFiles, MASK_FILE, outside } from "./list-files.ts";
import { maskSide } from "./mask-side.ts";
import {
  countOf,
  type Endings,
  hasEnding,
  type Pairs,
  pairFiles,
  pairingProblems,
  some,
  stemOf,
} from "./pair-files.ts";
import { unreadFiles } from "./unread-files.ts";

/** What lies in a folder of images and a folder of masks. */
export interface ListedFolders {
  readonly images: readonly string[];
  readonly masks: readonly string[];
  /** Images and masks lie in one folder, which both lists show. */
  readonly isOneFolder: boolean;
}

/**
 * Lists a folder of images and a folder of masks. Where one lies inside the other, its files are left out of the other's list.
 *
 * @throws {DataError} If a folder cannot be listed.
 */
export async function listFolders(images: string, masks: string): Promise<ListedFolders> {
  const listed = { images: await listFiles(images, IMAGE_FILE), masks: await listFiles(masks, MASK_FILE) };
  return {
    images: listed.images.filter(outside(images, masks)),
    masks: listed.masks.filter(outside(masks, images)),
    isOneFolder: realpathSync(images) === realpathSync(masks),
  };
}

/**
 * Pairs the files of a folder of images and a folder of masks, see {@link pairFiles}; no file is its own mask.
 *
 * In one folder, PNGs with the mask ending are masks and the rest images; without any ending PNGs are masks and other types images.
 */
export function pairListed({ images, masks, isOneFolder }: ListedFolders, endings: Endings = {}): Pairs {
  if (!isOneFolder) return pairFiles(images, masks, endings);
  const isMask = (file: string): boolean => {
    if (!MASK_FILE.test(file)) return false;
    return endings.mask || !endings.image
      ? hasEnding(file, endings.mask ?? "")
      : !hasEnding(file, endings.image);
  };
  return pairFiles(
    images.filter((file) => !isMask(file)),
    images.filter(isMask),
    endings,
  );
}

/**
 * Pairs the files of a folder of images with those of a folder of masks, see {@link pairListed}.
 *
 * @throws {DataError} If a folder cannot be listed, nothing pairs, or a link makes a file its own mask.
 */
export async function pairFolders(images: string, masks: string, endings: Endings): Promise<Pairs> {
  const listed = await listFolders(images, masks);
  const pairs = pairListed(listed, endings);
  if (pairs.pairs.length === 0) throw new DataError(await nothingPairs(images, masks, listed, pairs), images);
  const own = pairs.pairs.find(({ image, mask }) => isSameFile(join(images, image), join(masks, mask)));
  if (!own) return pairs;
  throw new DataError(
    `pairFolders(): expected an image and its mask, got one file for both, ${join(images, own.image)}; set data.maskEnding or another data.masks`,
    images,
  );
}

function isSameFile(image: string, mask: string): boolean {
  return (
    MASK_FILE.test(image) &&
    existsSync(image) &&
    existsSync(mask) &&
    realpathSync(image) === realpathSync(mask)
  );
}

async function nothingPairs(
  imageFolder: string,
  maskFolder: string,
  { images, masks }: ListedFolders,
  pairs: Pairs | undefined,
): Promise<string> {
  const [unclear] = pairs ? pairingProblems(pairs) : [];
  if (unclear) return `folder(): ${unclear.text}`;
  const found = `${images.length} images in ${imageFolder} and ${masks.length} PNG masks in ${maskFolder}`;
  const mask = masks.find((file) => file !== images[0]);
  const example =
    images[0] && mask
      ? `, e.g. ${images[0]} and ${mask}; names agree from their first character on: rename files that begin differently, and set data.imageEnding or data.maskEnding to what names end in before the file type`
      : "";
  const unread = await unreadFiles(imageFolder, maskFolder);
  const others = masks.length === 0 && unread.length === 0 ? await otherTypes(maskFolder) : [];
  return [`folder(): ${found}, but none share a name${example}`, ...unread, ...others].join(". ");
}

/** What lies in a folder of masks that has none: labels of another kind. */
async function otherTypes(folder: string): Promise<string[]> {
  const files = await listFiles(folder, /\.(?!(png|jpe?g|webp|tiff?|gif)$)[a-z0-9]+$/i);
  if (files.length === 0) return [];
  return [
    `${countOf(files.length, "file")} of other types: ${some(files)}; convert them to PNG masks, LabelMe, COCO or CVAT (docs/data.md says which formats are read)`,
  ];
}

/** The endings that are tried are the commonest so many of each side. */
const TRIED = 6;

/**
 * Pairs a folder of images with a folder of masks under the endings that occur: those that pair most files, the shortest of them. In one folder the files
 * say which are the masks, see {@link maskSide}.
 *
 * @throws {DataError} If a folder cannot be listed, nothing pairs, masks of several endings pair with the same images, or it is unclear which are the masks.
 */
export async function pairByEndings(
  images: string,
  masks: string,
): Promise<{ pairs: Pairs; endings: Endings }> {
  const listed = await listFolders(images, masks);
  const trials = trialsOf(listed).sort((a, b) => found(b) - found(a));
  const [best] = trials;
  if (!best || best.pairs.pairs.length === 0)
    throw new DataError(await nothingPairs(images, masks, listed, best?.pairs), images);
  const chosen = listed.isOneFolder ? await rightWayRound(best, trials, masks) : best;
  const rival = trials.find((trial) => isRival(trial, chosen));
  if (rival) throw new DataError(severalKinds(chosen, rival, masks), masks);
  return chosen;
}

interface Trial {
  readonly pairs: Pairs;
  readonly endings: Endings;
}

/** Returns the trial, or the one that takes its images for the masks. */
async function rightWayRound(best: Trial, trials: readonly Trial[], folder: string): Promise<Trial> {
  if ((await maskSide(folder, best.pairs.pairs, best.endings)) === "mask") return best;
  const [{ image, mask }] = best.pairs.pairs as [Pairs["pairs"][number]];
  const isReverse = (trial: Trial): boolean =>
    trial.pairs.pairs.some((pair) => pair.image === mask && pair.mask === image);
  const reverse = trials.find((trial) => found(trial) === found(best) && isReverse(trial));
  if (reverse) return reverse;
  throw new DataError(
    `pairByEndings(): expected names that tell the masks of ${folder} from the images, got ${mask}, a photograph, and ${image}, its mask; move the masks to a folder of their own`,
    folder,
  );
}

/** How many images found masks. */
function found({ pairs }: Trial): number {
  return pairs.pairs.length + pairs.unclear.length;
}

/** One pairing for each two endings, the shortest first. */
function trialsOf(listed: ListedFolders): Trial[] {
  const [imageEndings, maskEndings] = [commonEndings(listed.images), commonEndings(listed.masks)];
  return imageEndings.flatMap((image) =>
    maskEndings.map((mask): Trial => {
      const endings = { ...(image !== "" && { image }), ...(mask !== "" && { mask }) };
      return { endings, pairs: pairListed(listed, endings) };
    }),
  );
}

/** What several stems end in, from a separator on (`_rgb`, `-mask`): no ending and the commonest, the shortest first. */
function commonEndings(files: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const file of files) {
    const stem = basename(stemOf(file, ""));
    for (let at = 1; at < stem.length; at++)
      if ("_-. ".includes(stem[at]!)) counts.set(stem.slice(at), (counts.get(stem.slice(at)) ?? 0) + 1);
  }
  const least = Math.min(2, files.length);
  const common = [...counts].filter(([, count]) => count >= least).sort((a, b) => b[1] - a[1]);
  const endings = common.slice(0, TRIED).map(([ending]) => ending);
  return ["", ...endings.sort((a, b) => a.length - b.length)];
}

/** Whether a trial gives at least half of the best one's images another mask, one that has no other image. */
function isRival(trial: Trial, best: Trial): boolean {
  const maskOf = new Map(best.pairs.pairs.map(({ image, mask }) => [image, mask]));
  const taken = new Set(maskOf.values());
  const others = trial.pairs.pairs.filter(({ image, mask }) => maskOf.has(image) && !taken.has(mask));
  return others.length > 0 && 2 * others.length >= best.pairs.pairs.length;
}

function severalKinds(best: Trial, rival: Trial, masks: string): string {
  const [own, other] = [best, rival].map(({ pairs, endings }) => {
    const [{ mask }] = pairs.pairs as [Pairs["pairs"][number]];
    return `"${endings.mask ?? ""}" (${mask})`;
  });
  return `pairByEndings(): expected one kind of mask in ${masks}, got names that end in ${own} and in ${other} for the same images; move one kind to a folder of its own, or, where each is the mask of one class, join them into one mask per image`;
}
