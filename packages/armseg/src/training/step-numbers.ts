import { noGrad, ops, type Tensor } from "@armseg/torch";

/** What one batch's losses report, on the device. */
export interface BatchNumbers {
  /** Q, or the plain mean in the isolated phase. `[]`. */
  readonly objective: Tensor;
  /** Mean loss of the pixels. `[]`. */
  readonly meanLoss: Tensor;
  /** Loss of the auxiliary head before its weight, `[]`; `null` without one. */
  readonly auxiliaryLoss: Tensor | null;
  /** Energy of the affinity before its weight, `[]`; `null` without one. */
  readonly affinity: Tensor | null;
  /** Sum of the pixels' weights, `[]`, or their number where all weigh alike. */
  readonly weight: Tensor | number;
  /** Sums by confidence, as the loss reports them; `null` without a curve. */
  readonly bins: Tensor | null;
}

/** The same of a whole step, summed over its batches and processes, off the device. */
export interface StepNumbers {
  readonly objective: number;
  readonly meanLoss: number;
  readonly auxiliaryLoss: number | null;
  readonly affinity: number | null;
  readonly weight: number;
  readonly bins: Float64Array | null;
  /** L2 norm of the gradients. */
  readonly gradientNorm: number;
}

/** Numbers in front of the bins, in this order. */
const SCALARS = ["objective", "meanLoss", "auxiliaryLoss", "affinity", "weight"] as const;

/** Packs the numbers into one tensor, which is summed and read as a whole: float64, `[5 + bins]`, on the device. */
export function packNumbers(numbers: BatchNumbers): Tensor {
  return noGrad(() => {
    const { device } = numbers.objective;
    const scalars = SCALARS.map((name) => {
      const value = numbers[name] ?? Number.NaN;
      if (typeof value === "number") return ops.full([], value, { dtype: "float64", device });
      return value.detach().to("float64");
    });
    return ops.cat([ops.stack(scalars), ...(numbers.bins ? [numbers.bins.reshape([-1])] : [])]);
  });
}

/** Reads packed numbers together with a gradient norm, `[]`, in one transfer: this waits for the device. */
export function readNumbers(packed: Tensor, gradientNorm: Tensor): StepNumbers {
  const all = ops.cat([packed, gradientNorm.reshape([-1]).to(packed.device, packed.dtype)]);
  const values = all.cpu().toTypedArray() as Float64Array;
  const at = (name: (typeof SCALARS)[number]) => values[SCALARS.indexOf(name)] as number;
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  const bins = values.slice(SCALARS.length, -1);
  return {
    objective: at("objective"),
    meanLoss: at("meanLoss"),
    auxiliaryLoss: orNull(at("auxiliaryLoss")),
    affinity: orNull(at("affinity")),
    weight: at("weight"),
    bins: bins.length > 0 ? bins : null,
    gradientNorm: values.at(-1) as number,
  };
}
