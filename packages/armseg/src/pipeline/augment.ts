import { CounterRandom, STREAMS } from "../core/random.ts";
import type { LabelImage } from "../data/sample.ts";
import { drawFlip, type FlipOptions } from "./flip.ts";
import type { NormaliseOptions } from "./normalise.ts";
import { drawPhotometric, type PhotometricDistortion, type PhotometricOptions } from "./photometric.ts";
import { drawCrop, type RandomCropOptions } from "./random-crop.ts";
import { drawResize, type RandomResizeOptions } from "./random-resize.ts";
import type { Size, Window } from "./window.ts";

/** The training pipeline, in the order of its steps; a step that is `null` is left out. Plain data: it is sent to worker threads. */
export interface AugmentationOptions {
  readonly resize: RandomResizeOptions | null;
  readonly crop: RandomCropOptions;
  readonly flip: FlipOptions;
  readonly photometric: PhotometricOptions | null;
  readonly normalise: NormaliseOptions;
}

/** Everything random about one augmented sample. */
export interface Augmentation {
  /** `[height, width]` that the whole image would be resized to. */
  readonly resized: Size;
  /** What of it is kept, in pixels of the resized image. */
  readonly window: Window;
  readonly flip: boolean;
  readonly photometric: PhotometricDistortion | null;
}

/**
 * Draw all that is random about one sample; nothing is resized for it.
 *
 * A pure function of its arguments: each step draws from its own stream of the key.
 *
 * @param label - The whole label in its size on disk: the crop is chosen by its classes.
 */
export function drawAugmentation(
  key: { readonly seed: number; readonly iteration: number; readonly index: number },
  label: LabelImage,
  options: AugmentationOptions,
): Augmentation {
  const stream = (name: keyof typeof STREAMS) => new CounterRandom({ ...key, stream: STREAMS[name] });
  const size: Size = [label.height, label.width];
  const resized = options.resize ? drawResize(stream("resize"), size, options.resize) : size;
  return {
    resized,
    window: drawCrop(stream("crop"), label, resized, options.crop),
    flip: drawFlip(stream("flip"), options.flip),
    photometric: options.photometric && drawPhotometric(stream("photometric"), options.photometric),
  };
}
