import type { BenchDevice } from "@armseg/torch/bench";
import type { Command } from "commander";
import { deviceOption, examples, integer, positive } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly device: BenchDevice;
  readonly threads: number;
  readonly iterations: number;
  readonly miou?: number;
  readonly json?: true;
}

/** `armseg bench training` */
export function addBenchTraining(bench: Command): void {
  bench
    .command("training")
    .summary("time to a score")
    .description(
      "Time and processor time that a training on generated scenes takes to reach a mIoU, beside a loop in PyTorch of the same recipe.",
    )
    .addOption(deviceOption())
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--iterations <n>", "updates of each training", integer(10), 200)
    .option("--miou <percent>", "to reach (default: the most that both sides reach)", positive)
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench training", "bench training --iterations 400 --miou 40 --json"))
    .action(async ({ json, ...options }: Options) => {
      const { benchTraining, benchTrainingText } = await import("../bench/training.ts");
      printResult(await benchTraining(options), json, benchTrainingText);
    });
}
