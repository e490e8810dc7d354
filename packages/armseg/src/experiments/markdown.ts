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
 * Returns the entries of an experiment as a Markdown table, in percent, ours beside the paper's where it has any.
 *
 * Of the paper's figures `none` is one that it does not have, `?` one that it prints and we have no record of. A `†` marks
 * a row that the paper's table does not have. `NaN`: every run diverged, as the paper writes it. An entry whose runs did not all end well says so in its last column.
 */
export function markdownTable(summaries: readonly EntrySummary[]): string {
  const columns = columnsOf(summaries);
  const head = columns.map(({ title }) => title);
  const align = columns.map(({ isText }) => (isText ? "---" : "---:"));
  const rows = summaries.map((summary, i) =>
    columns.map(({ cell }) => cell(summary, summaries[i - 1] ?? null)),
  );
  const table = [head, align, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return [table, ...legend(table)].join("\n\n");
}

interface Column {
  readonly title: string;
  readonly isText?: true;
  readonly cell: (summary: EntrySummary, above: EntrySummary | null) => string;
}

/** The paper's columns and the gap's only where there is something in them. */
function columnsOf(summaries: readonly EntrySummary[]): Column[] {
  const isPublished = summaries.some(({ entry }) => Object.keys(entry.paper).length > 0);
  const hasGap = summaries.some(({ entry }) => entry.fine !== null);
  return [
    { title: "setting", isText: true, cell: settingText },
    {
      title: "method",
      isText: true,
      cell: ({ entry }) => (entry.isOurs ? `${entry.method} †` : entry.method),
    },
    { title: "mIoU", cell: (summary) => scoreText(summary, summary.mIoU) },
    {
      title: "difference to base, 95 % interval",
      cell: ({ difference }) => differenceText(difference),
    },
    ...(hasGap ? [GAP] : []),
    { title: "mAcc", cell: (summary) => scoreText(summary, summary.mAcc) },
    { title: "aAcc", cell: (summary) => scoreText(summary, summary.aAcc) },
    ...(isPublished ? PAPER : []),
    { title: "runs", isText: true, cell: runsText },
  ];
}

const GAP: Column = {
  title: "gap to fine labels left, 95 % interval",
  cell: ({ gapLeft }) => gapText(gapLeft),
};

const PAPER: readonly Column[] = [
  {
    title: "paper: mIoU",
    cell: ({ entry: { paper } }) =>
      paper.mIoU === undefined ? "none" : `${paperText(paper.mIoU)}${paper.on === "test" ? " (test)" : ""}`,
  },
  { title: "mAcc", cell: ({ entry }) => paperText(entry.paper.mAcc) },
  { title: "aAcc", cell: ({ entry }) => paperText(entry.paper.aAcc) },
];

/** Said once for the rows below each other that share it. */
function settingText({ entry }: EntrySummary, above: EntrySummary | null): string {
  return entry.setting === above?.entry.setting ? "" : entry.setting;
}

function scoreText({ runs }: EntrySummary, spread: Spread): string {
  const isDiverged = runs.length > 0 && runs.every(({ kind }) => kind === "diverged");
  return isDiverged ? "NaN" : spreadText(spread);
}

function gapText(gap: EntrySummary["gapLeft"]): string {
  if (!gap) return "";
  const [low, high] = gap.interval;
  const share = (value: number) => value.toFixed(2).replace("-", "−");
  if (Number.isFinite(low)) return `${share(gap.ratio)} (${share(low)} to ${share(high)})`;
  return Number.isNaN(low) ? share(gap.ratio) : `${share(gap.ratio)} (unbounded)`;
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
