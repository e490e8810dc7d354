import { nn } from "@armseg/torch";
import type { NormFactory } from "./norm.ts";

/** The deep stem: three 3×3 convolutions, the first of stride 2, each with normalisation and ReLU; names `0` to `8`. */
export function deepStem(widths: readonly [number, number, number], norm: NormFactory): nn.Sequential {
  const layers = [3, ...widths].slice(0, -1).flatMap((inChannels, i) => {
    const outChannels = widths[i] as number;
    return [
      new nn.Conv2d(inChannels, outChannels, 3, { stride: i === 0 ? 2 : 1, padding: 1, bias: false }),
      norm(outChannels),
      new nn.ReLU({ inPlace: true }),
    ];
  });
  return new nn.Sequential(...layers);
}
