import { join } from "node:path";
import { evenlySpaced } from "../../core/evenly-spaced.ts";
import { DataError } from "../data-error.ts";
import { countValues } from "../labels/inspect-label.ts";
import { MOST_COLORS } from "../labels/mask-facts.ts";
import { type RawMask, readRawMask } from "../labels/raw-mask.ts";
import { MASK_FILE } from "./list-files.ts";
import type { Endings, FilePair } from "./pair-files.ts";

/** So many pairs are looked into. */
const LOOKED_AT = 4;
/** Masks have areas: so many of their pixels, at least, are as the one before. Photographs stay far below, for their noise. */
const FLAT_SHARE = 0.8;

/**
 * Tells which files of pairs in one folder are the masks, where names say only that they belong together (`1.png`, `1_rgb.png`): masks have few colours in flat
 * areas, photographs have thousands. Where both or neither are so, an ending that says it decides (`1_mask.png`).
 *
 * @returns `mask` where the pairs have it right, `image` where their images are the masks.
 * @throws {DataError} If neither files nor endings tell.
 */
export async function maskSide(
  folder: string,
  pairs: readonly FilePair[],
  endings: Endings,
): Promise<"image" | "mask"> {
  const looked = evenlySpaced(pairs, Math.min(LOOKED_AT, pairs.length));
  if (looked.every(({ image }) => !MASK_FILE.test(image))) return "mask";
  const areMasks = async (side: "image" | "mask"): Promise<boolean> => {
    for (const pair of looked) if (!(await isLikeMask(join(folder, pair[side])))) return false;
    return true;
  };
  const [images, masks] = [await areMasks("image"), await areMasks("mask")];
  if (images !== masks) return masks ? "mask" : "image";
  const named = sideByEndings(endings);
  if (named) return named;
  const [{ image, mask }] = looked as [FilePair];
  throw new DataError(
    `maskSide(): expected photographs and masks of a few colours in ${folder}, got pairs such as ${image} and ${mask}, of which ${images ? "both are" : "none is"} like a mask; move the masks to a folder of their own, and give both to armseg init`,
    folder,
  );
}

const SAYS_MASK = /mask|label|annot|seg|gt|ground/i;

/** Which side's ending says that it is the masks. */
function sideByEndings({ image = "", mask = "" }: Endings): "image" | "mask" | undefined {
  const [images, masks] = [SAYS_MASK.test(image), SAYS_MASK.test(mask)];
  if (images === masks) return undefined;
  return masks ? "mask" : "image";
}

async function isLikeMask(path: string): Promise<boolean> {
  if (!MASK_FILE.test(path)) return false;
  let mask: RawMask;
  try {
    mask = await readRawMask(path, { inBackground: true });
  } catch {
    // What cannot be read as a mask, such as RGB of 16 bits, is none.
    return false;
  }
  const { values } = mask;
  if (countValues(mask).size > MOST_COLORS) return false;
  let changes = 0;
  for (let i = 1; i < values.length; i++) if (values[i] !== values[i - 1]) changes++;
  return changes <= (1 - FLAT_SHARE) * values.length;
}
