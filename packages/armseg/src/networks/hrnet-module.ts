import type { Tensor } from "@armseg/torch";
import { nn } from "@armseg/torch";
import { Conv2d } from "./conv-2d.ts";
import type { NormFactory } from "./norm.ts";
import { BasicBlock } from "./resnet-blocks.ts";

/** Makes a 3×3 convolution and normalisation, with ReLU unless said: names `0` and `1`. */
export function convNormLayers(
  inChannels: number,
  outChannels: number,
  options: { stride: number; norm: NormFactory; hasReLU?: boolean },
): nn.Sequential {
  const { stride, norm, hasReLU = true } = options;
  return new nn.Sequential(
    new Conv2d(inChannels, outChannels, 3, { stride, padding: 1, bias: false }),
    norm(outChannels),
    ...(hasReLU ? [new nn.ReLU({ inPlace: true })] : []),
  );
}

/** Makes what branch `from` passes to reach the resolution and width of branch `to`; `null` where they are one. */
function exchange(
  widths: readonly number[],
  from: number,
  to: number,
  norm: NormFactory,
): nn.Sequential | null {
  const [inChannels, outChannels] = [widths[from] as number, widths[to] as number];
  if (from === to) return null;
  if (from > to)
    return new nn.Sequential(new nn.Conv2d(inChannels, outChannels, 1, { bias: false }), norm(outChannels));
  const steps = Array.from({ length: to - from }, (_, i) => {
    const isLast = i === to - from - 1;
    return convNormLayers(inChannels, isLast ? outChannels : inChannels, {
      stride: 2,
      norm,
      hasReLU: !isLast,
    });
  });
  return new nn.Sequential(...steps);
}

/** Four basic blocks in each branch, then every branch receives the sum of all (Sun et al. 2019, figure 3). */
export class HighResolutionModule extends nn.Module<[branches: readonly Tensor[]], readonly Tensor[]> {
  readonly branches: readonly nn.Sequential[];
  readonly fuseLayers: readonly (readonly (nn.Sequential | null)[])[];

  constructor(widths: readonly number[], norm: NormFactory) {
    super();
    const options = { stride: 1, dilation: 1, downsample: null, strideOn: "3x3", norm } as const;
    this.branches = widths.map(
      (width) => new nn.Sequential(...Array.from({ length: 4 }, () => new BasicBlock(width, width, options))),
    );
    this.fuseLayers = widths.map((_, to) => widths.map((_, from) => exchange(widths, from, to, norm)));
  }

  /** @param inputs - One map per branch, each of half the size of the one before. @returns The same shapes. */
  forward(inputs: readonly Tensor[]): readonly Tensor[] {
    const maps = this.branches.map((branch, i) => branch.call(inputs[i] as Tensor)); // [N, C_i, H_i, W_i] each
    return maps.map((own, to) => this.#fuse(own, to, maps));
  }

  #fuse(own: Tensor, to: number, maps: readonly Tensor[]): Tensor {
    const size = [own.size(2), own.size(3)] as const;
    let sum = own; // [N, C, H, W]
    for (const [from, layer] of (this.fuseLayers[to] as readonly (nn.Sequential | null)[]).entries()) {
      if (layer === null) continue;
      const changed = layer.call(maps[from] as Tensor); // [N, C, h, w]
      sum = sum.add(from > to ? nn.interpolate(changed, { size }) : changed); // [N, C, H, W]
    }
    return sum.relu_();
  }
}
