import { CHART_WIDTH, type ChartText, chartSvg, chartText } from "./chart-frame.ts";
import { formatPercent } from "./format-number.ts";
import { element, escapeText } from "./markup.ts";

export interface HeatMapOptions extends ChartText {
  /** Names of the rows and of the columns. */
  readonly names: readonly string[];
}

/** Up to this many classes a cell has room for its number. */
const NUMBERS = 20;

/** A square matrix of fractions in [0, 1] as an SVG element: rows downwards, columns to the right. */
export function heatMap(fractions: readonly (readonly number[])[], options: HeatMapOptions): string {
  const count = options.names.length;
  const longest = Math.max(...options.names.map((name) => name.length));
  const margin = Math.min(24 + longest * 6, 170);
  // The slanted names of the last columns reach beyond the matrix by half their length.
  const size = (CHART_WIDTH - margin - 8 - longest * 3) / count;
  const top = margin - 16;
  const cells = fractions.flatMap((row, i) =>
    row.map((fraction, j) => cell(fraction, [margin + j * size, top + i * size, size], count, label(i, j))),
  );
  function label(i: number, j: number): string {
    return `${options.names[i]} → ${options.names[j]}: ${formatPercent(fractions[i]![j]!)} %`;
  }
  const rows = options.names.map((name, i) => chartText(name, margin - 6, top + (i + 0.5) * size + 4, "end"));
  const columns = options.names.map((name, j) =>
    chartText(name, 0, 0, "start", {
      transform: `translate(${(margin + (j + 0.5) * size + 4).toFixed(1)} ${top - 6}) rotate(-60)`,
    }),
  );
  const height = top + count * size + 8;
  return chartSvg(options, Math.ceil(height), ...rows, ...columns, ...cells);
}

function cell(
  fraction: number,
  [x, y, size]: readonly [number, number, number],
  count: number,
  tip: string,
): string {
  const shade = Number.isFinite(fraction) ? fraction : 0;
  const rectangle = element(
    "rect",
    { class: "cell", x, y, width: size, height: size, "fill-opacity": shade },
    element("title", {}, escapeText(tip)),
  );
  if (count > NUMBERS || !(fraction >= 0.005)) return rectangle;
  const kind = { class: shade > 0.75 ? "on-cell" : "beside-cell" };
  return rectangle + chartText((100 * fraction).toFixed(0), x + size / 2, y + size / 2 + 4, "middle", kind);
}
