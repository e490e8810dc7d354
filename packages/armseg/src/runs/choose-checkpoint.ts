import { statSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, checkpointFileName, listCheckpoints } from "./checkpoint-index.ts";
import { runPaths } from "./run-folder.ts";

/** `best` by mIoU, the `last`, or a checkpoint file. */
export type CheckpointChoice = "best" | "last" | (string & {});

function best(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  const scored = checkpoints.filter(({ metric }) => metric !== null);
  return scored.sort((a, b) => (b.metric as number) - (a.metric as number))[0];
}

/**
 * Returns the file of a run's checkpoint.
 *
 * @param choice - Default `best`, or `last` where none was scored.
 * @throws If the file does not exist or is none, or the run has no checkpoint.
 */
export function chooseCheckpoint(folder: string, choice: CheckpointChoice = "best"): string {
  if (choice !== "best" && choice !== "last") {
    const stat = statSync(choice, { throwIfNoEntry: false });
    if (stat?.isFile()) return choice;
    const got = stat ? (stat.isDirectory() ? "is a folder" : "is no regular file") : "does not exist";
    throw new Error(`checkpoint ${choice} ${got}; take best, last or the path of a file`);
  }
  const place = runPaths(folder).checkpoints;
  const all = listCheckpoints(place);
  const found = (choice === "best" ? best(all) : undefined) ?? all.at(-1);
  if (!found) throw new Error(`${folder} has no checkpoint yet; train it first`);
  return join(place, checkpointFileName(found.iteration));
}
