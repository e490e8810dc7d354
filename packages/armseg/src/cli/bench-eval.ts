import type { Command } from "commander";
import { examples, integer } from "./arguments.ts";
import { printResult } from "./output.ts";

/** `armseg bench eval` */
export function addBenchEval(bench: Command): void {
  bench
    .command("eval")
    .summary("logits to confusion matrix")
    .description(
      "Low-resolution logits to the confusion matrix of an image, beside PyTorch's: time and memory.",
    )
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--runs <n>", "runs that count", integer(1), 15)
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench eval", "bench eval --json"))
    .action(async ({ json, ...options }: { threads: number; runs: number; json?: true }) => {
      const { benchEval, benchEvalText } = await import("../evaluation/index.ts");
      printResult(benchEval(options), json, benchEvalText);
    });
}
