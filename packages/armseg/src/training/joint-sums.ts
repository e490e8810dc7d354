import { noGrad, ops, type Tensor, tensor, tidy } from "@armseg/torch";
import type { World } from "../distributed/world.ts";
import type { SegmentationLossResult } from "../losses/index.ts";
import { CURVE_INTERVALS, type Curve, type Phase, sampleCurve } from "../reweighting/index.ts";

/** Places in the sums of all processes: the statistics of the loss, this batch's valid pixels, the bins. */
const KEPT = 1;
const WEIGHT = 2;
const WEIGHT_POWER = 3;
const WEIGHTED_LOSS = 4;
const VALID = 10;
const BINS = 11;
const KNOTS = CURVE_INTERVALS + 1;
/** Rows of the bins: losses, and weights to the power p − 1. */
const LOSS_ROW = 2;
const POWER_ROW = 3;

/**
 * The sums of the loss over the batches of all processes, in place of this process's own.
 *
 * `Reducer` averages the processes' gradients, so the loss of each is weighted by its part in the joint sums; the gradient
 * of the curve is not a mean of theirs, and is formed from the sums themselves.
 */
export class JointSums {
  readonly #own: Tensor;
  readonly #all: Tensor;
  readonly #processes: number;

  /**
   * A meeting of all processes.
   *
   * @param result - With statistics, and for a curve with bins.
   * @param validPixels - Of this process's batch.
   */
  constructor(result: SegmentationLossResult, validPixels: number, world: World) {
    const { statistics, bins } = result;
    const { device } = statistics;
    this.#own = noGrad(() =>
      ops.cat([statistics, tensor([validPixels], { dtype: "float64", device }), bins.reshape([-1])]),
    );
    this.#all = noGrad(() => this.#own.clone());
    this.#processes = world.size;
    world.group.allReduce_(this.#all);
  }

  /** What the main loss is multiplied by, `[]`: its weights' part, or its pixels' where the mean is minimised. */
  lossFactor(hasCurve: boolean, phase: Phase): Tensor {
    return this.#factor(hasCurve && phase === "joint" ? WEIGHT : KEPT);
  }

  /** What the auxiliary loss, a mean over valid pixels, is multiplied by. `[]`. */
  auxiliaryFactor(): Tensor {
    return this.#factor(VALID);
  }

  #factor(place: number): Tensor {
    return noGrad(() => {
      const [own, all] = [this.#own, this.#all].map((sums) => sums.select(0, place)) as [Tensor, Tensor];
      return own.mul(this.#processes).div(all.clampMin(Number.MIN_VALUE));
    });
  }

  /**
   * A number whose gradient is that of Q over all batches with respect to the curve: dQ/dw = (l − SL·w^(p−1)/Sp)/S1, summed at
   * each knot. `[]`; the same on every process.
   */
  curveObjective(curve: Curve): Tensor {
    const knots = sampleCurve(curve);
    const gradient = noGrad(() =>
      tidy(() => {
        const at = (place: number) => this.#all.select(0, place);
        const row = (index: number) => this.#all.narrow(0, BINS + index * KNOTS, KNOTS);
        const level = at(WEIGHTED_LOSS).div(at(WEIGHT_POWER).clampMin(Number.MIN_VALUE));
        const slope = row(LOSS_ROW).sub(row(POWER_ROW).mul(level));
        return slope.div(at(WEIGHT).clampMin(Number.MIN_VALUE)).to(knots.dtype);
      }),
    );
    return knots.mul(gradient).sum();
  }
}
