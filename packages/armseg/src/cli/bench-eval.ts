import type { BenchDevice } from "@armseg/torch/bench";
import type { Command } from "commander";
import type { EvalBenchSize } from "../bench/evaluation.ts";
import { deviceOption, examples, integer, sizeLike } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly device: BenchDevice;
  readonly threads: number;
  readonly runs: number;
  readonly size?: EvalBenchSize;
  readonly json?: true;
}

/** `armseg bench eval` */
export function addBenchEval(bench: Command): void {
  bench
    .command("eval")
    .summary("logits to confusion matrix")
    .description(
      "Low-resolution logits to the confusion matrix of an image, beside PyTorch's: time and memory.",
    )
    .addOption(deviceOption())
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--runs <n>", "runs that count", integer(1), 15)
    .option(
      "--size <CxHxW>",
      "classes and labels; logits have a quarter of the resolution (default: 19x1024x2048)",
      sizeLike<EvalBenchSize>("CxHxW"),
    )
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench eval", "bench eval --json"))
    .action(async ({ json, ...options }: Options) => {
      const { benchEval, benchEvalText } = await import("../bench/evaluation.ts");
      printResult(benchEval(options), json, benchEvalText);
    });
}
