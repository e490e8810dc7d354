import type { BenchDevice } from "@armseg/torch/bench";
import type { Command } from "commander";
import { deviceOption, examples, integer } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly device: BenchDevice;
  readonly threads: number;
  readonly runs: number;
  readonly json?: true;
}

/** `armseg bench overhead` */
export function addBenchOverhead(bench: Command): void {
  bench
    .command("overhead")
    .summary("what the trainer adds to a step")
    .description("An iteration of the trainer, data and log included, beside the bare step.")
    .addOption(deviceOption())
    .option("--threads <n>", "processors", integer(1), 2)
    .option("--runs <n>", "iterations that count, of each kind and round", integer(1), 5)
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench overhead", "bench overhead --runs 10 --json"))
    .action(async ({ json, ...options }: Options) => {
      const { benchOverhead, benchOverheadText } = await import("../bench/overhead.ts");
      printResult(await benchOverhead(options), json, benchOverheadText);
    });
}
