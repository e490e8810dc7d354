import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { ClassInfo } from "../data/sample.ts";
import { type Problem, type Purpose, severityFor } from "../data/scan/problems.ts";
import type { ScanResult } from "../data/scan/scan.ts";
import { valuesOf } from "../data/scan/scan-text.ts";
import {
  cards,
  classLegend,
  imageFiles,
  type LabelledImage,
  percent,
  viewSwitch,
} from "./labelled-images.ts";
import { colorLabel, details, page, section, table } from "./page.ts";
import { bar } from "./sections/classes.ts";
import { element, escapeText } from "./svg/markup.ts";

/** Samples that are shown for one reason. */
export interface SampleGroup {
  readonly title: string;
  readonly explanation: string;
  readonly samples: readonly LabelledImage[];
  /** The class to look at; a box is around its pixels. */
  readonly marked?: number;
}

/** A split with what its scan found, and samples of each problem. */
export interface CheckedSplit {
  readonly result: ScanResult;
  readonly purpose: Purpose;
  /** By kind of problem. */
  readonly samplesOf: ReadonlyMap<Problem["kind"], readonly LabelledImage[]>;
}

/** All that the page of a check shows. */
export interface CheckPage {
  readonly title: string;
  readonly isUsable: boolean;
  /** A sentence. */
  readonly verdict: string;
  readonly classes: readonly ClassInfo[];
  readonly splits: readonly CheckedSplit[];
  /** Problems of both splits together. */
  readonly between: readonly Problem[];
  /** What else is to be said of both splits, one sentence each. */
  readonly warnings: readonly string[];
  readonly groups: readonly SampleGroup[];
  /** Each sample that is shown, once. */
  readonly samples: readonly LabelledImage[];
}

/** Cases of a problem beyond it are folded. */
const CASES = 5;

/** Returns the page of a check: problems with their samples, samples with their labels, classes, files. It needs nothing from outside. */
export function checkHtml(data: CheckPage): string {
  const { title, verdict, classes, groups, samples } = data;
  return page(
    title,
    element("h1", {}, escapeText(title)),
    element("p", { class: verdictStyle(data) }, escapeText(verdict)),
    tiles(data),
    imageFiles(samples),
    section("Problems", problems(data)),
    element("div", { class: "key" }, classLegend(classes), samples.length > 0 ? viewSwitch() : ""),
    ...groups.map(({ title, explanation, samples, marked }) =>
      samples.length === 0 ? "" : section(title, paragraph(explanation), cards(samples, classes, marked)),
    ),
    section("Classes", classTable(data)),
    section("Files", fileTable(data.splits), notes(data.splits)),
  );
}

function verdictStyle({ isUsable, splits, between, warnings }: CheckPage): string {
  if (!isUsable) return "worse";
  const isClean =
    between.length + warnings.length === 0 && splits.every(({ result }) => result.problems.length === 0);
  return isClean ? "better" : "caution";
}

function paragraph(text: string): string {
  return text === "" ? "" : element("p", { class: "soft" }, escapeText(text));
}

function tiles({ splits, classes, between, warnings }: CheckPage): string {
  const severities = [
    ...splits.flatMap(({ result, purpose }) =>
      result.problems.map((problem) => severityFor(problem, purpose)),
    ),
    ...between.map((problem) => severityFor(problem, "reading")),
  ];
  const errors = severities.filter((severity) => severity !== "warning").length;
  const cautions = severities.length - errors + warnings.length;
  const found = [
    ...splits.map(({ result }) => [result.samples.toLocaleString("en-GB"), `images of ${result.split}`]),
    [String(classes.length), "classes"],
    ...splits.map(({ result }) => [percent(labelledShare(result)), `of ${result.split} labelled`]),
    [String(errors), errors === 1 ? "kind of error" : "kinds of errors"],
    [String(cautions), cautions === 1 ? "kind of warning" : "kinds of warnings"],
  ];
  const tile = ([figure, meaning]: readonly string[]) =>
    element(
      "div",
      { class: "tile" },
      element("b", {}, escapeText(figure!)),
      element("span", {}, escapeText(meaning!)),
    );
  return element("div", { class: "tiles" }, ...found.map(tile));
}

function validPixels({ classes }: ScanResult): number {
  return classes.reduce((sum, { pixels }) => sum + pixels, 0);
}

function labelledShare(result: ScanResult): number {
  return validPixels(result) / allPixels(result);
}

/** Pixels of all labels that could be read. */
function allPixels({ values }: ScanResult): number {
  return values.reduce((sum, { pixels }) => sum + pixels, 0);
}

