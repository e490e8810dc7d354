import { formatNumber } from "./format-number.ts";

/** Maps the values of an axis to pixels, and knows where its ticks stand. */
export interface AxisScale {
  /** NaN for what the axis cannot show: no number, or nothing above 0 on a logarithmic axis. */
  position(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

/** Beyond it, differences and ratios of two values overflow. A run that exploded so far has no curve to show. */
const LARGEST = 1e150;

/** The smallest and the largest of the finite values, undefined if there is none; those beyond ±1e150 do not count. */
export function extent(values: Iterable<number>): readonly [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!(Math.abs(value) <= LARGEST)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}

/**
 * A linear axis over a domain, with ticks at 1, 2 or 5 times a power of ten.
 *
 * @param range - Pixels of the domain's ends; falling for a vertical axis.
 * @param count - About how many ticks.
 */
export function linearScale(
  domain: readonly [number, number],
  range: readonly [number, number],
  count = 5,
): AxisScale {
  const [low, high] = isConstant(domain) ? aroundOne(domain[0]) : domain;
  const step = niceStep((high - low) / count);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // From integers, so that 0.3 is not 0.30000000000000004.
  const values = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
  return {
    position: (value) => between(range, (value - low) / (high - low)),
    ticks: values.map((value) => ({ value, label: formatNumber(value, 4) })),
  };
}

/** A linear axis whose domain ends at ticks, so that no line touches the frame. */
export function niceDomain(domain: readonly [number, number], count = 5): readonly [number, number] {
  const [low, high] = domain;
  if (isConstant(domain)) return aroundOne(low);
  const step = niceStep((high - low) / count);
  return [Math.floor(low / step + 1e-9) * step, Math.ceil(high / step - 1e-9) * step];
}

/** A domain above 0 whose ends are 1, 2 or 5 times a power of ten, for a logarithmic axis. */
export function niceLogDomain([low, high]: readonly [number, number]): readonly [number, number] {
  const power = Math.floor(Math.log10(low) + 1e-9);
  const starts = [5, 2, 1].map((multiple) => Number(`${multiple}e${power}`));
  const start = starts.find((candidate) => candidate <= low * (1 + 1e-9)) ?? low;
  const end = niceStep(high);
  return start < end ? [start, end] : [low / 2, high * 2];
}

/** Whether a logarithmic axis can show a value. */
export function isOnLogAxis(value: number): boolean {
  return value >= 1 / LARGEST && value <= LARGEST;
}

/** A logarithmic axis over a domain above 0, with ticks at powers of ten, and at 2 and 5 times these if they are few. */
export function logScale(domain: readonly [number, number], range: readonly [number, number]): AxisScale {
  const [low, high] = isConstant(domain) ? [domain[0] / 2, domain[0] * 2] : domain;
  const span = Math.log(high / low);
  return {
    position: (value) => (isOnLogAxis(value) ? between(range, Math.log(value / low) / span) : Number.NaN),
    ticks: logTicks(low, high).map((value) => ({ value, label: formatNumber(value) })),
  };
}

function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const multiples = decades < 1 ? [1, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.round(decades / 6));
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += every) {
    ticks.push(...multiples.map((multiple) => Number(`${multiple}e${power}`)));
  }
  return ticks.filter((value) => value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9));
}

/** The next number at or above that is 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = Math.floor(Math.log10(rough));
  const steps = [1, 2, 5].map((multiple) => Number(`${multiple}e${power}`));
  return steps.find((step) => step >= rough * (1 - 1e-9)) ?? Number(`1e${power + 1}`);
}

function between([start, end]: readonly [number, number], fraction: number): number {
  return start + fraction * (end - start);
}

/** Values that differ by rounding only have no scale of their own. */
function isConstant([low, high]: readonly [number, number]): boolean {
  return high - low <= Math.max(1e-12 * Math.max(Math.abs(low), Math.abs(high)), 1 / LARGEST);
}

/** A constant stands in the middle of an axis of its own size. */
function aroundOne(value: number): [number, number] {
  const half = Math.abs(value) / 2 || 1;
  return [value - half, value + half];
}
