import { isDeterministic } from "../runtime.ts";
import type { Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import { bilinearByMatrices } from "./bilinear-by-matrices.ts";
import { Module } from "./module.ts";
import type { Size2d } from "./size-2d.ts";
import { pairOf } from "./size-2d.ts";

type TargetSize =
  | { readonly size: Size2d; readonly scaleFactor?: never }
  | { readonly scaleFactor: Size2d; readonly size?: never };

type Interpolation =
  | {
      readonly mode?: "bilinear";
      /** Whether the corner pixels' centres stay in the corners. Default false. */
      readonly alignCorners?: boolean;
    }
  | { readonly mode: "nearest"; readonly alignCorners?: never };

/** The size to reach in pixels, or a factor on the present one (rounded down); and how: bilinear unless said. */
export type InterpolateOptions = TargetSize & Interpolation;

/** Where the device's own bilinear resize has no deterministic backward pass and one was asked for. */
function needsMatrices(input: Tensor): boolean {
  return isDeterministic() && input.device !== "cpu";
}

/**
 * Resizes images, `[N, C, H, W]` to `[N, C, H', W']`.
 *
 * @example
 * interpolate(logits, { size: [512, 1024] });
 */
export function interpolate(input: Tensor, options: InterpolateOptions): Tensor {
  const size = options.size === undefined ? null : pairOf(options.size);
  const factors = options.scaleFactor === undefined ? null : pairOf(options.scaleFactor);
  if (options.mode === "nearest") return ops.upsampleNearest2d(input, size, factors);
  const alignCorners = options.alignCorners ?? false;
  if (!needsMatrices(input)) return ops.upsampleBilinear2d(input, size, alignCorners, factors);
  const scaled = (axis: 0 | 1) => Math.floor(input.size(axis + 2) * (factors?.[axis] ?? 1));
  return bilinearByMatrices(input, size ?? [scaled(0), scaled(1)], { alignCorners, factors });
}

/** {@link interpolate} as a module. */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    super();
    this.options = options;
  }

  forward(input: Tensor): Tensor {
    return interpolate(input, this.options);
  }
}