/** Errors first. */
function problems({ splits, between, warnings, classes }: CheckPage): string {
  const block = (problem: Problem, purpose: Purpose, split: string, samples: readonly LabelledImage[]) => ({
    severity: severityFor(problem, purpose),
    title: `${problem.kind} (${problem.count.toLocaleString("en-GB")})`,
    split,
    content: cases(problem) + cards(samples, classes),
  });
  const found = splits.flatMap(({ result, purpose, samplesOf }) =>
    result.problems.map((problem) =>
      block(problem, purpose, result.split, samplesOf.get(problem.kind) ?? []),
    ),
  );
  const both = between.map((problem) => block(problem, "reading", "both splits", []));
  const shared = warnings.map((title) => ({ severity: "warning", title, split: "both splits", content: "" }));
  const all = [...found, ...both, ...shared].sort((a, b) => Number(isWarning(a)) - Number(isWarning(b)));
  return all.map(problemBlock).join("") || paragraph("None found.");
}

interface ProblemBlock {
  readonly severity: string;
  readonly title: string;
  readonly split: string;
  /** Markup. */
  readonly content: string;
}

function isWarning({ severity }: Pick<ProblemBlock, "severity">): boolean {
  return severity === "warning";
}

function problemBlock({ severity, title, split, content }: ProblemBlock): string {
  const kind = isWarning({ severity }) ? "warning" : "error";
  const head = element(
    "h3",
    {},
    element("span", { class: `tag ${kind}` }, escapeText(severity)),
    element("span", { class: "tag" }, escapeText(split)),
    escapeText(title),
  );
  return element("div", { class: "problem" }, head, content);
}

function cases({ examples, count }: Problem): string {
  const listed = examples.slice(0, CASES).map((text) => element("li", {}, escapeText(text)));
  const rest = examples.slice(CASES);
  const untold = count - examples.length;
  const lines = [...rest, ...(untold > 0 ? [`and ${untold.toLocaleString("en-GB")} more`] : [])];
  const more = details(`${(count - listed.length).toLocaleString("en-GB")} more`, lines.join("\n"));
  return element("ul", {}, ...listed) + more;
}

function classTable({ splits, classes }: CheckPage): string {
  const head = [
    "",
    "class",
    "values",
    ...splits.flatMap(({ result }) => ["", escapeText(result.split), "images"]),
  ];
  const most = splits.map(({ result }) => Math.max(1, ...result.classes.map(({ pixels }) => pixels)));
  const rows = classes.map(({ name, color }, index) => [
    String(index),
    colorLabel(name, color),
    escapeText(listOfValues(splits, index)),
    ...splits.flatMap(({ result }, i) => {
      const { pixels, images } = result.classes[index]!;
      const share =
        pixels === 0
          ? element("span", { class: "worse" }, "no pixels")
          : escapeText(percent(pixels / validPixels(result)));
      return [bar(pixels / most[i]!), share, images.toLocaleString("en-GB")];
    }),
  ]);
  const explanation = "Shares are of the labelled pixels; images are those that show the class.";
  return paragraph(explanation) + table(head, [...rows, ...otherRows(splits)], "counts");
}

/** What counts for no class: ignored pixels, and values that the label map does not know. */
function otherRows(splits: readonly CheckedSplit[]): string[][] {
  const row = (label: number | undefined, name: string) => {
    const pixels = splits.map(({ result }) =>
      result.values.reduce((sum, value) => sum + (value.label === label ? value.pixels : 0), 0),
    );
    if (pixels.every((count) => count === 0)) return [];
    const counts = pixels.flatMap((count, i) => [
      "",
      `${escapeText(percent(count / allPixels(splits[i]!.result)))} of all`,
      "",
    ]);
    return [["", name, escapeText(listOfValues(splits, label)), ...counts]];
  };
  return [
    ...row(IGNORE_INDEX, `<span class="swatch ignored"></span>ignored`),
    ...row(undefined, element("span", { class: "worse" }, "outside the label map")),
  ];
}

function listOfValues(splits: readonly CheckedSplit[], label: number | undefined): string {
  return valuesOf(
    splits.flatMap(({ result }) => result.values),
    label,
  );
}

function fileTable(splits: readonly CheckedSplit[]): string {
  const list = (counts: Readonly<Record<string, number>>) =>
    Object.entries(counts)
      .slice(0, 12)
      .map(([key, count]) => escapeText(`${key}: ${count.toLocaleString("en-GB")}`))
      .join("<br>");
  const rows = splits.map(({ result }) => [
    escapeText(result.split),
    result.samples.toLocaleString("en-GB"),
    result.labelled.toLocaleString("en-GB"),
    list(result.sizes),
    list(result.modes),
  ]);
  return table(["split", "images", "readable labels", "sizes (height x width)", "label files"], rows);
}

function notes(splits: readonly CheckedSplit[]): string {
  const lines = splits.flatMap(({ result }) => result.notes.map((note) => `${result.split}: ${note}`));
  return details(`Notes (${lines.length})`, lines.join("\n"));
}
