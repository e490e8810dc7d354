import { pixelMaps } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { inferenceMode, tidy } from "@armseg/torch";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { Size } from "../core/size.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import { confidence } from "../reweighting/indicators.ts";
import type { AugmentationName, TestTimeAugmentation } from "./augmentation.ts";
import { AUGMENTATIONS } from "./augmentation.ts";
import { collectRows, labelsOfBand, labelsOfRows } from "./bands.ts";
import type { Network } from "./maps.ts";
import { resizedRows, wholeRows } from "./row-source.ts";
import { confidenceOfLogits, isFusable, labelsOfLogits } from "./upsampled.ts";
import type { CombinedViews } from "./views.ts";
import { combinedViews, lowLogits, slidingLogits } from "./views.ts";
import type { SlidingWindow } from "./windows.ts";

/** How an image is shown to the network. */
export interface InferenceOptions {
  /** Windows instead of the whole image. Default: the whole image. */
  readonly window?: SlidingWindow | null;
  /** Multi-scale + flip, a preset or one's own. Default: none. */
  readonly augmentation?: AugmentationName | TestTimeAugmentation | null;
  /** Memory for the rows of full resolution that are computed at once, in bytes. Default 64 MiB. */
  readonly bandBytes?: number;
}

/** Class and confidence of every pixel. */
export interface ConfidentPrediction {
  /** uint8 `[N, ...size]`. */
  readonly labels: Tensor;
  /** u in [-1, 1], `[N, ...size]`. */
  readonly confidence: Tensor;
}

/** Returns whether the network sees each image once and whole, so that the fused kernels do the rest. */
export function isPlain({ window, augmentation }: InferenceOptions): boolean {
  return !window && !augmentation;
}

/**
 * Predicts the class of each pixel. Logits in full resolution are made a band of rows at a time.
 *
 * Plain: the logits are resized once, to `size`. With windows or views: to the (scaled) image first and from there to `size`, as in the systems
 * whose presets these are.
 *
 * @param images - `[N, 3, H, W]`, normalised; on the network's device.
 * @param size - Of the labels: the image's size on disk.
 * @returns uint8 `[N, ...size]`.
 */
export function predictLabels(
  network: Network,
  images: Tensor,
  size: Size,
  options: InferenceOptions = {},
): Tensor {
  return inferenceMode(() => {
    if (isPlain(options)) return labelsOfLogits(lowLogits(network, images), size, options.bandBytes);
    return labelsOfRows(viewsOf(network, images, size, options).rows, options.bandBytes);
  });
}

/**
 * Predicts the class and the confidence of each pixel.
 *
 * With several views the confidence is that of the combined likelihoods: their mean (`mmseg`), the softmax of the mean logits
 * (`openseg`), the normalised sum (`hrnet`).
 *
 * @throws {Error} For indicator `kl`, whose uncertainty is no part of the logits.
 */
export function predictWithConfidence(
  network: Network,
  images: Tensor,
  size: Size,
  options: InferenceOptions & { readonly indicator?: Indicator } = {},
): ConfidentPrediction {
  const { indicator = "var", bandBytes } = options;
  return inferenceMode(() => {
    if (isPlain(options)) {
      const logits = lowLogits(network, images);
      const labels = labelsOfLogits(logits, size, bandBytes);
      return { labels, confidence: confidenceOfLogits(logits, size, { ...options, indicator }) };
    }
    return confidentRows(viewsOf(network, images, size, options), indicator, bandBytes);
  });
}

/** Class of every pixel, and how likely it and the given one are. */
export interface LikelihoodPrediction {
  /** uint8 `[N, ...size]`. */
  readonly labels: Tensor;
  /** p of the predicted class, float32 `[N, ...size]`. */
  readonly likelihood: Tensor;
  /** p of the given class, 0 where it is ignored, float32 `[N, ...size]`. */
  readonly givenLikelihood: Tensor;
}

/**
 * Predicts the class of each pixel, with its likelihood and that of the class that the pixel was given.
 *
 * @param given - Labels, uint8 `[N, H, W]`: class indices and the ignore index; on the device of the images.
 */
export function predictWithLikelihoods(
  network: Network,
  images: Tensor,
  given: Tensor,
  options: InferenceOptions = {},
): LikelihoodPrediction {
  const size: Size = [given.size(1), given.size(2)];
  return inferenceMode(() =>
    tidy(() => {
      if (!isPlain(options)) return likelyRows(viewsOf(network, images, size, options), given, options);
      const logits = lowLogits(network, images);
      if (!isFusable(logits)) return likelyRows(plainViews(logits, size), given, options);
      const labels = labelsOfLogits(logits, size);
      const { likelihood } = pixelMaps({ logits, labels });
      return { labels, likelihood, givenLikelihood: pixelMaps({ logits, labels: given }).likelihood };
    }),
  );
}

function plainViews(logits: Tensor, size: Size): CombinedViews {
  return { rows: resizedRows(wholeRows(logits), size), logLikelihoods: (band) => band.logSoftmax(1) };
}

function likelyRows(
  views: CombinedViews,
  given: Tensor,
  { bandBytes }: InferenceOptions,
): LikelihoodPrediction {
  const reduce = (band: Tensor, from: number, to: number) => {
    const labels = labelsOfBand(band, from);
    const likelihoods = views.logLikelihoods(band).exp().to(band.device, "float32");
    const here = given.narrow(1, from, to - from);
    const isIgnored = here.eq(IGNORE_INDEX);
    const known = likelihoodsOf(likelihoods, here.maskedFill(isIgnored, 0));
    return [labels, likelihoodsOf(likelihoods, labels), known.maskedFill(isIgnored, 0)];
  };
  const maps = collectRows(views.rows, reduce, bandBytes) as [Tensor, Tensor, Tensor];
  const [labels, likelihood, givenLikelihood] = maps;
  return { labels, likelihood, givenLikelihood };
}

function likelihoodsOf(likelihoods: Tensor, labels: Tensor): Tensor {
  const classes = labels.unsqueeze(1).to(labels.device, "int64");
  return likelihoods.gather(1, classes).select(1, 0);
}

/** Returns a network whose logits are the mean over an image and its mirror image. */
export function withMirroring(network: Network): Network {
  return (images) =>
    tidy(() =>
      lowLogits(network, images)
        .add(lowLogits(network, images, true))
        .mul(0.5),
    );
}

function confidentRows(views: CombinedViews, indicator: Indicator, bandBytes?: number): ConfidentPrediction {
  const reduce = (band: Tensor, from: number) => [
    labelsOfBand(band, from),
    confidence(indicator, { logLikelihoods: views.logLikelihoods(band) }),
  ];
  const [labels, confidences] = collectRows(views.rows, reduce, bandBytes) as [Tensor, Tensor];
  return { labels, confidence: confidences };
}

function viewsOf(network: Network, images: Tensor, size: Size, options: InferenceOptions): CombinedViews {
  const { window = null } = options;
  const augmentation =
    typeof options.augmentation === "string" ? AUGMENTATIONS[options.augmentation] : options.augmentation;
  if (augmentation) return combinedViews(network, images, size, augmentation, window);
  const rows = resizedRows(slidingLogits(network, images, window as SlidingWindow), size);
  return { rows, logLikelihoods: (band) => band.logSoftmax(1) };
}
