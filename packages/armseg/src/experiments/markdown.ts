import type { EntrySummary, Spread } from "./entry-statistics.ts";
import type { PublishedSystem } from "./experiment.ts";

/** Systems of others, as the paper lists them, as a Markdown table; empty if there are none. */
export function systemsTable(systems: readonly PublishedSystem[] = []): string {
  if (systems.length === 0) return "";
  const figure = (value: number | null) => (value === null ? "–" : value.toFixed(2));
  const rows = systems.map(({ name, backbone, cityscapes, ade20k }) => [
    name,
    backbone,
    figure(cityscapes),
    figure(ade20k),
  ]);
  const head = [
    ["system of others, not trained here", "backbone", "mIoU, Cityscapes fine, test", "mIoU, ADE20K, val"],
    ["---", "---", "---:", "---:"],
  ];
  return [...head, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/**
 * Returns the entries of an experiment as a Markdown table, ours beside the paper's, in percent.
 *
 * Of the paper's figures `none` is one that it does not have, `?` one that it prints and we have no record of. A `†` marks
 * a row that the paper's table does not have. `NaN`: every run diverged, as the paper writes it. An entry whose runs did not all end well says so in its last column.
 */
export function markdownTable(summaries: readonly EntrySummary[]): string {
  const head = [
    "setting",
    "method",
    "mIoU",
    "difference to base, 95 % interval",
    "mAcc",
    "aAcc",
    "paper: mIoU",
    "mAcc",
    "aAcc",
    "runs",
  ];
  const align = head.map((_, i) => (i < 2 || i === head.length - 1 ? "---" : "---:"));
  const rows = summaries.map((summary, i) => {
    const { setting } = summary.entry;
    return rowOf(summary, setting === summaries[i - 1]?.entry.setting ? "" : setting);
  });
  const table = [head, align, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [table, ...legend(table)].join("\n\n");
}

/** What the marks mean that a table has. */
function legend(table: string): string[] {
  const lines = [
    ...(table.includes("† |")
      ? ["† not a row of the paper's table: its figures, where there are any, stand in another one"]
      : []),
    ...(table.includes("| ? |") ? ["? the paper prints it; not recorded here"] : []),
  ];
  return lines.length > 0 ? [`${lines.join("; ")}.`] : [];
}

function rowOf(summary: EntrySummary, setting: string): string[] {
  const { entry, mIoU, mAcc, aAcc } = summary;
  const { paper } = entry;
  const isDiverged = summary.runs.length > 0 && summary.runs.every(({ kind }) => kind === "diverged");
  const ours = (spread: Spread) => (isDiverged ? "NaN" : spreadText(spread));
  return [
    setting,
    entry.isOurs ? `${entry.method} †` : entry.method,
    ours(mIoU),
    differenceText(summary.difference),
    ours(mAcc),
    ours(aAcc),
    paper.mIoU === undefined ? "none" : `${paperText(paper.mIoU)}${paper.on === "test" ? " (test)" : ""}`,
    paperText(paper.mAcc),
    paperText(paper.aAcc),
    runsText(summary),
  ];
}

function spreadText({ mean, deviation }: Spread): string {
  if (Number.isNaN(mean)) return "–";
  return Number.isNaN(deviation) ? percent(mean) : `${percent(mean)} ± ${percent(deviation)}`;
}

function differenceText(difference: EntrySummary["difference"]): string {
  if (!difference) return "";
  const [low, high] = difference.interval;
  const mean = `${difference.mean > 0 ? "+" : ""}${percent(difference.mean)}`;
  return Number.isNaN(low) ? mean : `${mean} (${percent(low)} to ${percent(high)})`;
}

function percent(fraction: number): string {
  return (100 * fraction).toFixed(2).replace("-", "−");
}

function paperText(value: number | "NaN" | null | undefined): string {
  if (value === undefined) return "";
  return typeof value === "number" ? value.toFixed(2) : (value ?? "?");
}

/** `3`, or how the runs ended that did not end with a score worth the name. */
function runsText({ runs }: EntrySummary): string {
  const odd = (["diverged", "collapsed", "failed"] as const).flatMap((kind) => {
    const count = runs.filter((run) => run.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind === "diverged" ? "NaN" : kind}`];
  });
  return [String(runs.length), ...odd].join(", ");
}
