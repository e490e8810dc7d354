import { type Phase, phaseAt } from "../reweighting/index.ts";

/** How the learning rate goes over a training. */
export interface ScheduleOptions {
  /** T: updates of the whole training. */
  readonly iterations: number;
  /** `paper` falls to a tenth at each of the drops; `poly` and `cosine` fall to `minimumFactor`. */
  readonly type: "paper" | "poly" | "cosine" | "constant";
  /** Part of T in which the rate rises linearly from a hundredth. */
  readonly warmupFraction: number;
  /** Of `paper`: parts of T. */
  readonly drops: readonly number[];
  /** Of `poly`: the exponent. */
  readonly power: number;
  /** Of `poly` and `cosine`: where they end, as a factor of the base rate. */
  readonly minimumFactor: number;
}

/** Where the warm-up begins, as a part of the base rate (Liu et al. 2020, section 4.2). */
const WARMUP_START = 0.01;
/** What each drop leaves of the rate. */
const DROP_FACTOR = 0.1;

/** The factor after the warm-up, at a part of the training in [0, 1]. */
function decay({ type, drops, power, minimumFactor }: ScheduleOptions, part: number): number {
  switch (type) {
    case "paper":
      return DROP_FACTOR ** drops.filter((drop) => part >= drop).length;
    case "poly":
      return minimumFactor + (1 - minimumFactor) * (1 - part) ** power;
    case "cosine":
      return minimumFactor + ((1 - minimumFactor) * (1 + Math.cos(Math.PI * part))) / 2;
    case "constant":
      return 1;
  }
}

/**
 * Returns the learning rate as a factor of the base rate, at an iteration of 0 .. T-1.
 *
 * `paper`: linear from 1/100 to 1 over the first 0.05 T, a tenth from 0.6 T, a hundredth from 0.9 T (Liu et al. 2020,
 * section 4.2). The warm-up multiplies the other schedules too.
 */
export function learningRateFactor(schedule: ScheduleOptions, iteration: number): number {
  const part = iteration / schedule.iterations;
  const { warmupFraction } = schedule;
  const warmup = part < warmupFraction ? WARMUP_START + ((1 - WARMUP_START) * part) / warmupFraction : 1;
  return warmup * decay(schedule, part);
}

/** What changes from one iteration to the next, as a function of the iteration's number alone, from 0. */
export interface Schedule {
  /** T: updates of the whole training. */
  readonly iterations: number;
  /** Returns the base learning rate. */
  learningRate(iteration: number): number;
  /** Returns whether network and curve are trained in isolation or jointly. */
  phase(iteration: number): Phase;
}

/**
 * Returns a schedule.
 *
 * @param base - The learning rate that the factors multiply.
 * @param isolated - Part of T during which the curve is trained apart, and whether there is a curve to learn.
 */
export function createSchedule(
  options: ScheduleOptions,
  base: number,
  isolated: { readonly fraction: number; readonly isLearnable: boolean },
): Schedule {
  const { iterations } = options;
  return {
    iterations,
    learningRate: (iteration) => base * learningRateFactor(options, iteration),
    phase: (iteration) => phaseAt(iteration, iterations, isolated),
  };
}
