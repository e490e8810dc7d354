/** How many colours the page defines for series: `--series-0` and so on, one set for light and one for dark. */
const SERIES = 8;

/** The colour of the i-th series, as CSS; they repeat after eight. */
export function seriesColor(i: number): string {
  return `var(--series-${i % SERIES})`;
}

/** Blue over violet to orange: every colour is readable on white and on near-black, and lightness rises with value. */
const RAMP = [
  [58, 104, 212],
  [126, 92, 204],
  [206, 82, 140],
  [236, 138, 58],
] as const;

/** The colour of a fraction in [0, 1], as CSS. */
export function rampColor(fraction: number): string {
  const at = Math.min(Math.max(fraction, 0), 1) * (RAMP.length - 1);
  const i = Math.min(Math.floor(at), RAMP.length - 2);
  const mixed = RAMP[i]!.map((channel, c) => Math.round(channel + (RAMP[i + 1]![c]! - channel) * (at - i)));
  return `rgb(${mixed.join(" ")})`;
}
