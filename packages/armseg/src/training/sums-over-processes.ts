import { noGrad, type Tensor, tidy } from "@armseg/torch";
import type { DistributedContext } from "../distributed/context.ts";
import { type LossReport, packLossReport, unpackLossReport } from "../losses/index.ts";
import { type Curve, type Phase, sampleCurve } from "../reweighting/index.ts";

/**
 * The sums of the loss over the batches of all processes, in place of this process's own.
 *
 * The reducer averages the processes' gradients, so the loss of each is weighted by its part in the common sums; the gradient
 * of the curve is not a mean of theirs, and is formed from the sums themselves.
 */
export class SumsOverProcesses {
  readonly #own: LossReport;
  readonly #all: LossReport;
  readonly #worldSize: number;

  /**
   * Sums over the processes: collective.
   *
   * @param report - On this process's batch.
   */
  constructor(report: LossReport, context: DistributedContext) {
    const packed = packLossReport(report);
    context.allReduce_(packed);
    this.#own = report;
    this.#all = unpackLossReport(packed);
    this.#worldSize = context.worldSize;
  }

  /** Returns what the main loss is multiplied by, `[]`: its weights' part, or its pixels' where the mean is minimised. */
  lossFactor(hasCurve: boolean, phase: Phase): Tensor {
    return this.#factor(hasCurve && phase === "joint" ? "weightSum" : "keptPixels");
  }

  /** Returns what the auxiliary loss, a mean over valid pixels, is multiplied by. `[]`. */
  auxiliaryFactor(): Tensor {
    return this.#factor("validPixels");
  }

  #factor(sum: "weightSum" | "keptPixels" | "validPixels"): Tensor {
    return noGrad(() => this.#own[sum].mul(this.#worldSize).div(this.#all[sum].clampMin(Number.MIN_VALUE)));
  }

  /**
   * Returns a number whose gradient is that of Q over all batches with respect to the curve:
   * dQ/dw = (l − SL·w^(p−1)/Sp)/S1, summed at each knot. `[]`; the same on every process.
   */
  curveObjective(curve: Curve): Tensor {
    const knots = sampleCurve(curve);
    const gradient = noGrad(() =>
      tidy(() => {
        const { weightSum, weightPowerSum, weightedLossSum, bins } = this.#all;
        if (!bins) throw new Error("curveObjective(): expected a report with bins, got none");
        const level = weightedLossSum.div(weightPowerSum.clampMin(Number.MIN_VALUE));
        const slope = bins.lossSum.sub(bins.weightPowerSum.mul(level));
        return slope.div(weightSum.clampMin(Number.MIN_VALUE)).to(knots.dtype);
      }),
    );
    return knots.mul(gradient).sum();
  }
}
