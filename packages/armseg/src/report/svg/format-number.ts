const SUFFIXES = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/**
 * A number for people, short: `0.125`, `12.5k`, `3e-5`.
 *
 * @param digits - Significant digits at most.
 */
export function formatNumber(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-3)) return signed(shortExponent(value, digits));
  const [unit, suffix] = size < 10_000 ? [1, ""] : SUFFIXES.find(([unit]) => size >= unit)!;
  // A number of four digits is not cut to three.
  const shown = Math.max(digits, Math.floor(Math.log10(Math.max(size / unit, 1))) + 1);
  return signed(`${Number((value / unit).toPrecision(shown))}${suffix}`);
}

/** A fraction in percent with one decimal, `–` where it is not a number. */
export function formatPercent(fraction: number): string {
  return Number.isFinite(fraction) ? signed((100 * fraction).toFixed(1)) : "–";
}

function shortExponent(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${Number(mantissa)}e${Number(exponent)}`;
}

/** A true minus sign, as wide as the plus. */
function signed(text: string): string {
  return text.replaceAll("-", "−");
}
