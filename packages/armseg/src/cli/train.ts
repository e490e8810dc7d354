import { statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import type { RunResult } from "../commands/train.ts";
import { readConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { hasTrainedState, isRun } from "../runs/run-folder.ts";
import { examples, integer, setOption } from "./arguments.ts";
import { UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { printResult } from "./output.ts";
import { isMainProcess, processesOption, runInProcesses } from "./several-processes.ts";

interface Options {
  readonly out?: string;
  readonly resume?: true;
  readonly set?: string[];
  readonly dryRun?: true;
  readonly seeds?: number;
  readonly nproc?: number;
  readonly json?: true;
}

/** `armseg train` */
export function addTrain(program: Command): void {
  processesOption(setOption(program.command("train")))
    .summary("train a network")
    .description("Train a network; Ctrl-C leaves a run that --resume continues.")
    .argument(
      "<config...>",
      "configuration file; with --resume also the folder of a run; several with --seeds",
    )
    .option("--out <folder>", "folder of the run (default: runs/<name of the configuration>)")
    .option("--resume", "continue a run, bitwise as if it had never stopped")
    .option(
      "--dry-run",
      "check the data, build the network, run three iterations at full size, plan memory and time",
    )
    .option(
      "--seeds <n>",
      "train with n seeds one after another; mean, spread and paired differences",
      integer(1),
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "train armseg.yaml",
        "train armseg.yaml --out runs/first --set schedule.iterations=20000",
        "train --resume runs/first",
        "train base.yaml arm.yaml --seeds 3 --out runs/comparison",
        "train armseg.yaml --nproc 8",
      ),
    )
    .action(async (paths: string[], options: Options) => {
      if (options.dryRun && (options.nproc ?? 1) > 1)
        throw new UsageError("--dry-run plans the part of one process; leave out --nproc");
      if (await runInProcesses(options.nproc)) return;
      if (options.seeds !== undefined) return await trainSeveral(paths, options.seeds, options);
      if (paths.length > 1)
        throw new UsageError("several configurations are compared with --seeds, e.g. --seeds 3");
      if (options.dryRun) return await plan(paths[0] as string, options);
      return await trainOne(paths[0] as string, options);
    });
}

async function trainOne(path: string, options: Options): Promise<void> {
  const { startTraining, resumeTraining } = await import("../commands/train.ts");
  const result = await interruptible((signal) => {
    const run = options.resume && runToResume(path, options);
    if (run) return resumeTraining({ folder: run, signal });
    const config = readConfig(path, options.set);
    return startTraining(config, { folder: folderOf(config, options), signal });
  });
  if (await isMainProcess()) printResult(result, options.json, runText);
}

async function plan(path: string, options: Options): Promise<void> {
  const { dryRun, dryRunText } = await import("../commands/dry-run.ts");
  const config = readConfig(path, options.set);
  const result = await interruptible((signal) => dryRun(config, { signal }));
  printResult(result, options.json, dryRunText);
}

async function trainSeveral(paths: readonly string[], seeds: number, options: Options): Promise<void> {
  if (options.dryRun) throw new UsageError("--dry-run plans one training; leave out --seeds");
  const { trainSeeds, seedsText } = await import("../commands/train-seeds.ts");
  const configs = paths.map((path) => readConfig(path, options.set));
  const folder = options.out ?? join("runs", configs.map(({ name }) => name).join("-"));
  const isResumed = options.resume ?? false;
  const result = await interruptible((signal) => trainSeeds(configs, { folder, seeds, isResumed, signal }));
  if (await isMainProcess()) printResult(result, options.json, seedsText);
}

function folderOf({ name }: Config, { out }: Options): string {
  return out ?? join("runs", name);
}

/**
 * `--resume` takes the folder of a run, or the configuration that named it.
 *
 * @returns Nothing where the run of a configuration never came to a checkpoint: it then starts by the configuration as it is now.
 */
function runToResume(path: string, options: Options): string | undefined {
  if (options.set) throw new UsageError("a resumed run keeps its configuration; leave out --set or --resume");
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const folder = folderOf(readConfig(path), options);
  return isRun(folder) && !hasTrainedState(folder) ? undefined : folder;
}

function runText(result: RunResult): string {
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
