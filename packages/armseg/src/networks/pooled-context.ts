import type { Tensor } from "@armseg/torch";
import { isTraced, nn, ops } from "@armseg/torch";
import { Conv2d } from "./conv-2d.ts";
import { activate_ } from "./conv-norm.ts";
import type { NormFactory } from "./norm.ts";

/**
 * The 3×3 or 1×1 convolution over an image-wide vector, spread over all pixels, joined with a map.
 *
 * The same as spreading, concatenating and convolving. But where the input is constant, the output of a 3×3 convolution takes only
 * nine values: inside, at four edges, in four corners; that of a 1×1 convolution one. They are computed on an image of that size and
 * spread afterwards, which saves the pooled part of the convolution (a fifth of DeepLab's largest layer) and a copy of the map.
 */
export class PooledConv2d extends Conv2d {
  /** @param pooled - `[N, P, 1, 1]`. @param map - `[N, M, H, W]`; the weight is `[out, P + M, K, K]`, K = 1 or 3. */
  join(pooled: Tensor, map: Tensor): Tensor {
    const [, channels] = pooled.shape as [number, number];
    const [, mapChannels, height, width] = map.shape as [number, number, number, number];
    const kernel = this.weight.size(2);
    if (height < kernel || width < kernel || isTraced()) {
      return this.forward(ops.cat([pooled.expand([-1, -1, height, width]), map], 1));
    }
    const pooledWeight = this.weight.narrow(1, 0, channels); // [out, P, K, K]
    const mapWeight = this.weight.narrow(1, channels, mapChannels); // [out, M, K, K]
    if (kernel === 1) {
      return ops.conv2d(map, mapWeight, null).add_(ops.conv2d(pooled, pooledWeight, null)); // [N, out, H, W]
    }
    const nine = ops.conv2d(pooled.expand([-1, -1, 3, 3]), pooledWeight, null, 1, 1); // [N, out, 3, 3]
    return this.convolve(map, mapWeight).add_(spread(spread(nine, 2, height), 3, width)); // [N, out, H, W]
  }
}

/** Repeats the middle one of three slices until there are `size`. */
function spread(nine: Tensor, dimension: 2 | 3, size: number): Tensor {
  const sizes = nine.shape.map((own, i) => (i === dimension ? size - 2 : own));
  const middle = nine.narrow(dimension, 1, 1).expand(sizes);
  return ops.cat([nine.narrow(dimension, 0, 1), middle, nine.narrow(dimension, 2, 1)], dimension);
}

/** {@link PooledConv2d} without bias, normalisation, ReLU, under ConvModule's names. */
export class PooledConvNorm extends nn.Module<[pooled: Tensor, map: Tensor]> {
  readonly conv: PooledConv2d;
  readonly bn: nn.Module;

  constructor(inChannels: number, outChannels: number, options: { kernelSize: 1 | 3; norm: NormFactory }) {
    super();
    const { kernelSize, norm } = options;
    const padding = (kernelSize - 1) / 2;
    this.conv = new PooledConv2d(inChannels, outChannels, kernelSize, { padding, bias: false });
    this.bn = norm(outChannels);
  }

  forward(pooled: Tensor, map: Tensor): Tensor {
    return activate_(this.bn.call(this.conv.join(pooled, map)), "relu"); // [N, out, H, W]
  }
}
