import type { BenchDevice } from "@armseg/torch/bench";
import { type Command, Option } from "commander";
import type { StepBackbone, StepBenchSize, StepPrecision } from "../bench/step.ts";
import { deviceOption, examples, integer, sizeLike } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly backbone: StepBackbone;
  readonly device: BenchDevice;
  readonly precision: StepPrecision;
  readonly batch?: number;
  readonly size?: StepBenchSize;
  readonly compileSeconds?: number;
  readonly threads: number;
  readonly runs?: number;
  readonly json?: true;
}

/** `armseg bench step` */
export function addBenchStep(bench: Command): void {
  bench
    .command("step")
    .summary("a training step")
    .description("A training step of DeepLabv3+ beside PyTorch's eager step, and ARM's share of it.")
    .addOption(
      new Option("--backbone <name>", "of the network")
        .choices(["resnet18", "resnet50", "resnet101"])
        .default("resnet18"),
    )
    .addOption(deviceOption())
    .addOption(
      new Option("--precision <name>", "of convolutions, on both sides")
        .choices(["float32", "bfloat16", "float16"])
        .default("float32"),
    )
    .option("--batch <n>", "images per step (default: 2, on cuda 8)", integer(2))
    .option("--threads <n>", "processors for both sides", integer(1), 2)
    .option("--runs <n>", "steps that count (default: 5, on cuda 20)", integer(1))
    .option(
      "--size <NxHxW>",
      "of a batch (default: 2x256x512, on cuda 8x512x1024)",
      sizeLike<StepBenchSize>("NxHxW"),
    )
    .option(
      "--compile-seconds <n>",
      "how long PyTorch's step by torch.compile may take, 0 leaves it out (default: 0, on cuda 300)",
      integer(0),
    )
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("bench step", "bench step --device cuda --backbone resnet50 --precision bfloat16"),
    )
    .action(async ({ json, ...options }: Options) => {
      const { benchStep, benchStepText } = await import("../bench/step.ts");
      printResult(benchStep(options), json, benchStepText);
    });
}
