import { fromTypedArray, noGrad, type Tensor } from "@armseg/torch";
import { BIN_SUMS, namedBins } from "../losses/index.ts";
import { CURVE_INTERVALS, type Curve, sampleCurve } from "../reweighting/index.ts";
import type { CurveRecord } from "../runs/records.ts";

/** Bins of the record: the kernel's are finer than a chart needs. */
const BINS = 64;

/**
 * Gathers what the loss says of each confidence bin, between two records of the curve.
 */
export class CurveLog {
  readonly #sums = new Float64Array(BIN_SUMS.length * (CURVE_INTERVALS + 1));

  /** @param bins - `[4, K + 1]` of the loss's report, read; `null` adds nothing. */
  add(bins: Float64Array | null): void {
    if (!bins) return;
    for (let i = 0; i < bins.length; i++) this.#sums[i] = (this.#sums[i] as number) + (bins[i] as number);
  }

  /** What has been gathered, for a checkpoint: `[4 * (K + 1)]`, float64, on the log's own memory. */
  state(): Tensor {
    return fromTypedArray(this.#sums, [this.#sums.length]);
  }

  /** @throws {RangeError} If they are not as many as {@link state} has. */
  loadState(values: readonly number[]): void {
    if (values.length !== this.#sums.length) {
      throw new RangeError(`CurveLog.loadState(): expected ${this.#sums.length} sums, got ${values.length}`);
    }
    this.#sums.set(values);
  }

  /** The record of the curve as it is now, and a fresh start. */
  flush(curve: Curve, iteration: number, p: number): CurveRecord {
    const { count: pixels, lossSum } = namedBins(this.#sums);
    const count = perBin(pixels);
    const loss = perBin(lossSum);
    const weights = noGrad(() =>
      Array.from(sampleCurve(curve, { intervals: BINS }).toTypedArray() as Float32Array),
    );
    this.#sums.fill(0);
    return {
      kind: "curve",
      iteration,
      p,
      knots: Array.from({ length: BINS + 1 }, (_, i) => (2 * i) / BINS - 1),
      weights,
      meanLossPerBin: loss.map((sum, i) => sum / (count[i] as number)), // NaN where no pixel fell
      countPerBin: count,
    };
  }
}

/** Sums at the knots, as sums of the record's bins. */
function perBin(atKnots: Float64Array): number[] {
  const bins = new Array<number>(BINS).fill(0);
  for (const [k, sum] of atKnots.entries()) {
    const bin = Math.min(BINS - 1, Math.floor((k * BINS) / CURVE_INTERVALS));
    bins[bin] = (bins[bin] as number) + sum;
  }
  return bins;
}
