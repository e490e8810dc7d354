import { bestEvaluation } from "../../runs/read-run.ts";
import type { EventRecord } from "../../runs/records.ts";
import { table } from "../page.ts";
import { lastEvaluation, type ReportData, splitsOf } from "../report-data.ts";
import { formatNumber, formatPercent } from "../svg/format-number.ts";
import { element, escapeText } from "../svg/markup.ts";

/** The head of the report: name, state, the figures that matter, what the run is. */
export function summary(data: ReportData): string {
  return [
    element("h1", {}, escapeText(data.name)),
    element("p", { class: "soft" }, escapeText(state(data))),
    element("div", { class: "tiles" }, ...tiles(data).map(([value, what]) => tile(value, what))),
    facts(data),
  ].join("");
}

function state({ run, iteration, events, environments }: ReportData): string {
  const [first] = environments;
  const starts = environments.length > 1 ? `, resumed ${times(environments.length - 1)}` : "";
  const started =
    first === undefined ? "" : ` Started ${first.date.slice(0, 16).replace("T", " ")} UTC${starts}.`;
  if (run === undefined) return `Nothing logged yet.${started}`;
  const early = events.findLast(({ event }) => event === "earlyStop");
  if (early) return `${early.message[0]!.toUpperCase()}${early.message.slice(1)}.${started}`;
  const progress = iteration >= run.iterations ? "Finished" : "At iteration";
  const count = iteration >= run.iterations ? `${iteration} iterations` : `${iteration} of ${run.iterations}`;
  return `${progress}${progress === "Finished" ? " after" : ""} ${count}.${started}`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}

function tiles(data: ReportData): [value: string, what: string][] {
  return [...splitsOf(data).flatMap((split) => scoreTiles(data, split)), ...courseTiles(data)];
}

function scoreTiles(data: ReportData, split: string): [string, string][] {
  const last = lastEvaluation(data, split)!;
  const best = bestEvaluation(data.evaluations.filter((evaluation) => evaluation.split === split));
  const shown: [string, string][] = [[`${formatPercent(last.mIoU)} %`, `mIoU on ${split}`]];
  if (best && best.mIoU > last.mIoU)
    shown.push([`${formatPercent(best.mIoU)} %`, `best, at iteration ${best.iteration}`]);
  return [...shown, [`${formatPercent(last.aAcc)} %`, `pixel accuracy on ${split}`]];
}

function courseTiles({ train, timings, events }: ReportData): [string, string][] {
  const loss = train.at(-1)?.loss;
  const seconds = timings.reduce((sum, { iterationSeconds }) => sum + iterationSeconds, 0) / timings.length;
  const shown: [string, string][] = [];
  if (loss !== undefined) shown.push([formatNumber(loss), "last loss"]);
  if (timings.length > 0) shown.push([`${formatNumber(seconds)} s`, "per iteration"]);
  return train.length > 0 || events.length > 0 ? [...shown, ...countTiles(events)] : shown;
}

/** How often a step or a batch came to nothing; one tile that says so if all went well. */
function countTiles(events: readonly EventRecord[]): [string, string][] {
  const kinds: [EventRecord["event"], string][] = [
    ["skippedStep", "skipped steps (loss not finite)"],
    ["emptyBatch", "batches without a labelled pixel"],
    ["zeroWeight", "batches of weight 0"],
  ];
  const counted = kinds.flatMap(([kind, what]): [string, string][] => {
    const count = events.filter(({ event }) => event === kind).length;
    return count > 0 ? [[String(count), what]] : [];
  });
  return counted.length > 0 ? counted : [["0", "skipped steps or empty batches"]];
}

function tile(value: string, what: string): string {
  return element(
    "div",
    { class: "tile" },
    element("b", {}, escapeText(value)),
    element("span", {}, escapeText(what)),
  );
}

function facts({ run }: ReportData): string {
  const rows = Object.entries(run?.facts ?? {}).map(([name, value]) => [escapeText(name), escapeText(value)]);
  return rows.length === 0 ? "" : table([], rows, "facts");
}
