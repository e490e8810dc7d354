import type { BenchDevice } from "@armseg/torch/bench";
import type { Command } from "commander";
import type { LossBenchSize } from "../bench/loss.ts";
import { deviceOption, examples, integer, sizeLike } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly device: BenchDevice;
  readonly threads: number;
  readonly runs?: number;
  readonly size?: LossBenchSize;
  readonly json?: true;
}

/** `armseg bench loss` */
export function addBenchLoss(bench: Command): void {
  bench
    .command("loss")
    .summary("the reweighted loss")
    .description("The reweighted loss, forward and backward, beside PyTorch's: time and memory.")
    .addOption(deviceOption())
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--runs <n>", "runs that count (default: 15, on cuda 50)", integer(1))
    .option(
      "--size <NxCxhxwxHxW>",
      "logits and labels (default: 2x19x128x256x512x1024, on cuda 16 of them)",
      sizeLike<LossBenchSize>("NxCxhxwxHxW"),
    )
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench loss", "bench loss --device cuda --json"))
    .action(async ({ json, ...options }: Options) => {
      const { benchLoss, benchLossText } = await import("../bench/loss.ts");
      printResult(benchLoss(options), json, benchLossText);
    });
}
