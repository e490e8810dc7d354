/** When a training's labels are looked at, and how fast what is made of them gains weight. */
export interface TeachingSchedule {
  /** Updates after which labels are looked at, rising; at least 1, below the training's last. */
  readonly iterations: readonly number[];
  /** Updates over which the weight of taught pixels rises from 0 to 1, from the first of them on. */
  readonly ramp: number;
}

/**
 * @param iterations - T: updates of the whole training.
 * @param options - `start` and `ramp` in parts of T; `rounds` are evenly spread from the start to the end.
 */
export function teachingSchedule(
  iterations: number,
  { start, rounds, ramp }: { readonly start: number; readonly rounds: number; readonly ramp: number },
): TeachingSchedule {
  const times = Array.from({ length: rounds }, (_, k) =>
    Math.max(1, Math.round(iterations * (start + (k * (1 - start)) / rounds))),
  );
  return {
    iterations: [...new Set(times)].filter((time) => time < iterations),
    ramp: Math.round(ramp * iterations),
  };
}

/** Returns the weight of taught pixels in the update after so many. */
export function taughtWeight({ iterations, ramp }: TeachingSchedule, iteration: number): number {
  const since = iteration - (iterations[0] ?? Number.POSITIVE_INFINITY);
  if (since < 0) return 0;
  return ramp === 0 ? 1 : Math.min(1, since / ramp);
}

/** Returns when labels were looked at last, at or before so many updates; `null` if they were not. */
export function lastTaught({ iterations }: TeachingSchedule, iteration: number): number | null {
  return iterations.findLast((time) => time <= iteration) ?? null;
}
