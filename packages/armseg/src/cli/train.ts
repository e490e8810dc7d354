import { statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { isOverridden, readConfig } from "../config/read-config.ts";
import { readRunConfig } from "../config/read-run-config.ts";
import type { Config } from "../config/schema.ts";
import { hasTrainedState, isRun } from "../runs/run-folder.ts";
import { examples, integer, overridesOf, type SettingOptions, settingOptions } from "./arguments.ts";
import { UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { printResult } from "./output.ts";
import { isMainProcess, processesOption, runInProcesses } from "./several-processes.ts";
import { runText } from "./train-text.ts";

interface Options extends SettingOptions {
  readonly out?: string;
  readonly resume?: true;
  readonly from?: string;
  readonly dryRun?: true;
  readonly seeds?: number;
  readonly nproc?: number;
  readonly json?: true;
}

/** `armseg train` */
export function addTrain(program: Command): void {
  processesOption(settingOptions(program.command("train")))
    .summary("train a network")
    .description("Train a network; Ctrl-C leaves a run that --resume continues.")
    .argument(
      "[config...]",
      "configuration file; with --resume also the folder of a run; several with --seeds; none with --from",
    )
    .option("--out <folder>", "folder of the run (default: runs/<name of the configuration>)")
    .option("--resume", "continue a run, bitwise as if it had never stopped")
    .option(
      "--from <run>",
      "a new run that begins with the network and curve of another, by its configuration where none is named",
    )
    .option(
      "--dry-run",
      "check the data, build the network, run three iterations at full size and two images of an evaluation, plan memory and time; write nothing",
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
        "train --from runs/first --set schedule.iterations=5000",
        "train base.yaml arm.yaml --seeds 3 --out runs/comparison",
        "train armseg.yaml --nproc 8",
      ),
    )
    .action(async (paths: string[], options: Options) => {
      if (options.dryRun && (options.nproc ?? 1) > 1)
        throw new UsageError("--dry-run plans the part of one process; leave out --nproc");
      if (await runInProcesses(options.nproc)) return;
      if (paths.length === 0 && options.seeds !== undefined)
        throw new UsageError("--seeds takes configuration files");
      if (options.seeds !== undefined) return await trainSeveral(paths, options.seeds, options);
      if (paths.length > 1)
        throw new UsageError("several configurations are compared with --seeds, e.g. --seeds 3");
      if (options.dryRun) return await plan(paths[0], options);
      return await trainOne(paths[0], options);
    });
}

async function trainOne(path: string | undefined, options: Options): Promise<void> {
  const { startTraining, resumeTraining } = await import("../commands/train.ts");
  const result = await interruptible((signal) => {
    const run = options.resume && runToResume(path, options);
    if (run) return resumeTraining({ folder: run, signal });
    const config = configOf(path, options);
    return startTraining(config, { folder: folderOf(config, options), signal });
  });
  if (await isMainProcess()) printResult(result, options.json, runText);
}

/** Writes nothing, so that Ctrl-C may end the process where it stands, in the midst of a step: no signal is caught. */
async function plan(path: string | undefined, options: Options): Promise<void> {
  const { dryRun, dryRunText } = await import("../commands/dry-run.ts");
  printResult(await dryRun(configOf(path, options), {}), options.json, dryRunText);
}

/** The configuration file's, or that of the run that is begun with. */
function configOf(path: string | undefined, options: Options): Config {
  const { from } = options;
  const overrides = overridesOf(options);
  const all = from === undefined ? overrides : [...overrides, `training.from=${JSON.stringify(from)}`];
  if (path !== undefined) return readConfig(path, all);
  if (from === undefined)
    throw new UsageError(
      "missing required argument 'config': name a configuration file, or with --from the run whose configuration is taken",
    );
  const config = readRunConfig(from, all);
  return isOverridden(["name"], all) ? config : { ...config, name: `${config.name}-continued` };
}

async function trainSeveral(paths: readonly string[], seeds: number, options: Options): Promise<void> {
  if (options.dryRun) throw new UsageError("--dry-run plans one training; leave out --seeds");
  const { trainSeeds, seedsText } = await import("../commands/train-seeds.ts");
  const configs = paths.map((path) => configOf(path, options));
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
function runToResume(path: string | undefined, options: Options): string | undefined {
  const given = (["set", "device", "from"] as const).find((name) => options[name] !== undefined);
  if (given) throw new UsageError(`a resumed run keeps its configuration; leave out --${given} or --resume`);
  if (path === undefined)
    throw new UsageError("--resume takes the folder of a run, or the configuration that named it");
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const folder = folderOf(readConfig(path), options);
  return isRun(folder) && !hasTrainedState(folder) ? undefined : folder;
}
