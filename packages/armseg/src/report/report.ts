import { page } from "./page.ts";
import type { ReportData } from "./report-data.ts";
import { circumstances } from "./sections/circumstances.ts";
import { classes } from "./sections/classes.ts";
import { confusion } from "./sections/confusion.ts";
import { samples } from "./sections/samples.ts";
import { summary } from "./sections/summary.ts";
import { training } from "./sections/training.ts";
import { weightCurve } from "./sections/weight-curve.ts";

/** The report of a run as one HTML page that needs nothing from outside. What the run does not have is left out. */
export function reportHtml(data: ReportData): string {
  const sections = [summary, training, weightCurve, samples, classes, confusion, circumstances];
  return page(`${data.name} – armseg`, ...sections.map((render) => render(data)));
}
