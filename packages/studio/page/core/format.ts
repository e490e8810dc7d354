/** A share as percent. */
export function percent(share: number | null | undefined, digits = 1): string {
  return share === null || share === undefined ? "–" : (100 * share).toFixed(digits);
}

/** A number of any size, short. */
export function short(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (size >= 1e4) return `${(value / 1e3).toPrecision(3)} k`;
  if (Number.isInteger(value)) return String(value);
  return size >= 0.001 ? String(Number(value.toPrecision(3))) : value.toExponential(1);
}

/** So long, e.g. `2 h 05 min`. */
export function duration(seconds: number | null): string {
  if (seconds === null) return "–";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.round(hours / 24)} days`;
}

/** A date as people here write it, short. */
export function when(date: string | null): string {
  if (date === null || Number.isNaN(Date.parse(date))) return "–";
  return new Date(date).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** `rgb(…)` of a class. */
export function css(color: readonly number[] | undefined): string {
  return color ? `rgb(${color.map(Number).join(" ")})` : "transparent";
}
