import { join } from "node:path";
import type { RunResult } from "../commands/train.ts";

/** Returns how a training ended, as lines for a terminal. */
export function runText(result: RunResult): string {
  const { folder, iteration, iterations, processes, isComplete } = result;
  const scores = scoreLines(result);
  const state = isComplete
    ? [`Done: ${iteration} iterations, report ${join(folder, "report.html")}`]
    : [
        `Stopped at iteration ${iteration} of ${iterations}.`,
        `Continue with: armseg train --resume ${folder}${processes > 1 ? ` --nproc ${processes}` : ""}`,
      ];
  return [...scores, ...state].join("\n");
}

/** The last scores, and the best where they are better: what `eval` says. */
function scoreLines({ evaluation, best }: RunResult): string[] {
  if (!evaluation) return [];
  const last = `mIoU ${percent(evaluation.mIoU)} on ${evaluation.split}, at iteration ${evaluation.iteration}`;
  if (!best || !(best.mIoU > evaluation.mIoU)) return [last];
  return [
    last,
    `best ${percent(best.mIoU)}, at iteration ${best.iteration}: the checkpoint that eval and predict take`,
  ];
}

function percent(share: number): string {
  return Number.isNaN(share) ? "not measurable" : `${(100 * share).toFixed(2)} %`;
}
