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
  readonly headChannels?: number;
  /** Share of channels dropped before the classifier. */
  readonly dropout?: number;
  readonly norm?: NormFactory;
}

/** Makes the classifier, a 1×1 convolution with bias: `conv_seg`, from N(0, 0.01²). */
export function classifier(channels: number, classes: number): nn.Conv2d {
  return initialiseClassifier(new nn.Conv2d(channels, classes, 1));
}

/**
 * ln s of the KL loss, read from the features behind the logits by a 1×1 convolution, `[N, F, h, w]` to `[N, 1, h, w]`.
 *
 * Starts at s ≈ 1, where the loss is the cross entropy: N(0, 1e-4²) and bias 0, as He et al. 2019 (1809.08545, section 3.2) start theirs.
 */
export class LogScaleHead extends nn.Module {
  readonly conv: nn.Conv2d;

  constructor(channels: number) {
    super();
    this.conv = initialiseClassifier(new nn.Conv2d(channels, 1, 1), 1e-4);
  }

  forward(features: Tensor): Tensor {
    return this.conv.call(features); // [N, 1, h, w]
  }
}
