import { nn, type Tensor } from "@armseg/torch";
import { initialiseClassifier } from "./initialise.ts";
import type { NormFactory } from "./norm.ts";

/** What a head makes of a backbone's stages. */
export interface HeadOutput {
  /** `[N, C, h, w]`. */
  readonly logits: Tensor;
  /** What the logits were read from, `[N, F, h, w]`: input of further heads. */
  readonly features: Tensor;
  /** Logits of the head inside this one that has a loss of its own (OCR's soft regions), `[N, C, h', w']`. */
  readonly auxiliary?: Tensor;
}

/** From the stages of a backbone, finest first, to logits. */
export interface Head extends nn.Module<[stages: readonly Tensor[]], HeadOutput> {
  /** F, channels of {@link HeadOutput.features}. */
  readonly featureChannels: number;
}

export interface HeadOptions {
  /** C, number of classes. */
  readonly classes: number;
  /** Width of the head. */
  readonly channels?: number;
  /** Share of channels dropped before the classifier. */
  readonly dropout?: number;
  readonly norm?: NormFactory;
}

/** Dropout of whole channels and a 1×1 convolution with bias: `conv_seg`, from N(0, 0.01²). */
export function classifier(channels: number, classes: number): nn.Conv2d {
  return initialiseClassifier(new nn.Conv2d(channels, classes, 1));
}
