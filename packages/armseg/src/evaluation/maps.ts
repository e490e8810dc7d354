import type { Tensor } from "@armseg/torch";

/** `[height, width]` in pixels. */
export type Size = readonly [height: number, width: number];

/** Class index per pixel, row-major; {@link IGNORE_INDEX} where ignored. */
export interface LabelMap {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** The label value that takes part in no metric. */
export const IGNORE_INDEX = 255;

/** Normalised images `[N, 3, H, W]` to logits `[N, C, h, w]` of a resolution of the network's own choice. */
export type Network = (images: Tensor) => Tensor;

/** Checks that two maps have one size on behalf of the named function. @throws {RangeError} Naming both sizes. */
export function checkSameSize(caller: string, what: string, map: LabelMap, like: LabelMap): void {
  if (map.height === like.height && map.width === like.width && map.data.length === like.data.length) return;
  throw new RangeError(
    `${caller}(): expected ${what} of the label's size ${like.height}×${like.width}, ` +
      `got ${map.height}×${map.width} with ${map.data.length} pixels. Predict at the label's size, and never resize labels.`,
  );
}
