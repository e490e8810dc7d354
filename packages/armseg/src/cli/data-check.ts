import type { Command } from "commander";
import { readConfig } from "../config/read-config.ts";
import { examples, htmlFile, integer, setOption } from "./arguments.ts";
import { FAILED } from "./exit-codes.ts";
import { print, printResult, withProgress } from "./output.ts";

interface Options {
  readonly set?: string[];
  readonly html?: string;
  readonly seed: number;
  readonly json?: true;
}

/** `armseg data check` */
export function addDataCheck(data: Command): void {
  setOption(data.command("check"))
    .summary("read every file and count what is in it")
    .description("Read every file of both splits: sizes, values, classes, class weights, problems.")
    .argument("<config>", "configuration file")
    .option(
      "--html <file.html>",
      "also write a page to look at: images with their labels over them, classes, problems",
      htmlFile,
    )
    .option("--seed <n>", "of the images that the page shows at random", integer(0), 0)
    .option("--json", "print JSON")
    .addHelpText("after", examples("data check armseg.yaml", "data check armseg.yaml --html check.html"))
    .action(async (path: string, options: Options) => {
      const { checkData, checkText } = await import("../commands/check-data.ts");
      const { missingWeights } = await import("../config/pretrained.ts");
      const config = readConfig(path, options.set);
      const result = await withProgress("read", (onProgress) =>
        checkData(config.data, {
          onProgress,
          seed: options.seed,
          ...(options.html !== undefined && { html: options.html }),
        }),
      );
      printResult(result, options.json, checkText);
      const missing = missingWeights(config.model);
      if (missing !== null && !options.json) print(`Before the training: ${missing}`);
      if (!result.isUsable) process.exitCode = FAILED;
    });
}
