import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { textTable } from "../../core/text-table.ts";
import { countOf } from "../formats/pair-files.ts";
import type { ValueCount } from "../labels/inspect-label.ts";
import { classWeights } from "./class-weights.ts";
import { type Problem, type Purpose, severityFor } from "./problems.ts";
import type { ScanResult } from "./scan.ts";

const MAX_VALUES = 8;
const MAX_CASES = 10;

/** What `armseg data check` prints: files, a table of classes with pixels and weights, and every problem with its first ten cases. */
export function scanText(result: ScanResult, purpose: Purpose = "training"): string {
  const { dataset, split, samples, labelled } = result;
  const lines = [
    `${dataset}, ${split}: ${countOf(samples, "image")}, ${countOf(labelled, "readable label")}`,
    ...list("sizes (height x width)", result.sizes),
    ...list("label files", result.modes),
    ...result.notes.map((note) => `note: ${note}`),
    "",
    ...(labelled > 0 ? [classTable(result), "", ...unknownValues(result.values)] : []),
    ...(result.problems.length > 0 ? problemLines(result.problems, purpose) : ["no problems found"]),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

function list(title: string, counts: Readonly<Record<string, number>>): string[] {
  const entries = Object.entries(counts);
  const more = entries.length > MAX_VALUES ? `, and ${entries.length - MAX_VALUES} more` : "";
  const text = entries
    .slice(0, MAX_VALUES)
    .map(([key, count]) => `${key}: ${count.toLocaleString("en-GB")}`)
    .join(", ");
  return entries.length === 0 ? [] : [`${title}: ${text}${more}`];
}

function classTable(result: ScanResult): string {
  const valid = result.classes.reduce((sum, { pixels }) => sum + pixels, 0);
  const weights =
    valid > 0
      ? (["inverse-log", "median-frequency"] as const).map((formula) => classWeights(result, formula))
      : [];
  const header = [
    "",
    "class",
    "values",
    "pixels",
    "share",
    "images",
    ...(valid > 0 ? ["inverse log", "median freq."] : []),
  ];
  const rows = result.classes.map(({ name, pixels, images }, i) => [
    String(i),
    name,
    valuesOf(result.values, i),
    pixels === 0 ? "no pixels" : pixels.toLocaleString("en-GB"),
    percent(pixels, valid),
    String(images),
    ...weights.map((list) => list[i]!.toFixed(4)),
  ]);
  const ignored = [
    "",
    "ignored",
    valuesOf(result.values, IGNORE_INDEX),
    result.ignoredPixels.toLocaleString("en-GB"),
  ];
  return textTable([header, ...rows, ignored], { left: [1, 2] }).join("\n");
}

function percent(part: number, whole: number): string {
  return whole === 0 ? "" : `${((100 * part) / whole).toFixed(2)} %`;
}

/** Returns the values of a class, of ignored pixels, or of those outside the label map (undefined) as a short list. */
export function valuesOf(values: readonly ValueCount[], label: number | undefined): string {
  const own = [...new Set(values.filter((value) => value.label === label).map(({ value }) => value))];
  const separator = own.some((value) => value.includes(",")) ? "; " : ", ";
  return (
    own.slice(0, MAX_VALUES).join(separator) +
    (own.length > MAX_VALUES ? ` and ${own.length - MAX_VALUES} more` : "")
  );
}

function unknownValues(values: readonly ValueCount[]): string[] {
  const unknown = values.filter(({ label }) => label === undefined);
  if (unknown.length === 0) return [];
  const shown = unknown
    .slice(0, MAX_VALUES)
    .map(({ value, pixels }) => `${value === "" ? '""' : value} (${countOf(pixels, "pixel")})`);
  const more = unknown.length > shown.length ? `, and ${unknown.length - shown.length} more` : "";
  return [`outside the label map: ${shown.join(", ")}${more}`, ""];
}

/** Returns the warnings that a training begins with: files without a partner are among the data set's notes already. */
export function warningText({ problems }: ScanResult): string {
  const shown = problems.filter(
    ({ kind, severity }) => severity === "warning" && kind !== "file without a partner",
  );
  return problemLines(shown, "training").join("\n");
}

/** Returns problems as lines, each with its first ten cases. */
export function problemLines(problems: readonly Problem[], purpose: Purpose): string[] {
  return problems.flatMap((problem) => {
    const { kind, count } = problem;
    const examples = problem.examples.slice(0, MAX_CASES);
    return [
      `${severityFor(problem, purpose)}: ${kind} (${count.toLocaleString("en-GB")})`,
      ...examples.map((example) => `  ${example}`),
      ...(count > examples.length ? [`  and ${(count - examples.length).toLocaleString("en-GB")} more`] : []),
    ];
  });
}
