/** The process of one job; `job-in-process.ts` starts it and speaks to it. */

import { existsSync } from "node:fs";
import { setThreads } from "@armseg/torch";
import { evaluateRun } from "../commands/evaluate.ts";
import { resumeTraining, startTraining } from "../commands/train.ts";
import type { ProgressStream } from "../core/progress.ts";
import { finishedEvaluation } from "../runs/read-run.ts";
import type { EvaluationRecord } from "../runs/records.ts";
import { hasTrainedState, runPaths } from "../runs/run-folder.ts";
import { TrainingError } from "../training/trainer.ts";
import { type Job, type Outcome, runFolderOf, type Scores } from "./job.ts";
import type { JobReport, StartMessage, StopMessage } from "./job-in-process.ts";

const stop = new AbortController();

async function reportOf({ job, folder, threads, isShown }: StartMessage): Promise<JobReport> {
  try {
    if (threads !== null) setThreads(threads);
    const stream = isShown ? process.stderr : null;
    return { outcome: await runJob(job, { folder, signal: stop.signal, stream }) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

process.on("message", async (message: StartMessage | StopMessage) => {
  if (message.kind === "stop") return stop.abort();
  const report = await reportOf(message);
  if (!process.connected) return;
  process.send?.(report, () => process.disconnect());
});

// The grid is gone: stop in order, so that the run can be resumed.
process.on("disconnect", () => stop.abort());

interface JobControl {
  /** Of the experiment. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  /** Where the progress of the training goes; `null` for none. */
  readonly stream: ProgressStream | null;
}

/**
 * Trains a job, or goes on with it where it was stopped, and scores the network of the last iteration (not the best: that
 * would be chosen by the split it is measured on).
 *
 * @throws What a training throws, but for one that diverged: that is a result.
 */
async function runJob(job: Job, { folder, ...control }: JobControl): Promise<Outcome> {
  const run = runFolderOf(folder, job);
  const known = finishedEvaluation(run);
  try {
    const last = known ?? (await train(job, { ...control, folder: run }));
    if (!last) return { kind: "stopped" };
    return { kind: "scored", scores: job.overrides.length > 0 ? await evaluated(run, job) : scoresOf(last) };
  } catch (error) {
    const isDiverged = error instanceof TrainingError && existsSync(runPaths(run).failed);
    if (!isDiverged) throw error;
    return { kind: "diverged", message: error.message };
  }
}

async function train(job: Job, control: JobControl): Promise<EvaluationRecord | null> {
  const result = await (hasTrainedState(control.folder)
    ? resumeTraining(control)
    : startTraining(job.config, control));
  return result.isComplete ? result.evaluation : null;
}

async function evaluated(folder: string, { overrides }: Job): Promise<Scores> {
  const { result } = await evaluateRun({ folder, checkpoint: "last", overrides });
  return scoresOf(result.metrics);
}

function scoresOf({
  aAcc,
  mAcc,
  mIoU,
  iou,
}: Pick<EvaluationRecord, "aAcc" | "mAcc" | "mIoU" | "iou">): Scores {
  // JSON has no NaN.
  return { aAcc, mAcc, mIoU, iou: iou.map((value) => (Number.isNaN(value) ? null : value)) };
}
