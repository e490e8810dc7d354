import type { Tensor } from "@armseg/torch";
import { ops, tidy } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import type { Size } from "../core/size.ts";
import type { TestTimeAugmentation } from "./augmentation.ts";
import { scaledSize } from "./augmentation.ts";
import type { Network } from "./maps.ts";
import type { RowSource } from "./row-source.ts";
import { mappedRows, mosaicRows, resizedRows, summedRows, wholeRows } from "./row-source.ts";
import type { SlidingWindow, Window } from "./windows.ts";
import { slidingWindows } from "./windows.ts";

/** A map of one final size whose greatest class is the prediction. */
export interface CombinedViews {
  readonly rows: RowSource;
  /** Returns a band of the map as ln p of the class likelihoods. */
  logLikelihoods(band: Tensor): Tensor;
}

/**
 * Returns the logits of one image at its own size, from windows: overlapping ones are averaged.
 *
 * @param isMirrored - Whether the network is shown the mirror image; its logits are mirrored back.
 * @param alignCorners - How logits are resized to their window.
 */
export function slidingLogits(
  network: Network,
  images: Tensor,
  window: SlidingWindow,
  isMirrored = false,
  alignCorners = false,
): RowSource {
  const size = sizeOf(images);
  const parts = slidingWindows(size, window).map((part) => {
    // The windows of the mirror image are the mirrored windows.
    const left = isMirrored ? size[1] - part.left - part.width : part.left;
    using crop = cut(images, { ...part, left });
    const logits = lowLogits(network, crop, isMirrored);
    const source = resizedRows(wholeRows(logits), [part.height, part.width], alignCorners);
    return { top: part.top, left, source };
  });
  return mosaicRows(parts, size);
}

/** Returns the views of an image, brought to one size and combined. The network has seen all of them when this returns. */
export function combinedViews(
  network: Network,
  images: Tensor,
  size: Size,
  augmentation: TestTimeAugmentation,
  window: SlidingWindow | null,
): CombinedViews {
  const { rule, alignCorners } = augmentation;
  if (rule === "expMeanLogits") return expMeanLogits(network, images, size, augmentation, window);
  const views = atScales(images, augmentation, window, (shown, windowHere) =>
    flipViews(network, shown, windowHere, augmentation),
  ).flat();
  const share = 1 / views.length;
  if (rule === "sumLogits") {
    const sum = summedRows(views.map((view) => resizedRows(view, sizeOf(images), alignCorners)));
    return { rows: resizedRows(sum, size), logLikelihoods: (band) => band.mul(share).logSoftmax(1) };
  }
  const likelihoods = views.map((view) =>
    mappedRows(resizedRows(view, size, alignCorners), (rows) => rows.softmax(1)),
  );
  const rows = mappedRows(summedRows(likelihoods), (sum) => sum.mul(share));
  return { rows, logLikelihoods: (band) => band.log() };
}

/** Returns what `look` makes of the image at each scale; the scaled images are freed one by one. */
function atScales<T>(
  images: Tensor,
  { scales, rounding, alignCorners, windowAboveOne }: TestTimeAugmentation,
  window: SlidingWindow | null,
  look: (shown: Tensor, window: SlidingWindow | null) => T,
): T[] {
  return scales.map((scale) => {
    const shown = resizedImages(images, scaledSize(sizeOf(images), scale, rounding), alignCorners);
    const seen = look(shown, scale > 1 && windowAboveOne ? windowAboveOne : window);
    if (shown !== images) shown.dispose();
    return seen;
  });
}

/** Returns the logits of an image and of its mirror image, resized to the image's size and unflipped. */
function flipViews(
  network: Network,
  images: Tensor,
  window: SlidingWindow | null,
  { flip, alignCorners }: TestTimeAugmentation,
): RowSource[] {
  const sides = flip ? [false, true] : [false];
  return sides.map((isMirrored) =>
    window
      ? slidingLogits(network, images, window, isMirrored, alignCorners)
      : resizedRows(wholeRows(lowLogits(network, images, isMirrored)), sizeOf(images), alignCorners),
  );
}

