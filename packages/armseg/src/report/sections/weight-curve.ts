import { evenlySpacedWithEnds } from "../../core/evenly-spaced.ts";
import { curveRange, flatCurveText } from "../../core/flat-curve.ts";
import { curveAgainstOptimum } from "../../core/hoelder-optimum.ts";
import type { CurveRecord } from "../../runs/records.ts";
import { figure, figures, section } from "../page.ts";
import type { ReportData } from "../report-data.ts";
import { extent, linearScale, niceDomain } from "../svg/axis-scale.ts";
import { axes, CHART_WIDTH, type ChartText, chartSvg, PLOT_LEFT } from "../svg/chart-frame.ts";
import { rampColor, seriesColor } from "../svg/colors.ts";
import { formatNumber } from "../svg/format-number.ts";
import { lineChart, type Point, type Series } from "../svg/line-chart.ts";
import { element, escapeText } from "../svg/markup.ts";

const CONFIDENCE = "confidence u (−1 least, 1 most confident)";
/** More curves than this hide one another. */
const MOST_CURVES = 24;

/** What the weight curve learned, beside what theory expects and the losses it answers to. */
export function weightCurve(data: ReportData): string {
  const last = data.curves.at(-1);
  if (last === undefined) return "";
  return section(
    "Weight curve",
    flatNote(data, last),
    figures(historyFigure(data.curves), optimumFigure(last), lossFigure(last), countFigure(last)),
  );
}

/** A learned curve that did not move in a run that is over. */
function flatNote({ events, run, iteration }: ReportData, last: CurveRecord): string {
  const range = curveRange(last.weights);
  const isOver =
    iteration >= (run?.iterations ?? Number.POSITIVE_INFINITY) ||
    events.some(({ event }) => event === "earlyStop");
  if (!range.isFlat || !isOver) return "";
  const text = flatCurveText(range);
  return element("p", { class: "caution" }, escapeText(`${text[0]!.toUpperCase()}${text.slice(1)}.`));
}

function historyFigure(curves: readonly CurveRecord[]): string {
  const shown = evenlySpacedWithEnds(curves, MOST_CURVES);
  const [first, last] = [shown[0]!.iteration, shown.at(-1)!.iteration];
  const color = (iteration: number) => rampColor(last === first ? 1 : (iteration - first) / (last - first));
  const chart = lineChart(
    shown.map(({ iteration, knots, weights }) => ({
      name: `iteration ${iteration}`,
      points: knots.map((knot, i): Point => [knot, weights[i]!]),
      color: color(iteration),
    })),
    {
      title: "W(u) over time",
      description: `The weight curve at ${shown.length} times from iteration ${first} to ${last}.`,
      xLabel: CONFIDENCE,
      yLabel: "W(u), not normalised",
      yDomain: [0, 1],
      ramp: {
        colors: Array.from({ length: 24 }, (_, i) => rampColor(i / 23)),
        ends: [`iteration ${first}`, String(last)],
      },
    },
  );
  return figure(
    "W(u) over time",
    chart,
    "Each line is the curve at one iteration, early ones blue, late ones orange.",
  );
}

function optimumFigure(last: CurveRecord): string {
  const compared = curveAgainstOptimum(last);
  if (compared === undefined) return "";
  const { confidence, learned, optimum } = compared;
  const { low, high, isFlat } = curveRange(last.weights);
  const agreement = isFlat
    ? `the learned curve is flat, W(u) from ${formatNumber(low)} to ${formatNumber(high)}: there is no shape to compare`
    : `correlation over the pixels ${formatNumber(compared.correlation)}`;
  const alongside = (values: readonly number[]) => confidence.map((u, i): Point => [u, values[i]!]);
  const series: Series[] = [
    { name: "learned", points: alongside(learned) },
    { name: `optimum L^(1/(p−1)), p = ${last.p}`, points: alongside(optimum), isDashed: true },
  ];
  const chart = lineChart(series, {
    title: "Learned curve and Hölder optimum",
    description: `The weight curve at iteration ${last.iteration} and the theoretical optimum; ${agreement}.`,
    xLabel: CONFIDENCE,
    yLabel: "weight, average pixel = 1",
    xDomain: [-1, 1],
  });
  return figure(
    "Learned curve and Hölder optimum",
    chart,
    `Both scaled to the same norm over the pixels; ${agreement}.`,
  );
}

function lossFigure(last: CurveRecord): string {
  const chart = barChart(last.meanLossPerBin, {
    title: "Mean loss per confidence bin",
    description: `Mean pixel loss in ${last.meanLossPerBin.length} bins of confidence at iteration ${last.iteration}.`,
    xLabel: CONFIDENCE,
    yLabel: "mean loss in nats",
    xDomain: [-1, 1],
    color: seriesColor(1),
  });
  return figure(
    "Mean loss per confidence bin",
    chart,
    "The paper's Figure 5: what the adversary sees of the network.",
  );
}

function countFigure(last: CurveRecord): string {
  const total = last.countPerBin.reduce((sum, count) => sum + count, 0);
  const chart = barChart(
    last.countPerBin.map((count) => (100 * count) / total),
    {
      title: "Pixels per confidence bin",
      description: `Share of ${formatNumber(total)} valid pixels in each bin of confidence.`,
      xLabel: CONFIDENCE,
      yLabel: "pixels in %",
      xDomain: [-1, 1],
      color: seriesColor(6),
    },
  );
  return figure(
    "Pixels per confidence bin",
    chart,
    `${formatNumber(total)} valid pixels since the record before.`,
  );
}

export interface BarChartOptions extends ChartText {
  readonly height?: number;
  /** Ends of the axis that the bars divide evenly. */
  readonly xDomain: readonly [number, number];
  /** A CSS colour. */
  readonly color: string;
}

/** Returns bars over equal bins of an axis as an SVG element; NaN leaves a gap. Empty text if there is nothing to show. */
export function barChart(values: readonly number[], options: BarChartOptions): string {
  const highest = extent(values)?.[1];
  if (highest === undefined) return "";
  const height = options.height ?? 220;
  const area = { left: PLOT_LEFT, right: CHART_WIDTH - 14, top: 8, bottom: height - 42 };
  const [start, end] = options.xDomain;
  const x = linearScale(options.xDomain, [area.left, area.right], 6);
  const y = linearScale(niceDomain([0, highest || 1]), [area.bottom, area.top]);
  const edge = (i: number) => start + ((end - start) * i) / values.length;
  const bars = values.map((value, i) => {
    if (!Number.isFinite(value)) return "";
    const [left, right, top] = [x.position(edge(i)), x.position(edge(i + 1)), y.position(value)];
    const tip = `${formatNumber(edge(i))} to ${formatNumber(edge(i + 1))}: ${formatNumber(value)}`;
    // A gap of one pixel tells the bars apart as long as they are wide enough.
    const width = Math.max(right - left - (right - left > 4 ? 1 : 0), 0.5);
    return element(
      "rect",
      { x: left, y: top, width, height: area.bottom - top, fill: options.color },
      element("title", {}, escapeText(tip)),
    );
  });
  return chartSvg(options, height, axes(area, x, y, options), ...bars);
}
