import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import type { HasPooledNorm, NormFactory } from "./norm.ts";
import { assertPooledBatch } from "./norm.ts";

/**
 * Split attention of radix 2 (Zhang et al. 2020, section 3.1): two 3×3 convolutions of half of the input each, mixed channel by channel.
 *
 * The mixture is a softmax over the two, computed from their image-wide means by two 1×1 convolutions.
 */
export class SplitAttention extends nn.Module implements HasPooledNorm {
  readonly conv: nn.Conv2d;
  readonly bn0: nn.Module;
  readonly fc1: nn.Conv2d;
  readonly bn1: nn.Module;
  readonly fc2: nn.Conv2d;

  constructor(channels: number, options: { stride: number; dilation: number; norm: NormFactory }) {
    super();
    const { stride, dilation, norm } = options;
    const inner = Math.max(channels / 2, 32); // radix · channels / 4
    const shape = { stride, padding: dilation, dilation, groups: 2, bias: false };
    this.conv = new nn.Conv2d(channels, 2 * channels, 3, shape);
    this.bn0 = norm(2 * channels);
    this.fc1 = new nn.Conv2d(channels, inner, 1);
    this.bn1 = norm(inner);
    this.fc2 = new nn.Conv2d(inner, 2 * channels, 1);
  }

  get pooledNorm(): nn.Module {
    return this.bn1;
  }

  /** @throws {RangeError} In training with a batch of one, which the second normalisation cannot take. */
  forward(x: Tensor): Tensor {
    assertPooledBatch("SplitAttention()", x, this);
    const splits = this.bn0.call(this.conv.call(x)).relu_(); // [N, 2·C, H', W']
    const [first, second] = splits.chunk(2, 1) as [Tensor, Tensor]; // [N, C, H', W'] each
    const [firstShare, secondShare] = this.#shares(splits); // [N, C, 1, 1] each
    return first.mul(firstShare).addcmul_(second, secondShare); // [N, C, H', W']
  }

  #shares(splits: Tensor): [first: Tensor, second: Tensor] {
    const [batch, channels] = splits.shape as [number, number];
    const means = splits
      .mean([2, 3], true)
      .unflatten(1, [2, channels / 2])
      .sum([1]); // [N, C, 1, 1]
    const hidden = this.bn1.call(this.fc1.call(means)).relu_(); // [N, inner, 1, 1]
    const shares = this.fc2
      .call(hidden)
      .reshape([batch, 2, channels / 2, 1, 1])
      .softmax(1); // [N, 2, C, 1, 1]
    return [shares.select(1, 0), shares.select(1, 1)];
  }
}
