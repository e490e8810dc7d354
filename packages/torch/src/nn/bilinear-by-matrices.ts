import type { Device, DType } from "../dtype.ts";
import { tidy } from "../scope.ts";
import { type Tensor, tensor } from "../tensor.ts";

/** Returns where a pixel of the result lies among those of the source, as ATen computes it. */
function sourcePosition(target: number, scale: number, alignCorners: boolean): number {
  return alignCorners ? target * scale : Math.max(0, (target + 0.5) * scale - 0.5);
}

function scaleOf(source: number, target: number, factor: number | null, alignCorners: boolean): number {
  if (alignCorners) return target > 1 ? (source - 1) / (target - 1) : 0;
  return factor === null ? source / target : 1 / factor;
}

interface Axis {
  readonly source: number;
  readonly target: number;
  /** The factor that the target came from, or `null` where the size was given. */
  readonly factor: number | null;
}

/** `[target, source]`, two numbers in each row that sum to 1. */
function interpolationMatrix(
  { source, target, factor }: Axis,
  alignCorners: boolean,
  like: { dtype: DType; device: Device },
): Tensor {
  const values = new Float64Array(target * source);
  const scale = scaleOf(source, target, factor, alignCorners);
  for (let i = 0; i < target; i++) {
    const position = sourcePosition(i, scale, alignCorners);
    const low = Math.min(Math.floor(position), source - 1);
    const high = Math.min(low + 1, source - 1);
    const share = Math.min(position - low, 1);
    values[i * source + low] = (values[i * source + low] as number) + 1 - share;
    values[i * source + high] = (values[i * source + high] as number) + share;
  }
  return tensor(values, like).reshape([target, source]);
}

/**
 * Resizes bilinearly as two products with constant matrices, A_h · X · A_wᵀ.
 *
 * The backward pass of CUDA's own bilinear kernel adds in no fixed order; that of a matrix product is deterministic.
 *
 * @param input - `[N, C, h, w]`.
 * @returns `[N, C, H, W]`, equal to `upsample_bilinear2d` up to rounding.
 */
export function bilinearByMatrices(
  input: Tensor,
  size: readonly [number, number],
  options: { alignCorners?: boolean; factors?: readonly [number, number] | null } = {},
): Tensor {
  return tidy(() => {
    const { alignCorners = false, factors = null } = options;
    const like = { dtype: input.dtype, device: input.device };
    const matrix = (axis: 0 | 1) =>
      interpolationMatrix(
        { source: input.size(axis + 2), target: size[axis], factor: factors?.[axis] ?? null },
        alignCorners,
        like,
      );
    const wide = input.matmul(matrix(1).transpose(0, 1)); // [N, C, h, W]
    return matrix(0).matmul(wide); // [N, C, H, W]
  });
}
