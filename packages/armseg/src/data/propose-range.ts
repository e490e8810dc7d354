import { evenlySpaced } from "../core/evenly-spaced.ts";
import { messageOf } from "./data-error.ts";
import { type ImageRange, imageForm, sampleRange } from "./image-form.ts";
import { openImage } from "./read-image.ts";
import { RangeCheck } from "./scan/scan-counts.ts";

/** So many images, evenly spread, are looked at: a camera writes all alike. */
const LOOKED_AT = 8;

/** A range to read images by, where they need one. */
export interface RangeProposal {
  readonly imageRange?: ImageRange;
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
}

/**
 * Proposes what values of images become black and white, where some hold 16-bit values of 13 bits or less, float or signed ones.
 *
 * All values of so many bits are proposed, which holds for the images that are not looked at too; any other range is left to the reader.
 *
 * @param paths - All images. Those that cannot be read are left to the check.
 */
export async function proposeRange(paths: readonly string[]): Promise<RangeProposal> {
  const check = new RangeCheck();
  for (const path of evenlySpaced(paths, LOOKED_AT)) {
    const image = openImage(path, {});
    try {
      const form = await imageForm(image);
      if (form.depth === "ushort") check.add({ name: path, image: path }, await sampleRange(image, form));
    } catch (error) {
      if (error instanceof RangeError) return { sentences: [`${path}: ${messageOf(error)}.`] };
    }
  }
  const { range, findings } = check;
  if (!range) return { sentences: [] };
  const [low, high] = range;
  if (low > 0) return { sentences: [`${findings[0]!.text}.`] };
  return {
    imageRange: range,
    sentences: [
      `Images of 16 bits use ${Math.log2(high + 1)} of them, so data.imageRange: [0, ${high}] is set: ${high} is white. If your camera gives another range, write that.`,
    ],
  };
}
