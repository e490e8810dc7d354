import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { figure, figures, image, page, STYLE, section, table } from "../report/page.ts";
import { element, escapeText } from "../report/svg/markup.ts";
import type { PlannedEntry } from "./plan-entries.ts";

/** A finished run that a figure is drawn from. */
export interface FigureRun {
  readonly entry: PlannedEntry;
  readonly seed: number;
  /** The run folder. */
  readonly folder: string;
}

/** An image of a panel with the line below it. */
export interface PanelImage {
  /** Of its file, after the panel's name. */
  readonly name: string;
  readonly caption: string;
  /** Bytes of a PNG. */
  readonly png: Uint8Array;
}

/** A chart, or rows of images, with its words. */
export interface Panel {
  /** Of its file, without the figure's name and ending. */
  readonly name: string;
  readonly title: string;
  readonly explanation: string;
  /** An SVG element, or rows of images. */
  readonly content: string | readonly (readonly PanelImage[])[];
}

/** What a figure is made of, and the numbers behind it. */
export interface Figure {
  readonly panels: readonly Panel[];
  readonly numbers: unknown;
}

/**
 * Writes a figure as one HTML page that needs nothing from outside, and each chart and image as a file of its own.
 *
 * @param name - Of the files, e.g. `figure5`.
 * @returns The paths, the page's first.
 */
export function writeFigure(
  folder: string,
  name: string,
  text: { readonly title: string; readonly question: string },
  { panels: all, numbers }: Figure,
): string[] {
  // A chart without a finite point is empty.
  const panels = all.filter(({ content }) => content.length > 0);
  mkdirSync(folder, { recursive: true });
  const html = page(
    text.title,
    element("h1", {}, escapeText(text.title)),
    element("p", { class: "soft" }, escapeText(text.question)),
    section(
      "Panels",
      figures(...panels.map((panel) => figure(panel.title, markupOf(panel), panel.explanation))),
    ),
  );
  const files: (readonly [string, string | Uint8Array])[] = [
    [`${name}.html`, html],
    [`${name}.json`, `${JSON.stringify(numbers, null, 1)}\n`],
    ...panels.flatMap((panel) =>
      filesOf(panel).map(([file, content]) => [`${name}-${file}`, content] as const),
    ),
  ];
  return files.map(([file, content]) => {
    writeFileAtomically(join(folder, file), content);
    return join(folder, file);
  });
}

function filesOf({ name, content }: Panel): [string, string | Uint8Array][] {
  if (typeof content === "string") return [[`${name}.svg`, svgFile(content)]];
  return content.flat().map((one) => [`${name}-${one.name.replaceAll("/", "_")}.png`, one.png]);
}

function markupOf({ content }: Panel): string {
  if (typeof content === "string") return content;
  const rows = content.map((row) =>
    row.map(({ png, caption, name }) => image(png, name) + element("p", {}, escapeText(caption))),
  );
  return table([], rows, "images");
}

/** Returns a chart of a report as the text of an SVG file of its own, light or dark as its reader is. */
function svgFile(chart: string): string {
  return chart
    .replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    .replace(">", `><style>${STYLE}</style>`);
}
