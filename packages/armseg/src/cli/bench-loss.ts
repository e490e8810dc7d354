import type { Command } from "commander";
import { examples, integer } from "./arguments.ts";
import { printResult } from "./output.ts";

/** `armseg bench loss` */
export function addBenchLoss(bench: Command): void {
  bench
    .command("loss")
    .summary("the reweighted loss")
    .description("The reweighted loss, forward and backward, beside PyTorch's: time and memory.")
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--runs <n>", "runs that count", integer(1), 15)
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench loss", "bench loss --json"))
    .action(async ({ json, ...options }: { threads: number; runs: number; json?: true }) => {
      const { benchLoss, benchLossText } = await import("../bench/loss.ts");
      printResult(benchLoss(options), json, benchLossText);
    });
}
