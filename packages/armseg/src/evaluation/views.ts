import type { Tensor } from "@armseg/torch";
import { ops, tidy } from "@armseg/torch";
import type { TestTimeAugmentation } from "./augmentation.ts";
import { scaledSize } from "./augmentation.ts";
import type { Network, Size } from "./maps.ts";
import type { RowSource } from "./row-source.ts";
import { flippedRows, mappedRows, mosaicRows, resizedRows, summedRows, wholeRows } from "./row-source.ts";
import type { SlidingWindow, Window } from "./windows.ts";
import { slidingWindows } from "./windows.ts";

/** A map of one final size whose greatest class is the prediction. */
export interface CombinedViews {
  readonly rows: RowSource;
  /** A band of the map as ln p of the class likelihoods. */
  logLikelihoods(band: Tensor): Tensor;
}

/** Logits of one image at its own size, from windows if there are any: overlapping windows are averaged. */
export function slidingLogits(network: Network, images: Tensor, window: SlidingWindow): RowSource {
  const size = sizeOf(images);
  const parts = slidingWindows(size, window).map((part) => ({
    ...part,
    source: logitsOf(network, cut(images, part), [part.height, part.width]),
  }));
  return mosaicRows(parts, size);
}

/** The views of an image, brought to one size and combined. The network has seen all of them when this returns. */
export function combinedViews(
  network: Network,
  images: Tensor,
  size: Size,
  augmentation: TestTimeAugmentation,
  window: SlidingWindow | null,
): CombinedViews {
  const { rule, flip, scales } = augmentation;
  const scaled = scales.map((scale) => ({
    images: resizedImages(images, scaledSize(sizeOf(images), scale, augmentation.rounding)),
    window: scale > 1 && augmentation.windowAboveOne ? augmentation.windowAboveOne : window,
  }));
  if (rule === "expMeanLogits") return expMeanLogits(network, scaled, size, flip);
  // openseg resizes logits straight to the image's size, mmsegmentation to the scaled image's first.
  const viewSize = (view: ScaledImages) => sizeOf(rule === "sumLogits" ? images : view.images);
  const views = scaled
    .flatMap((view) => flipViews(network, view, viewSize(view), flip))
    .map((view) => resizedRows(view, size));
  const share = 1 / views.length;
  if (rule === "sumLogits")
    return { rows: summedRows(views), logLikelihoods: (band) => band.mul(share).logSoftmax(1) };
  const likelihoods = views.map((view) => mappedRows(view, (rows) => rows.softmax(1)));
  const rows = mappedRows(summedRows(likelihoods), (sum) => sum.mul(share));
  return { rows, logLikelihoods: (band) => band.log() };
}

interface ScaledImages {
  readonly images: Tensor;
  readonly window: SlidingWindow | null;
}

/** The logits of an image and of its mirror image, resized and unflipped; those of windows stay at the image's size. */
function flipViews(
  network: Network,
  { images, window }: ScaledImages,
  size: Size,
  flip: boolean,
): RowSource[] {
  const view = (of: Tensor) => (window ? slidingLogits(network, of, window) : logitsOf(network, of, size));
  return flip ? [view(images), flippedRows(view(images.flip([3])))] : [view(images)];
}

/** HRNet's rule, which mirrors each window on its own and averages the windows after exp. */
function expMeanLogits(
  network: Network,
  scaled: readonly ScaledImages[],
  size: Size,
  flip: boolean,
): CombinedViews {
  const means = scaled.map(({ images, window }) => {
    const windows = window ? slidingWindows(sizeOf(images), window) : [wholeWindow(sizeOf(images))];
    return {
      size: sizeOf(images),
      parts: windows.map((part) => ({ ...part, ...meanOfFlips(network, cut(images, part), flip) })),
    };
  });
  // A constant taken off all logits changes no prediction, and keeps the greatest exponential finite.
  const { dtype, limit } = exponentRange(scaled[0]!.images.device);
  const shift = Math.max(0, ...means.flatMap(({ parts }) => parts.map((part) => part.largest - limit)));
  const exp = (rows: Tensor) => rows.to(rows.device, dtype).sub(shift).exp();
  const exps = means.map(({ size: own, parts }) => {
    const placed = parts.map((part) => ({ ...part, source: mappedRows(part.source, exp) }));
    return resizedRows(mosaicRows(placed, own), size);
  });
  return {
    rows: summedRows(exps),
    logLikelihoods: (band) => band.div(band.sum([1], { keepdim: true })).log(),
  };
}

/** Exponentials span more decades than float32 has, but Apple's GPU has nothing wider. */
function exponentRange(device: string): { dtype: "float32" | "float64"; limit: number } {
  return device.startsWith("mps") ? { dtype: "float32", limit: 80 } : { dtype: "float64", limit: 700 };
}

function meanOfFlips(
  network: Network,
  images: Tensor,
  flip: boolean,
): { source: RowSource; largest: number } {
  const logits = [
    lowLogits(network, images),
    ...(flip ? [tidy(() => lowLogits(network, images.flip([3])))] : []),
  ];
  const [plain, mirrored] = logits.map((map) => resizedRows(wholeRows(map), sizeOf(images)));
  const largest = Math.max(...logits.map((map) => map.max().item()));
  if (!plain || !mirrored) return { source: plain as RowSource, largest };
  const sum = summedRows([plain, flippedRows(mirrored)]);
  return { source: mappedRows(sum, (rows) => rows.mul(0.5)), largest };
}

function logitsOf(network: Network, images: Tensor, size: Size): RowSource {
  return resizedRows(wholeRows(lowLogits(network, images)), size);
}

/** The network's logits, all else that it made freed. */
export function lowLogits(network: Network, images: Tensor): Tensor {
  const logits = tidy(() => network(images));
  const [batch, , height, width] = images.shape;
  if (logits.ndim !== 4 || logits.size(0) !== batch || logits.numel === 0)
    throw new RangeError(
      `lowLogits(): expected logits [${batch}, C, h, w] of images [${batch}, 3, ${height}, ${width}], ` +
        `got [${logits.shape.join(", ")}]. A network with several outputs must return the main one.`,
    );
  return logits;
}

/** Bilinear, `align_corners = false`, not antialiased. */
export function resizedImages(images: Tensor, [height, width]: Size): Tensor {
  const isSame = images.size(2) === height && images.size(3) === width;
  return isSame ? images : ops.upsampleBilinear2d(images, [height, width], false, null);
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
