import { type Command, Option } from "commander";
import { examples, integer } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly backbone: "resnet18" | "resnet50";
  readonly threads: number;
  readonly runs: number;
  readonly json?: true;
}

/** `armseg bench step` */
export function addBenchStep(bench: Command): void {
  bench
    .command("step")
    .summary("a training step")
    .description("A training step of DeepLabv3+ beside PyTorch's eager step, and ARM's share of it.")
    .addOption(
      new Option("--backbone <name>", "of the network").choices(["resnet18", "resnet50"]).default("resnet18"),
    )
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--runs <n>", "steps that count", integer(1), 5)
    .option("--json", "print JSON")
    .addHelpText("after", examples("bench step", "bench step --backbone resnet50 --json"))
    .action(async ({ json, ...options }: Options) => {
      const { benchStep, benchStepText } = await import("../bench/step.ts");
      printResult(benchStep(options), json, benchStepText);
    });
}
