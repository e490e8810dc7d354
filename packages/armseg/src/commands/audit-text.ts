import { textTable } from "../core/text-table.ts";
import { type AuditMeasure, type AuditSummary, unlearnedNote } from "../runs/audit/index.ts";
import type { AuditOutcome } from "./audit.ts";

/** Returns what an audit found, for a terminal. */
export function auditText({ summary, paths, first }: AuditOutcome): string {
  const { classes, images, regions, seconds, measure } = summary;
  const names = classes.map(({ name }) => name);
  return [
    `${summary.dataset}, ${summary.split}: ${images} images, ${regions} suspicious regions, ${seconds.toFixed(1)} s, ${summary.checkpoint}`,
    "",
    ...classRows(classes),
    unlearnedNote(summary),
    ...(first.length > 0 ? ["The most suspicious regions:"] : []),
    ...textTable(
      first.map(({ rank, label, prediction, area, score, id }) => [
        `  ${rank}`,
        `${names[label]} → ${names[prediction]}`,
        `${area} px`,
        score.toFixed(1),
        id,
      ]),
      { left: [1, 4] },
    ),
    ...(measure ? ["", ...measureRows(measure)] : []),
    "",
    `Look at them: ${paths.page}`,
  ].join("\n");
}

function classRows(classes: AuditSummary["classes"]): string[] {
  return textTable([
    ["class", "labelled pixels", "in regions", "regions", "mostly as"],
    ...classes.map(({ name, labelled, suspicious, regions, predictedAs }) => [
      name,
      String(labelled),
      share(labelled === 0 ? null : suspicious / labelled),
      String(regions),
      predictedAs[0] ? classes[predictedAs[0].class]!.name : "",
    ]),
  ]);
}

function measureRows({
  wrong,
  missing,
  precision,
  wrongRecall,
  missingRecall,
  missingPrecision,
}: AuditMeasure): string[] {
  return textTable([
    ["Against fine labels", "armseg", "cleanlab"],
    ...precision.map(({ regions, ours, cleanlab }) => [
      `precision of the first ${regions} regions`,
      share(ours),
      share(cleanlab),
    ]),
    [`found of ${wrong} wrong pixels`, share(wrongRecall.ours), share(wrongRecall.cleanlab)],
    [`sure of, of ${missing} missing pixels`, share(missingRecall)],
    ["right among these", share(missingPrecision)],
  ]);
}

function share(value: number | null): string {
  return value === null ? "-" : `${(100 * value).toFixed(1)} %`;
}
