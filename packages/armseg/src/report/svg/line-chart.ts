import {
  type AxisScale,
  extent,
  isOnLogAxis,
  linearScale,
  logScale,
  niceDomain,
  roomyLogDomain,
} from "./axis-scale.ts";
import {
  axes,
  CHART_WIDTH,
  type ChartText,
  chartSvg,
  chartText,
  PLOT_LEFT,
  type PlotArea,
} from "./chart-frame.ts";
import { seriesColor } from "./colors.ts";
import { legend, rampLegend } from "./legend.ts";
import { element, escapeText } from "./markup.ts";

export type Point = readonly [x: number, y: number];

/** One line of a chart. It is interrupted where y is not a finite number. */
export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
  /** A CSS colour; else the page's colour of the series' place. */
  readonly color?: string;
  readonly isDashed?: boolean;
  /** Holds each value until the next point, as a schedule does, in place of sloping towards it. */
  readonly isStepped?: boolean;
  /** Dots on the points, for few of them. */
  readonly hasDots?: boolean;
  /** A pale band behind the line, from low to high. */
  readonly band?: readonly (readonly [x: number, low: number, high: number])[];
}

export interface LineChartOptions extends ChartText {
  readonly height?: number;
  readonly xDomain?: readonly [number, number];
  /** Else from the data, rounded to ticks. */
  readonly yDomain?: readonly [number, number];
  readonly yScale?: "linear" | "log";
  /** Vertical marks with a word beside them. */
  readonly marks?: readonly { readonly x: number; readonly text: string }[];
  /** In place of the legend, for lines coloured by a quantity. */
  readonly ramp?: { readonly colors: readonly string[]; readonly ends: readonly [string, string] };
}

/** A line chart as an SVG element; empty text if there is no finite point to show. */
export function lineChart(series: readonly Series[], options: LineChartOptions): string {
  const coloured = series.map((one, i) => ({ ...one, color: one.color ?? seriesColor(i) }));
  const head = options.ramp
    ? rampLegend(options.ramp.colors, options.ramp.ends, PLOT_LEFT)
    : legend(coloured.length > 1 ? coloured : [], PLOT_LEFT);
  const height = (options.height ?? 260) + head.height;
  const area: PlotArea = {
    left: PLOT_LEFT,
    right: CHART_WIDTH - 14,
    top: head.height + 8,
    bottom: height - 42,
  };
  const x = xAxis(series, options, area);
  const y = yAxis(series, options, area);
  if (x === undefined || y === undefined) return "";
  return chartSvg(
    options,
    height,
    head.svg,
    axes(area, x, y, options),
    ...(options.marks ?? []).map((mark) => verticalMark(mark, x, area)),
    ...coloured.map((one) => band(one, x, y)),
    ...coloured.map((one) => line(one, x, y)),
  );
}

function xAxis(
  series: readonly Series[],
  options: LineChartOptions,
  { left, right }: PlotArea,
): AxisScale | undefined {
  const domain = options.xDomain ?? extent(series.flatMap(({ points }) => points.map(([at]) => at)));
  return domain && linearScale(domain, [left, right], 6);
}

function yAxis(
  series: readonly Series[],
  options: LineChartOptions,
  { top, bottom }: PlotArea,
): AxisScale | undefined {
  const isLog = options.yScale === "log";
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const shown = extent(isLog ? values.filter(isOnLogAxis) : values);
  if (shown === undefined) return undefined;
  if (isLog) return logScale(options.yDomain ?? roomyLogDomain(shown), [bottom, top]);
  return linearScale(options.yDomain ?? niceDomain(shown), [bottom, top]);
}

function line(series: Series, x: AxisScale, y: AxisScale): string {
  const { points, color, isDashed, isStepped, hasDots, name } = series;
  const drawn = isStepped ? stepped(points) : points;
  const path = pathThrough(drawn.map(([at, value]) => [x.position(at), y.position(value)]));
  const stroke = element(
    "path",
    { class: "line", d: path, stroke: color, "stroke-dasharray": isDashed ? "5 4" : undefined },
    element("title", {}, escapeText(name)),
  );
  // A single point draws no line: it would be invisible.
  const dots = hasDots || points.length === 1 ? points : [];
  const circles = dots
    .filter(([, value]) => Number.isFinite(y.position(value)))
    .map(([at, value]) =>
      element(
        "circle",
        { cx: x.position(at), cy: y.position(value), r: 3, fill: color },
        element("title", {}, escapeText(`${name}: ${value} at ${at}`)),
      ),
    );
  return stroke + circles.join("");
}

/** With the corners of a line that holds each value until the next. */
function stepped(points: readonly Point[]): Point[] {
  return points.flatMap(([x, y], i): Point[] =>
    i === 0
      ? [[x, y]]
      : [
          [x, points[i - 1]![1]],
          [x, y],
        ],
  );
}

function band({ band: edges, color }: Series, x: AxisScale, y: AxisScale): string {
  const shown = (edges ?? []).filter(([, low, high]) => Number.isFinite(y.position(low) + y.position(high)));
  if (shown.length === 0) return "";
  const upper = shown.map(([at, , high]): Point => [x.position(at), y.position(high)]);
  const lower = shown.toReversed().map(([at, low]): Point => [x.position(at), y.position(low)]);
  return element("path", { class: "band", d: `${pathThrough([...upper, ...lower])}Z`, fill: color });
}

function pathThrough(points: readonly Point[]): string {
  let isDrawing = false;
  const parts = points.map(([x, y]) => {
    const isShown = Number.isFinite(x) && Number.isFinite(y);
    const part = isShown ? `${isDrawing ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}` : "";
    isDrawing = isShown;
    return part;
  });
  return parts.join("");
}

function verticalMark({ x: at, text }: { x: number; text: string }, x: AxisScale, area: PlotArea): string {
  const position = x.position(at);
  return (
    element("line", { class: "mark", x1: position, x2: position, y1: area.top, y2: area.bottom }) +
    chartText(text, position + 4, area.top + 11, "start", { class: "label" })
  );
}
