import type { Command } from "commander";
import { readConfig } from "../config/read-config.ts";
import { examples, htmlFile, setOption } from "./arguments.ts";
import { FAILED } from "./exit-codes.ts";
import { printResult, withProgress } from "./output.ts";

interface Options {
  readonly set?: string[];
  readonly preview?: string;
  readonly json?: true;
}

/** `armseg data check` */
export function addDataCheck(data: Command): void {
  setOption(data.command("check"))
    .summary("read every file and count what is in it")
    .description("Read every file of both splits: sizes, values, classes, class weights, problems.")
    .argument("<config>", "configuration file")
    .option(
      "--preview <file.html>",
      "also write a page with samples of both splits and their labels",
      htmlFile,
    )
    .option("--json", "print JSON")
    .addHelpText("after", examples("data check armseg.yaml", "data check armseg.yaml --preview samples.html"))
    .action(async (path: string, options: Options) => {
      const { checkData, checkText } = await import("../commands/check-data.ts");
      const config = readConfig(path, options.set);
      const result = await withProgress("read", (onProgress) =>
        checkData(config.data, {
          onProgress,
          ...(options.preview !== undefined && { preview: options.preview }),
        }),
      );
      printResult(result, options.json, checkText);
      if (!result.isUsable) process.exitCode = FAILED;
    });
}
