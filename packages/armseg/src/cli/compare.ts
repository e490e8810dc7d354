import type { Command } from "commander";
import { examples, htmlFile } from "./arguments.ts";
import { printResult } from "./output.ts";

interface Options {
  readonly out: string;
  readonly overwrite?: true;
  readonly json?: true;
}

/** `armseg compare` */
export function addCompare(program: Command): void {
  program
    .command("compare")
    .summary("put runs beside one another")
    .description(
      "Print the scores of several runs, the last and the best, with the difference to the first, and write a page with curves, samples and classes.",
    )
    .argument("<runs...>", "folders of runs; differences are to the first")
    .option("--out <file.html>", "the page to write", htmlFile, "comparison.html")
    .option("--overwrite", "replace the page if it exists")
    .option("--json", "print JSON")
    .addHelpText("after", examples("compare runs/plain runs/arm", "compare runs/a runs/b --out a-and-b.html"))
    .action(async (folders: string[], { json, ...options }: Options) => {
      const { compareRuns, comparisonText } = await import("../commands/compare.ts");
      printResult(compareRuns(folders, options), json, comparisonText);
    });
}
