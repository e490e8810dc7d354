import { noGrad } from "../autograd.ts";
import type { Device, DType, MemoryFormat } from "../dtype.ts";
import type { Tensor } from "../tensor.ts";

/** Where and how the tensors of a module lie. What is not named stays as it is. */
export interface Placement {
  readonly device?: Device;
  /** For tensors of floating point only; counters keep theirs. */
  readonly dtype?: DType;
  /** For tensors of four dimensions only: `channels_last` often makes convolutions faster. */
  readonly memoryFormat?: MemoryFormat;
}

function placed(tensor: Tensor, { device, dtype, memoryFormat }: Placement): Tensor {
  return tensor.to({
    ...(device !== undefined && { device }),
    ...(dtype !== undefined && tensor.isFloatingPoint() && { dtype }),
    ...(memoryFormat !== undefined && tensor.ndim === 4 && { memoryFormat }),
  });
}

/** Gives a tensor another device, dtype or memory format in place, its gradient too. */
export function place(tensor: Tensor, placement: Placement): void {
  noGrad(() => {
    const { grad } = tensor;
    tensor.grad = null;
    tensor.setData(placed(tensor, placement));
    if (grad !== null) tensor.grad = placed(grad, placement);
  });
}
