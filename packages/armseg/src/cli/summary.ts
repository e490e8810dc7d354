import type { Command } from "commander";
import { readConfig } from "../config/read-config.ts";
import { examples, integer, setOption } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly set?: string[];
  readonly classes?: number;
  readonly json?: true;
}

/** `armseg summary` */
export function addSummary(program: Command): void {
  setOption(program.command("summary"))
    .summary("a network's parameters, operations and memory")
    .description(
      "List a network's parts with parameters, operations and memory, at the configuration's crop and batch.",
    )
    .argument("<config>", "configuration file")
    .option("--classes <n>", "number of classes; without it the data are opened", integer(2))
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("summary armseg.yaml", "summary armseg.yaml --classes 19 --set model.backbone=resnet101"),
    )
    .action(async (path: string, options: Options) => {
      const { formatSummary } = await import("../networks/index.ts");
      const { summariseConfig } = await import("../commands/summary.ts");
      const summary = await summariseConfig(readConfig(path, options.set), options.classes);
      printResult(summary, options.json, formatSummary);
    });
}
