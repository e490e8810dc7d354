import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../core/atomic-file.ts";
import { figure, figures, page, section } from "../report/page.ts";
import { element, escapeText } from "../report/svg/markup.ts";
import { svgFile } from "./chart-file.ts";
import type { PlannedCell } from "./plan-cells.ts";

/** A finished run that a figure is drawn from. */
export interface FigureRun {
  readonly cell: PlannedCell;
  readonly seed: number;
  /** The run folder. */
  readonly folder: string;
}

/** A chart or a picture with its words. */
export interface Panel {
  /** Of its file, without the figure's name and ending. */
  readonly name: string;
  readonly title: string;
  readonly explanation: string;
  /** An SVG element, or the bytes of a PNG. */
  readonly content: string | Uint8Array;
}

/** What a figure is made of, and the numbers behind it. */
export interface DrawnFigure {
  readonly panels: readonly Panel[];
  readonly numbers: unknown;
}

/**
 * Writes a figure as one HTML page that needs nothing from outside, and each panel as a file of its own.
 *
 * @param name - Of the files, e.g. `figure5`.
 * @returns The paths, the page's first.
 */
export function writeFigure(
  folder: string,
  name: string,
  text: { readonly title: string; readonly question: string },
  { panels: all, numbers }: DrawnFigure,
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
  const files: [string, string | Uint8Array][] = [
    [`${name}.html`, html],
    [`${name}.json`, `${JSON.stringify(numbers, null, 1)}\n`],
    ...panels.map((panel): [string, string | Uint8Array] =>
      typeof panel.content === "string"
        ? [`${name}-${panel.name}.svg`, svgFile(panel.content)]
        : [`${name}-${panel.name}.png`, panel.content],
    ),
  ];
  return files.map(([file, content]) => {
    writeFileAtomically(join(folder, file), content);
    return join(folder, file);
  });
}

function markupOf({ content, title }: Panel): string {
  if (typeof content === "string") return content;
  const source = `data:image/png;base64,${Buffer.from(content).toString("base64")}`;
  return `<img src="${source}" alt="${escapeText(title)}" style="width:100%">`;
}
