import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { initialiseClassifier } from "./initialise.ts";

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
