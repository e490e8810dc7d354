import type { EvaluationRecord, TeachingRecord } from "../../runs/records.ts";
import { colorLabel, section, table } from "../page.ts";
import { className, lastEvaluation, type ReportData, splitsOf } from "../report-data.ts";
import { formatPercent } from "../svg/format-number.ts";
import { element, escapeText } from "../svg/markup.ts";

/** The table of scores by class, one per split, as of the last evaluation. */
export function classes(data: ReportData): string {
  return splitsOf(data)
    .map((split) => {
      const evaluation = lastEvaluation(data, split)!;
      return section(`Classes on ${split}`, scores(evaluation), classTable(data, evaluation));
    })
    .join("");
}

/** The colour of a class as a small square, and its name; markup. */
export function classLabel(data: ReportData, index: number): string {
  const color = data.run?.classes[index]?.color ?? [128, 128, 128];
  return colorLabel(className(data, index), color);
}

function scores({ iteration, images, aAcc, mAcc, mIoU, boundaryIoU }: EvaluationRecord): string {
  const parts = [
    `mIoU ${formatPercent(mIoU)} %`,
    `mAcc ${formatPercent(mAcc)} %`,
    `aAcc ${formatPercent(aAcc)} %`,
    ...(boundaryIoU === undefined ? [] : [`boundary IoU ${formatPercent(boundaryIoU)} %`]),
  ];
  const text = `${parts.join(" · ")} over ${images} images at iteration ${iteration}.`;
  return element("p", { class: "soft" }, escapeText(text));
}

function classTable(data: ReportData, { iou, accuracy }: EvaluationRecord): string {
  const coverage = data.coverages.at(-1)?.coverage;
  const teaching = data.teachings.at(-1);
  const head = [
    "class",
    "IoU in %",
    "",
    ...(accuracy ? ["accuracy in %"] : []),
    ...(coverage ? ["labelled in training, in %"] : []),
    ...(teaching ? ["filled by the teacher, in % of what is drawn", "changed by it, in %"] : []),
  ];
  const rows = iou.map((value, i) => [
    classLabel(data, i),
    formatPercent(value),
    bar(value),
    ...(accuracy ? [formatPercent(accuracy[i] ?? Number.NaN)] : []),
    ...(coverage ? [formatPercent(coverage[i] ?? Number.NaN)] : []),
    ...(teaching ? [partOf(teaching, "filled", i), partOf(teaching, "changed", i)] : []),
  ]);
  return table(head, rows, "scores");
}

/** Pixels that a teacher filled or changed, in parts of those that were drawn of the class. */
function partOf(teaching: TeachingRecord, what: "filled" | "changed", index: number): string {
  return formatPercent((teaching[what][index] ?? 0) / (teaching.drawn[index] ?? 0));
}

/** A horizontal bar for a fraction in [0, 1]; markup. */
export function bar(fraction: number): string {
  const width = Number.isFinite(fraction) ? Math.min(Math.max(100 * fraction, 0), 100) : 0;
  return element("span", { class: "bar" }, element("i", { style: `width: ${width.toFixed(1)}%` }));
}
