import type { AxisScale } from "./axis-scale.ts";
import { element, escapeText } from "./markup.ts";

/** What every chart says of itself. */
export interface ChartText {
  /** One line; also the name that a screen reader speaks. */
  readonly title: string;
  /** What the chart shows, for those who cannot see it. */
  readonly description: string;
  readonly xLabel: string;
  readonly yLabel: string;
}

/** Pixels of the plot inside a chart. */
export interface PlotArea {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export const CHART_WIDTH = 560;
/** Where plots begin: the name of the axis and the longest tick label lie before it. */
export const PLOT_LEFT = 60;

/** A whole chart as an SVG element that scales with the page. */
export function chartSvg(text: ChartText, height: number, ...content: readonly string[]): string {
  return element(
    "svg",
    { class: "chart", viewBox: `0 0 ${CHART_WIDTH} ${height}`, role: "img", "aria-label": text.title },
    element("title", {}, escapeText(text.title)),
    element("desc", {}, escapeText(text.description)),
    ...content,
  );
}

/** Grid lines, tick labels and names of both axes. */
export function axes(area: PlotArea, x: AxisScale, y: AxisScale, text: ChartText): string {
  const { left, right, top, bottom } = area;
  const horizontal = y.ticks.map(({ value, label }) => {
    const at = y.position(value);
    const text = label === "" ? "" : chartText(label, left - 7, at + 4, "end");
    return gridLine(left, right, at, at) + text;
  });
  const vertical = x.ticks.map(({ value, label }) => {
    const at = x.position(value);
    return gridLine(at, at, bottom, bottom + 4) + chartText(label, at, bottom + 17, "middle");
  });
  return [
    ...horizontal,
    ...vertical,
    element("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    chartText(text.xLabel, (left + right) / 2, bottom + 34, "middle", { class: "label" }),
    chartText(text.yLabel, 0, 0, "middle", {
      class: "label",
      transform: `translate(10 ${(top + bottom) / 2}) rotate(-90)`,
    }),
  ].join("");
}

/** One line of text in a chart. */
export function chartText(
  text: string,
  x: number,
  y: number,
  anchor: "start" | "middle" | "end",
  attributes: Readonly<Record<string, string>> = {},
): string {
  return element("text", { x, y, "text-anchor": anchor, ...attributes }, escapeText(text));
}

function gridLine(x1: number, x2: number, y1: number, y2: number): string {
  return element("line", { class: "grid", x1, x2, y1, y2 });
}
