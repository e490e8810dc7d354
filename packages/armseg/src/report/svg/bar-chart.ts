import { extent, linearScale, niceDomain } from "./axis-scale.ts";
import { axes, CHART_WIDTH, type ChartText, chartSvg } from "./chart-frame.ts";
import { formatNumber } from "./format-number.ts";
import { element, escapeText } from "./markup.ts";

export interface BarChartOptions extends ChartText {
  readonly height?: number;
  /** Ends of the axis that the bars divide evenly. */
  readonly xDomain: readonly [number, number];
  /** A CSS colour. */
  readonly color: string;
}

/** Bars over equal bins of an axis, as an SVG element; NaN leaves a gap. Empty text if there is nothing to show. */
export function barChart(values: readonly number[], options: BarChartOptions): string {
  const highest = extent(values)?.[1];
  if (highest === undefined) return "";
  const height = options.height ?? 220;
  const area = { left: 52, right: CHART_WIDTH - 14, top: 8, bottom: height - 42 };
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
