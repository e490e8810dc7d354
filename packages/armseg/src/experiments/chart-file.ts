import { STYLE } from "../report/page.ts";

/** A chart of a report as the text of an SVG file of its own, light or dark as its reader is. */
export function svgFile(chart: string): string {
  return chart
    .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace(">", `><style>${STYLE}</style>`);
}
