import { Argument, type Command, Option } from "commander";
import { examples, overridesOf, type SettingOptions, settingOptions } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { printResult, withProgress } from "./output.ts";

interface Options extends SettingOptions {
  readonly out: string;
  readonly split: "test" | "val";
  readonly checkpoint: string;
  readonly overwrite?: true;
  readonly json?: true;
}

/** `armseg submit` */
export function addSubmit(program: Command): void {
  settingOptions(program.command("submit"))
    .summary("write the files for a benchmark's server")
    .description("Predict a benchmark's test split and write the files that its server takes.")
    .argument("<run>", "folder of the run")
    .addArgument(new Argument("<benchmark>", "whose server").choices(["cityscapes", "ade20k"]))
    .requiredOption("--out <folder>", "where the PNGs go")
    .addOption(new Option("--split <name>", "split to predict").choices(["test", "val"]).default("test"))
    .option("--checkpoint <which>", "best, last or a file", "best")
    .option("--overwrite", "replace files that exist")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("submit runs/coarse-arm cityscapes --out submission --set evaluation.tta=mmseg"),
    )
    .action(
      async (
        folder: string,
        benchmark: "cityscapes" | "ade20k",
        { json, set, device, ...options }: Options,
      ) => {
        const { submitRun } = await import("../commands/submit.ts");
        const result = await interruptible((signal) =>
          withProgress("predict", (onProgress) =>
            submitRun({
              folder,
              benchmark,
              ...options,
              overrides: overridesOf({ set, device }),
              signal,
              onProgress,
            }),
          ),
        );
        printResult(result, json, ({ files }) => `${files.length} files in ${options.out}`);
      },
    );
}
