import { existsSync } from "node:fs";
import { textTable } from "../core/text-table.ts";
import { writeComparison } from "../report/write-report.ts";
import { bestEvaluation, lastIteration, readRun } from "../runs/read-run.ts";
import { type EvaluationRecord, recordsOfKind } from "../runs/records.ts";

/** One run beside others. */
export interface ComparedRun {
  readonly folder: string;
  /** Iterations done, and whether the training is over. */
  readonly iteration: number;
  readonly isComplete: boolean;
  /** Class names, in the order of the IoUs. */
  readonly classes: readonly string[];
  readonly last: EvaluationRecord | null;
  readonly best: EvaluationRecord | null;
  /** Last mIoU less the first run's; `null` for the first, and where one of the two has none. */
  readonly difference: number | null;
}

export interface RunComparison {
  readonly runs: readonly ComparedRun[];
  /** The page. */
  readonly page: string;
}

/**
 * Puts runs beside one another: scores as data, and a page with curves, samples and classes.
 *
 * @param options.out - The page to write.
 * @param options.overwrite - Replace the page. Default false.
 * @throws If a folder holds no run, or the page exists.
 */
export function compareRuns(
  folders: readonly string[],
  { out, overwrite = false }: { readonly out: string; readonly overwrite?: boolean },
): RunComparison {
  if (!overwrite && existsSync(out))
    throw new Error(
      `compareRuns(): ${out} exists and is not overwritten; add --overwrite, or name another with --out`,
    );
  const runs = folders.map(runOf);
  const base = runs[0]?.last?.mIoU;
  writeComparison(out, folders.join(", "), folders);
  return {
    page: out,
    runs: runs.map((run, i) => ({
      ...run,
      difference: i === 0 || base === undefined || !run.last ? null : run.last.mIoU - base,
    })),
  };
}

function runOf(folder: string): Omit<ComparedRun, "difference"> {
  const { records } = readRun(folder);
  const evaluations = recordsOfKind(records, "evaluation");
  return {
    folder,
    iteration: records.at(-1)?.iteration ?? 0,
    isComplete: lastIteration(records) !== undefined,
    classes: recordsOfKind(records, "run")[0]?.classes.map(({ name }) => name) ?? [],
    last: evaluations.at(-1) ?? null,
    best: bestEvaluation(evaluations),
  };
}

/** The comparison as tables for a terminal, in percent. */
export function comparisonText({ runs, page }: RunComparison): string {
  const percent = (share: number | null | undefined) =>
    share === null || share === undefined || !Number.isFinite(share) ? "–" : (100 * share).toFixed(2);
  const signed = (share: number | null) =>
    `${(share ?? 0) > 0 ? "+" : ""}${share === null ? "" : percent(share)}`;
  const scores = runs.map(({ folder, iteration, isComplete, last, best, difference }) => [
    folder,
    `${iteration}${isComplete ? "" : " (not finished)"}`,
    percent(last?.mIoU),
    percent(best?.mIoU),
    percent(last?.aAcc),
    signed(difference),
  ]);
  const names = runs[0]?.classes ?? [];
  const classes = names.map((name, i) => [name, ...runs.map(({ last }) => percent(last?.iou[i]))]);
  return [
    ...textTable([["run", "iteration", "mIoU", "best", "aAcc", "difference"], ...scores]),
    "",
    ...textTable([["IoU in %", ...runs.map(({ folder }) => folder)], ...classes]),
    "",
    `Page: ${page}`,
  ].join("\n");
}
