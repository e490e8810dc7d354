import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from "d3-scale";
import { formatNumber } from "./format-number.ts";

/** Maps the values of an axis to pixels, and knows where its ticks stand. */
export interface AxisScale {
  /** NaN for what the axis cannot show: no number, one beyond ±1e150, or nothing above 0 on a logarithmic axis. */
  position(value: number): number;
  /** A tick without a label has only its grid line. */
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

type Interval = readonly [low: number, high: number];

/** Beyond it, differences and ratios of two values overflow. A run that exploded so far has no curve to show. */
const LARGEST = 1e150;

/** Returns the smallest and the largest of the finite values, undefined if there is none; those beyond ±1e150 do not count. */
export function extent(values: Iterable<number>): Interval | undefined {
  const shown = [...values].filter((value) => Math.abs(value) <= LARGEST);
  if (shown.length === 0) return undefined;
  return shown.reduce<Interval>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
}

/**
 * Returns a linear axis over a domain; a constant stands in its middle.
 *
 * @param range - Pixels of the domain's ends; falling for a vertical axis.
 * @param count - About how many ticks.
 */
export function linearScale(domain: Interval, range: Interval, count = 5): AxisScale {
  const scale = scaleLinear(widened(domain), range);
  return axisOf(scale, scale.ticks(count), (value) => formatNumber(value, 4));
}

/** Returns a domain whose ends are ticks, so that no line touches the frame of a linear axis. */
export function niceDomain(domain: Interval, count = 5): Interval {
  const [low, high] = scaleLinear().domain(widened(domain)).nice(count).domain();
  return [low!, high!];
}

/** Returns a domain a little wider than values above 0 need, so that no line touches the frame of a logarithmic axis. */
export function roomyLogDomain([low, high]: Interval): Interval {
  const factor = isConstant([low, high]) ? 2 : (high / low) ** 0.04;
  return [low / factor, high * factor];
}

/** Tells whether a logarithmic axis can show a value. */
export function isOnLogAxis(value: number): boolean {
  return value >= 1 / LARGEST && value <= LARGEST;
}

/** Returns a logarithmic axis over a domain above 0; where there are many ticks, only the roundest have labels. */
export function logScale(domain: Interval, range: Interval): AxisScale {
  const scale = scaleLog(isConstant(domain) ? roomyLogDomain(domain) : domain, range);
  const shown = scale.tickFormat(6);
  const label = (value: number) => (shown(value) === "" ? "" : formatNumber(value));
  return axisOf(scale, scale.ticks(6), label, isOnLogAxis);
}

function axisOf(
  scale: ScaleContinuousNumeric<number, number>,
  values: readonly number[],
  label: (value: number) => string,
  isShown = (value: number) => Math.abs(value) <= LARGEST,
): AxisScale {
  return {
    position: (value) => (isShown(value) ? (scale(value) ?? Number.NaN) : Number.NaN),
    ticks: values.filter(isShown).map((value) => ({ value, label: label(value) })),
  };
}

/** Values that differ by rounding only have no scale of their own. */
function isConstant([low, high]: Interval): boolean {
  return high - low <= Math.max(1e-12 * Math.max(Math.abs(low), Math.abs(high)), 1 / LARGEST);
}

/** A constant gets an axis of its own size around it, one next to 0 the axis of 0. */
function widened([low, high]: Interval): Interval {
  if (!isConstant([low, high])) return [low, high];
  const half = Math.abs(low) > 1 / LARGEST ? Math.abs(low) / 2 : 1;
  return [low - half, low + half];
}
