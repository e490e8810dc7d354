import { figure, figures, section, table } from "../page.ts";
import { className, type ReportData, splitsOf } from "../report-data.ts";
import { formatPercent } from "../svg/format-number.ts";
import { heatMap } from "../svg/heat-map.ts";
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
  return figure("Largest confusions", table(head, rows), "What costs the most pixels.");
}

function rowShares(counts: readonly (readonly number[])[]): number[][] {
  return counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => count / total);
  });
}
