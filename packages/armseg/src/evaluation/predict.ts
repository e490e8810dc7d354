import { join } from "node:path";
import type { Device } from "@armseg/torch";
import { tidy } from "@armseg/torch";
import type { Size } from "../core/size.ts";
import type { FloatMap } from "../data/drawing/index.ts";
import { heatmap, overlay, writeLabelPng, writeRgbPng } from "../data/drawing/index.ts";
import type { Indicator } from "../reweighting/indicators.ts";
import type { InferenceOptions } from "./inference.ts";
import { predictWithConfidence } from "./inference.ts";
import { floats, type ImageInput, imageTensor, type LabelImage, type Network } from "./maps.ts";

/** What the network makes of one image. */
export interface Prediction {
  readonly label: LabelImage;
  /** u in [-1, 1], -1 least and 1 most confident. */
  readonly confidence: FloatMap;
}

export interface PredictImageOptions extends InferenceOptions {
  /** Size of the maps: of the image on disk, where it was resized for the network. Default: {@link ImageInput.size}. */
  readonly originalSize?: Size;
  /** Default `var`. */
  readonly indicator?: Indicator;
  /** Where the network is. Default `cpu`. */
  readonly device?: Device;
}

/** Predicts class and confidence of each pixel of one image. */
export function predictImage(
  network: Network,
  input: ImageInput,
  options: PredictImageOptions = {},
): Prediction {
  const { originalSize = input.size, device = "cpu" } = options;
  const [height, width] = originalSize;
  return tidy(() => {
    const found = predictWithConfidence(network, imageTensor(input, device), originalSize, options);
    return {
      label: { height, width, data: found.labels.toTypedArray() as Uint8Array },
      confidence: { height, width, data: floats(found.confidence) },
    };
  });
}

/** 8-bit RGB, interleaved, row-major. */
export interface RgbImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export interface WritePredictionOptions {
  /** Names and colours (0..255) of the classes. */
  readonly classes: readonly { readonly name: string; readonly color: readonly [number, number, number] }[];
  /** The image on disk, of the prediction's size; with it an overlay is written. */
  readonly image?: RgbImage | null;
  /** Opacity of the overlay. Default 0.5. */
  readonly alpha?: number;
  /** Whether to write the confidence as an image, too: dark blue -1, yellow 1. Default false. */
  readonly confidence?: boolean;
  /** Whether to replace files that exist. Default false: an error. */
  readonly overwrite?: boolean;
}

/**
 * Writes what was predicted for one image: `NAME.png` (indices, with the classes' palette), `NAME_overlay.png`, `NAME_confidence.png`.
 *
 * @param name - Path below the folder, without suffix.
 * @returns The files written.
 * @throws {Error} If one exists and `overwrite` is not set; those before it stay.
 */
export async function writePrediction(
  folder: string,
  name: string,
  { label, confidence }: Prediction,
  options: WritePredictionOptions,
): Promise<string[]> {
  const { classes, image = null, alpha, overwrite = false } = options;
  const path = (ending: string) => join(folder, `${name}${ending}.png`);
  const written = [path("")];
  writeLabelPng(path(""), label, classes, { overwrite });
  if (image) {
    await writeRgbPng(path("_overlay"), overlay(image, label, classes, alpha), { overwrite });
    written.push(path("_overlay"));
  }
  if (options.confidence) {
    await writeRgbPng(path("_confidence"), heatmap(confidence, [-1, 1]), { overwrite });
    written.push(path("_confidence"));
  }
  return written;
}
