import { figure, figures, section, table } from "../page.ts";
import { className, type ReportData, splitsOf } from "../report-data.ts";
import { CHART_WIDTH, type ChartText, chartSvg, chartText } from "../svg/chart-frame.ts";
import { formatPercent } from "../svg/format-number.ts";
import { element, escapeText } from "../svg/markup.ts";
import { classLabel } from "./classes.ts";

/** Beyond this many classes the matrix is too fine to read, and only the table of confusions is shown. */
const MOST_CLASSES = 40;
const MOST_CONFUSIONS = 12;

/** Which class is taken for which: the matrix, each row in shares of its label, and its largest wrong entries. */
export function confusion(data: ReportData): string {
  return splitsOf(data)
    .map((split) => {
      const last = data.evaluations.findLast((one) => one.split === split && one.confusion !== undefined);
      if (last?.confusion === undefined) return "";
      const shares = rowShares(last.confusion);
      return section(
        `Confusions on ${split}`,
        figures(matrix(data, shares), worst(data, last.confusion, shares)),
      );
    })
    .join("");
}

function matrix(data: ReportData, shares: readonly (readonly number[])[]): string {
  if (shares.length > MOST_CLASSES) return "";
  const map = heatMap(shares, {
    title: "Confusion matrix",
    description: "Share of each label's pixels, in percent, that was predicted as each class.",
    xLabel: "prediction",
    yLabel: "label",
    names: shares.map((_, i) => className(data, i)),
  });
  return figure("Confusion matrix", map, "Rows are labels, columns predictions; percent of the row.");
}

function worst(
  data: ReportData,
  counts: readonly (readonly number[])[],
  shares: readonly (readonly number[])[],
): string {
  const total = counts.flat().reduce((sum, count) => sum + count, 0);
  const pairs = counts
    .flatMap((row, i) => row.map((count, j) => ({ i, j, count })))
    .filter(({ i, j, count }) => i !== j && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, MOST_CONFUSIONS);
  if (pairs.length === 0) return "";
  const rows = pairs.map(({ i, j, count }) => [
    classLabel(data, i),
    classLabel(data, j),
    formatPercent(count / total),
    formatPercent(shares[i]![j]!),
  ]);
  const head = ["label", "predicted as", "% of all pixels", "% of the label"];
  return figure("Largest confusions", table(head, rows, "confusions"), "What costs the most pixels.");
}

function rowShares(counts: readonly (readonly number[])[]): number[][] {
  return counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => count / total);
  });
}

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
