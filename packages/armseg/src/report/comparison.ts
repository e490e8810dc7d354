import type { Comparison } from "../core/statistics.ts";
import { bestEvaluation } from "../runs/read-run.ts";
import { bucketMeans } from "./bucket-means.ts";
import { figure, figures, page, section, table } from "./page.ts";
import { lastEvaluation, lastSamples, type ReportData, splitsOf } from "./report-data.ts";
import { classLabel } from "./sections/classes.ts";
import { sampleImage } from "./sections/samples.ts";
import { formatPercent } from "./svg/format-number.ts";
import { lineChart, type Point, type Series } from "./svg/line-chart.ts";
import { element, escapeText } from "./svg/markup.ts";

/**
 * Several runs on one page that needs nothing from outside: scores side by side, curves over one another, what each
 * run makes of the same images. Differences are to the first run.
 *
 * @param title - Heading of the page.
 * @param comparisons - Scores over seeds, shown first.
 */
export function comparisonReport(
  title: string,
  runs: readonly ReportData[],
  comparisons: readonly Comparison[] = [],
): string {
  const splits = [...new Set(runs.flatMap(splitsOf))];
  return page(
    title,
    element("h1", {}, escapeText(title)),
    section("Over the seeds, mIoU in %", seedTable(comparisons)),
    ...splits.map((split) => section(`Scores on ${split}`, scoreTable(runs, split))),
    section(
      "Training",
      figures(...splits.map((split) => scoreFigure(runs, split)), lossFigure(runs), curveFigure(runs)),
    ),
    section("Samples", sampleTable(runs)),
    ...splits.map((split) => section(`IoU by class on ${split}, in %`, classTable(runs, split))),
    section("Runs", factsTable(runs)),
  );
}

function seedTable(comparisons: readonly Comparison[]): string {
  if (comparisons.length === 0) return "";
  const rows = comparisons.map(({ name, scores, mean, deviation, difference }) => [
    escapeText(name),
    formatPercent(mean),
    formatPercent(deviation),
    difference ? formatPercent(difference.mean) : "",
    difference ? `${formatPercent(difference.interval[0])} to ${formatPercent(difference.interval[1])}` : "",
    scores.map(formatPercent).join(" "),
  ]);
  return table(["", "mean", "std", "difference", "95 % interval", "by seed"], rows, "numbers");
}

function scoreTable(runs: readonly ReportData[], split: string): string {
  const base = runs[0] && lastEvaluation(runs[0], split);
  const rows = runs.flatMap((run, i) => {
    const last = lastEvaluation(run, split);
    if (last === undefined) return [];
    const { mIoU, mAcc, aAcc } = last;
    const isBase = i === 0 || base === undefined;
    const best = bestEvaluation(run.evaluations.filter((evaluation) => evaluation.split === split));
    const scores = [mIoU, best?.mIoU ?? Number.NaN, mAcc, aAcc].map(formatPercent);
    return [
      [escapeText(run.name), String(last.iteration), ...scores, isBase ? "" : difference(mIoU, base.mIoU)],
    ];
  });
  const head = ["run", "iteration", "mIoU in %", "best", "mAcc in %", "aAcc in %", "mIoU difference"];
  return table(head, rows, "numbers");
}

function classTable(runs: readonly ReportData[], split: string): string {
  const evaluations = runs.map((run) => lastEvaluation(run, split));
  const count = Math.max(...evaluations.map((evaluation) => evaluation?.iou.length ?? 0));
  const head = [
    "class",
    ...runs.flatMap(({ name }, i) => [escapeText(name), ...(i === 0 ? [] : ["difference"])]),
  ];
  const rows = Array.from({ length: count }, (_, c) => {
    const iou = evaluations.map((evaluation) => evaluation?.iou[c] ?? Number.NaN);
    const cells = iou.flatMap((value, i) => [
      formatPercent(value),
      ...(i === 0 ? [] : [difference(value, iou[0]!)]),
    ]);
    return [classLabel(runs[0]!, c), ...cells];
  });
  return table(head, rows, "numbers");
}

/** In percentage points, coloured by its sign; markup. */
function difference(value: number, base: number): string {
  if (!Number.isFinite(value - base)) return "–";
  const text = `${value > base ? "+" : ""}${formatPercent(value - base)}`;
  return element("span", { class: value > base ? "better" : value < base ? "worse" : undefined }, text);
}

function scoreFigure(runs: readonly ReportData[], split: string): string {
  const series = runs.map((run): Series => {
    const records = run.evaluations.filter((evaluation) => evaluation.split === split);
    const points = records.map(({ iteration, mIoU }): Point => [iteration, 100 * mIoU]);
    return { name: run.name, points, hasDots: points.length < 60 };
  });
  const title = `mIoU on ${split}`;
  const description = `mIoU of ${runs.length} runs over the iterations.`;
  return figure(title, lineChart(series, { title, description, xLabel: "iteration", yLabel: "mIoU in %" }));
}

function lossFigure(runs: readonly ReportData[]): string {
  const series = runs.map(({ name, train }): Series => {
    const points = train.map(({ iteration, meanLoss, loss }): Point => [iteration, meanLoss ?? loss]);
    return { name, points: bucketMeans(points).points };
  });
  const title = "Mean pixel loss";
  const chart = lineChart(series, {
    title,
    description: `Unweighted training loss of ${runs.length} runs over the iterations.`,
    xLabel: "iteration",
    yLabel: "nats",
    yScale: "log",
  });
  return figure(title, chart, "Unweighted, on the training labels, so that the runs can be compared.");
}

function curveFigure(runs: readonly ReportData[]): string {
  const series = runs.flatMap(({ name, curves }): Series[] => {
    const last = curves.at(-1);
    if (!last) return [];
    const largest = Math.max(...last.weights) || 1;
    return [{ name, points: last.knots.map((knot, i): Point => [knot, last.weights[i]! / largest]) }];
  });
  const title = "Weight curves at the end";
  const chart = lineChart(series, {
    title,
    description: "The last weight curve of each run.",
    xLabel: "confidence u",
    yLabel: "W(u) over its largest value",
    yDomain: [0, 1],
  });
  return figure(title, chart);
}

function sampleTable(runs: readonly ReportData[]): string {
  const byRun = runs.map((run) => new Map(lastSamples(run).map((sample) => [sample.name, sample])));
  const first = runs[0];
  const rows = [...(byRun[0]?.values() ?? [])].map((sample) => [
    sampleImage(first!, sample, "image"),
    sampleImage(first!, sample, "label"),
    ...runs.map((run, i) => {
      const own = byRun[i]!.get(sample.name);
      return own ? sampleImage(run, own, "prediction") : "";
    }),
  ]);
  const shown = rows.filter((cells) => cells.some((cell) => cell !== ""));
  const head = ["image", "label", ...runs.map(({ name }) => escapeText(name))];
  return shown.length === 0 ? "" : table(head, shown, "images");
}

function factsTable(runs: readonly ReportData[]): string {
  const names = [...new Set(runs.flatMap(({ run }) => Object.keys(run?.facts ?? {})))];
  const rows = names.map((name) => [
    escapeText(name),
    ...runs.map(({ run }) => escapeText(run?.facts[name] ?? "")),
  ]);
  return rows.length === 0 ? "" : table(["", ...runs.map(({ name }) => escapeText(name))], rows, "facts");
}
