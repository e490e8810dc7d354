import type { Config } from "../config/schema.ts";

type Schedule = Config["schedule"];

/** Where the warm-up begins, as a part of the base rate (Liu et al. 2020, section 4.1). */
const WARMUP_START = 0.01;
/** What each drop leaves of the rate. */
const DROP_FACTOR = 0.1;

/** The factor after the warm-up, at a part of the training in [0, 1]. */
function decay(schedule: Schedule, part: number): number {
  const { type, drops, power, minimumFactor } = schedule;
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
 * The learning rate as a factor of the base rate, at an iteration of 0 .. T-1.
 *
 * `paper`: linear from 1/100 to 1 over the first 0.05 T, a tenth from 0.6 T, a hundredth from 0.9 T (Liu et al. 2020,
 * section 4.1). The warm-up multiplies the other schedules too.
 */
export function learningRateFactor(schedule: Schedule, iteration: number): number {
  const part = iteration / schedule.iterations;
  const { warmupFraction } = schedule;
  const warmup = part < warmupFraction ? WARMUP_START + ((1 - WARMUP_START) * part) / warmupFraction : 1;
  return warmup * decay(schedule, part);
}
