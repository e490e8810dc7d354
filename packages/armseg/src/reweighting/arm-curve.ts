import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";

/**
 * The adversarial reweighting module: four 1×1 convolutions 1→4→4→4→1 with bias, Swish between, Sigmoid at the end
 * (Liu et al. 2020, sections 3.5 and 4.2).
 *
 * That is (1·4 + 4) + (4·4 + 4) + (4·4 + 4) + (4·1 + 1) = 53 parameters, the paper's number; the widths are inferred
 * from it. A 1×1 convolution sees one pixel: this is a curve of the confidence, whatever the image.
 */
export class ArmCurve extends nn.Module {
  readonly conv1 = new nn.Conv2d(1, 4, 1);
  readonly conv2 = new nn.Conv2d(4, 4, 1);
  readonly conv3 = new nn.Conv2d(4, 4, 1);
  readonly conv4 = new nn.Conv2d(4, 1, 1);

  /** @param confidence - u in [−1, 1], any shape. @returns W(u) in [0, 1], of the same shape. */
  forward(confidence: Tensor): Tensor {
    let hidden = confidence.reshape([1, 1, 1, -1]);
    for (const convolution of [this.conv1, this.conv2, this.conv3]) hidden = convolution.call(hidden).silu();
    return this.conv4.call(hidden).sigmoid().reshape(confidence.shape);
  }
}
