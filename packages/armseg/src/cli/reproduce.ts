import { join } from "node:path";
import { Argument, type Command, Option } from "commander";
import type { ReproduceOptions } from "../experiments/reproduce.ts";
import { examples, integer, overridesOf, type SettingOptions, settingOptions } from "./arguments.ts";
import { FAILED, UsageError } from "./exit-codes.ts";
import { interruptible } from "./interruptible.ts";
import { printResult } from "./output.ts";

type Experiment = ReproduceOptions["experiment"];

const EXPERIMENTS: readonly Experiment[] = [
  "table1",
  "table2",
  "table3",
  "table4",
  "table5",
  "table6",
  "extension",
  "tables",
  "correction",
  "figure4",
  "figure5",
  "convergence",
];

const PRESETS: readonly ReproduceOptions["preset"][] = ["paper", "camvid", "scenes"];

interface Options extends SettingOptions {
  readonly preset?: ReproduceOptions["preset"];
  /** The old name of `preset`. */
  readonly scale?: ReproduceOptions["preset"];
  readonly data?: string;
  readonly weights?: string;
  readonly seeds?: number;
  readonly jobs?: number;
  readonly out?: string;
  readonly dryRun?: true;
  readonly json?: true;
}

/** `armseg reproduce` */
export function addReproduce(program: Command): void {
  settingOptions(program.command("reproduce"))
    .summary("run one of the paper's tables or figures, or the study of corrections")
    .description(
      "Train the entries of one of the paper's tables or figures with several seeds; what is done is not done again.",
    )
    .addArgument(
      new Argument(
        "<experiment>",
        "which table or figure; `tables` trains all of 1 to 5, `extension` is section 4.5, `correction` docs/coarse-to-fine.md",
      ).choices(EXPERIMENTS),
    )
    .addOption(
      new Option(
        "--preset <name>",
        "budget: the paper's, CamVid on a small machine, or generated scenes (required)",
      ).choices(PRESETS),
    )
    .addOption(new Option("--scale <name>", "old name of --preset").choices(PRESETS).hideHelp())
    .option("--data <folder>", "CamVid (camvid), or a folder that holds cityscapes and ade20k (paper)")
    .option(
      "--weights <path>",
      "ImageNet weights: a file of ResNet-18 (camvid, scenes; default: none), or a folder with the files of `weights list` (paper; default: the cache)",
    )
    .option(
      "--seeds <n>",
      "trainings of each entry (default: 3; correction: 5 of those that decide; figures: 1)",
      integer(1),
    )
    .option("--jobs <n>", "trainings at a time (default: by preset and processors)", integer(1))
    .option("--out <folder>", "runs and results (default: runs/reproduce-<preset>)")
    .option("--dry-run", "list the entries, time a few iterations, estimate the hours")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "reproduce table1 --preset scenes --seeds 3",
        "reproduce table4 --preset camvid --data data/camvid --weights $(armseg weights path resnet18)",
        "reproduce table1 --preset paper --data data --dry-run",
      ),
    )
    .action(run);
}

function defaultSeeds(experiment: Experiment): number {
  if (experiment === "correction") return 5;
  return experiment.startsWith("table") || experiment === "extension" ? 3 : 1;
}

/** @throws {UsageError} If neither `--preset` nor its old name is given. */
function presetOf({ preset, scale }: Options): ReproduceOptions["preset"] {
  if (preset !== undefined) return preset;
  if (scale === undefined) throw new UsageError(`name a budget with --preset: ${PRESETS.join(", ")}`);
  process.stderr.write("warning: --scale is now --preset\n");
  return scale;
}

async function run(experiment: Experiment, options: Options): Promise<void> {
  const preset = presetOf(options);
  const { dryRun, json, scale: _, set: __, device: ___, ...rest } = options;
  const { planReproduction, reproduce, reproduceText } = await import("../experiments/reproduce.ts");
  const whole = {
    ...rest,
    set: overridesOf(options),
    preset,
    experiment,
    folder: options.out ?? join("runs", `reproduce-${preset}`),
    seeds: options.seeds ?? defaultSeeds(experiment),
  };
  if (dryRun) {
    const { planText } = await import("../experiments/plan.ts");
    return printResult(await planReproduction(whole), json, planText);
  }
  const result = await interruptible((signal) => reproduce({ ...whole, signal }));
  printResult(result, json, reproduceText);
  if (result.failures.length > 0) process.exitCode ||= FAILED;
}
