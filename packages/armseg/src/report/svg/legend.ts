import { CHART_WIDTH, chartText } from "./chart-frame.ts";
import { element } from "./markup.ts";

/** A name and the line that it stands for. */
export interface LegendEntry {
  readonly name: string;
  /** A CSS colour. */
  readonly color: string;
  readonly isDashed?: boolean;
}

const ROW_HEIGHT = 18;
const SWATCH = 22;
/** Width of a character on average, in the charts' font as narrow screens show it. */
const CHARACTER = 7.4;

/** The legend above a plot, wrapped into as many rows as it needs. */
export function legend(entries: readonly LegendEntry[], left: number): { svg: string; height: number } {
  let x = left;
  let row = 0;
  const items = entries.map(({ name, color, isDashed }) => {
    const width = SWATCH + 6 + name.length * CHARACTER + 16;
    if (x > left && x + width > CHART_WIDTH) {
      x = left;
      row++;
    }
    const y = row * ROW_HEIGHT + 10;
    const dashes = isDashed ? "5 4" : undefined;
    const line = {
      class: "line",
      x1: x,
      x2: x + SWATCH,
      y1: y,
      y2: y,
      stroke: color,
      "stroke-dasharray": dashes,
    };
    const item = element("line", line) + chartText(name, x + SWATCH + 6, y + 4, "start");
    x += width;
    return item;
  });
  return { svg: items.join(""), height: entries.length === 0 ? 0 : (row + 1) * ROW_HEIGHT + 4 };
}

/** A legend for lines coloured by a quantity: the ramp, with what its ends mean. */
export function rampLegend(
  colors: readonly string[],
  ends: readonly [string, string],
  left: number,
): { svg: string; height: number } {
  const width = 120;
  const start = left + ends[0].length * CHARACTER + 8;
  const cells = colors.map((fill, i) => {
    const x = start + (i * width) / colors.length;
    // A little wider than its share, so that no seam shows.
    return element("rect", { x, y: 5, width: width / colors.length + 0.5, height: 10, fill });
  });
  const texts = [chartText(ends[0], left, 14, "start"), chartText(ends[1], start + width + 8, 14, "start")];
  return { svg: [...cells, ...texts].join(""), height: ROW_HEIGHT + 4 };
}