/** HRNet's rule, which mirrors each window on its own and averages the windows after exp. */
function expMeanLogits(
  network: Network,
  images: Tensor,
  size: Size,
  augmentation: TestTimeAugmentation,
  window: SlidingWindow | null,
): CombinedViews {
  const means = atScales(images, augmentation, window, (shown, windowHere) => {
    const own = sizeOf(shown);
    const windows = windowHere ? slidingWindows(own, windowHere) : [wholeWindow(own)];
    const parts = windows.map((part) => {
      using crop = cut(shown, part);
      return { ...part, ...meanOfFlips(network, crop, augmentation) };
    });
    return { size: own, parts };
  });
  const largest = Math.max(...means.flatMap(({ parts }) => parts.map((part) => part.largest)));
  const exp = exponential(largest, images.device);
  const exps = means.map(({ size: own, parts }) => {
    const placed = parts.map((part) => ({ ...part, source: mappedRows(part.source, exp) }));
    return resizedRows(mosaicRows(placed, own), size, augmentation.alignCorners);
  });
  return {
    rows: summedRows(exps),
    logLikelihoods: (band) => band.div(band.sum([1], { keepdim: true })).log(),
  };
}

/** Largest logit, in absolute value, whose exponential float32 holds with room for sums. */
const FLOAT32_EXPONENT = 80;

/**
 * exp of a band whose logits are at most `largest` in absolute value: wider where float32 cannot hold it, and less a constant, which changes no
 * prediction, where nothing can.
 */
function exponential(largest: number, device: string): (rows: Tensor) => Tensor {
  if (largest <= FLOAT32_EXPONENT) return (rows) => rows.exp();
  // Apple's GPU has nothing wider.
  const [dtype, limit] = device.startsWith("mps")
    ? (["float32", FLOAT32_EXPONENT] as const)
    : (["float64", 700] as const);
  const shift = Math.max(0, largest - limit);
  return (rows) => rows.to(rows.device, dtype).sub(shift).exp();
}

function meanOfFlips(
  network: Network,
  images: Tensor,
  { flip, alignCorners }: TestTimeAugmentation,
): { source: RowSource; largest: number } {
  const views = (flip ? [false, true] : [false]).map((isMirrored) => lowLogits(network, images, isMirrored));
  const largest = Math.max(...views.map((logits) => logits.abs().max().item()));
  // Resizing is linear, so the mean of the resized logits is the resized mean.
  const sum = summedRows(views.map(wholeRows));
  const mean = mappedRows(sum, (rows) => rows.mul(1 / views.length)).rows(0, sum.size[0]);
  for (const logits of views) logits.dispose();
  return { source: resizedRows(wholeRows(mean), sizeOf(images), alignCorners), largest };
}

/**
 * Returns the network's logits, all else that it made freed.
 *
 * @param isMirrored - Whether the network is shown the mirror image; its logits are mirrored back: in low resolution, as mirroring and resizing
 * may change places.
 */
export function lowLogits(network: Network, images: Tensor, isMirrored = false): Tensor {
  return tidy(() => {
    const logits = network(isMirrored ? images.flip([3]) : images);
    const [batch, , height, width] = images.shape;
    if (logits.ndim !== 4 || logits.size(0) !== batch || logits.numel === 0)
      throw argumentError(
        "lowLogits",
        `logits [${batch}, C, h, w] of images [${batch}, 3, ${height}, ${width}]`,
        logits.shape,
        "a network with several outputs must return the main one",
      );
    // A handle of its own, also where the network gives back what it was given.
    return isMirrored ? logits.flip([3]) : logits.detach();
  });
}

/** Resizes images bilinearly, not antialiased. */
function resizedImages(images: Tensor, [height, width]: Size, alignCorners: boolean): Tensor {
  const isSame = images.size(2) === height && images.size(3) === width;
  return isSame ? images : ops.upsampleBilinear2d(images, [height, width], alignCorners, null);
}

function sizeOf(images: Tensor): Size {
  return [images.size(2), images.size(3)];
}

function cut(images: Tensor, { top, left, height, width }: Window): Tensor {
  return images.narrow(2, top, height).narrow(3, left, width).contiguous();
}

function wholeWindow([height, width]: Size): Window {
  return { top: 0, left: 0, height, width };
}
