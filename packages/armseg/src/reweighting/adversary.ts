import type { Parameter } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import type { Curve } from "./curve.ts";

/** Whether the network and the curve are trained apart or together. */
export type Phase = "isolated" | "joint";

/** Fraction of the training during which they are apart (Liu et al. 2020, section 4.2). */
export const ISOLATED_FRACTION = 0.05;

/**
 * Returns the phase of an iteration: isolated for the first 0.05·T of T, then joint.
 *
 * The paper's isolated phase (section 4.2). Isolated: the network minimises the plain mean of l, the curve maximises Q with the network's losses held fixed.
 * Joint: one Q, minimised by the network and maximised by the curve. A curve without parameters has nothing to be
 * prepared, so its training is joint from the start.
 *
 * @param iteration - From 0.
 * @param iterations - T, of the whole training.
 */
export function phaseAt(
  iteration: number,
  iterations: number,
  options: { fraction?: number; isLearnable?: boolean } = {},
): Phase {
  const isolated = (options.isLearnable ?? true) ? (options.fraction ?? ISOLATED_FRACTION) * iterations : 0;
  return iteration < isolated ? "isolated" : "joint";
}

/** How the curve's optimiser differs from the network's. */
export interface AdversaryOptions {
  /**
   * Factor on the curve's learning rate. Default 1, the paper's. In simulation the curve took 2,000 to 8,000 iterations
   * to reach its optimum: short trainings need more.
   */
  readonly learningRateMultiplier?: number;
  /**
   * Weight decay of the curve's parameters. Default 0: under a negative learning rate decay is growth,
   * w ← w + |rate|·(gradient + decay·w).
   */
  readonly weightDecay?: number;
}

/**
 * Returns the curve's learning rate: the network's of the same iteration, negated, times the multiplier.
 *
 * The min-max objective and its update rules (Liu et al. 2020, section 3.3): the same optimiser and schedule drive both;
 * the network descends Q, the curve climbs it.
 *
 * @param learningRate - The network's at this iteration, positive.
 * @throws {RangeError} If the multiplier is not positive: the curve would descend too, and weights would vanish.
 */
export function adversaryLearningRate(learningRate: number, options: AdversaryOptions = {}): number {
  const multiplier = options.learningRateMultiplier ?? 1;
  if (!(multiplier > 0)) {
    throw argumentError("adversaryLearningRate", "a positive learningRateMultiplier", multiplier);
  }
  return -multiplier * learningRate;
}

/** A group of {@link optim.SGD} for the curve; its parameters are named `curve.conv1.weight` and so on. */
export interface AdversaryGroup {
  readonly parameters: readonly (readonly [name: string, parameter: Parameter])[];
  readonly learningRate: number;
  readonly weightDecay: number;
}

/**
 * Makes the curve a parameter group beside the network's, in the same optimiser.
 *
 * @param learningRate - The network's, positive. A schedule sets both groups: this one to {@link adversaryLearningRate}.
 * @example
 * const optimizer = new optim.SGD([{ parameters: network }, adversaryGroup(curve, 0.02)], { learningRate: 0.02 });
 */
export function adversaryGroup(
  curve: Curve,
  learningRate: number,
  options: AdversaryOptions = {},
): AdversaryGroup {
  return {
    parameters: [...curve.namedParameters("curve")],
    learningRate: adversaryLearningRate(learningRate, options),
    weightDecay: options.weightDecay ?? 0,
  };
}
