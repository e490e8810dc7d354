import { writeReport } from "../report/write-report.ts";
import type { CheckpointIndex } from "../runs/checkpoint-index.ts";
import { appendEnvironment, type Environment } from "../runs/environment.ts";
import type { RunPaths } from "../runs/run-folder.ts";
import { RunLog } from "../runs/run-log.ts";
import type { CheckpointStore } from "../training/trainer.ts";
import type { LogWriter } from "../training/training-log.ts";

/** What a training writes into its run folder. */
export interface RunOutput extends LogWriter, Disposable {
  readonly checkpoints: CheckpointStore;
  /** Writes the report from what is in the folder. */
  writeReport(): void;
}

/** The output of the processes that are not the main one. */
export const NO_OUTPUT: RunOutput = {
  log: () => {},
  flush: () => {},
  checkpoints: { save: async () => {}, saveFailed: () => "the run folder" },
  writeReport: () => {},
  [Symbol.dispose]: () => {},
};

/**
 * Opens the output of the main process, and undoes what a stopped run wrote after its checkpoint.
 *
 * @param resumedAt - Iteration of the checkpoint that the run goes on from; `undefined` for a new run.
 */
export function openOutput(
  paths: RunPaths,
  checkpoints: CheckpointIndex,
  environment: Environment,
  resumedAt: number | undefined,
): RunOutput {
  checkpoints.discardAfter(resumedAt ?? 0);
  appendEnvironment(paths.environment, environment);
  const log = new RunLog(paths, resumedAt === undefined ? {} : { resumeAt: resumedAt });
  return {
    log: (record) => log.log(record),
    flush: () => log.flush(),
    checkpoints: storeOf(paths, checkpoints),
    writeReport: () => writeReport(paths.folder),
    [Symbol.dispose]: () => log[Symbol.dispose](),
  };
}

function storeOf({ failed }: RunPaths, checkpoints: CheckpointIndex): CheckpointStore {
  return {
    save: (iteration, write, score) => checkpoints.save(iteration, write, score),
    saveFailed: (write) => {
      write(failed);
      return failed;
    },
  };
}
