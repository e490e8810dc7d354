import type { Command } from "commander";
import { readConfig } from "../config/read-config.ts";
import { examples, htmlFile, integer, setOption } from "./arguments.ts";
import { print } from "./output.ts";

interface Options {
  readonly out: string;
  readonly count: number;
  readonly set?: string[];
}

/** `armseg data preview` */
export function addDataPreview(data: Command): void {
  setOption(data.command("preview"))
    .summary("show augmented training samples")
    .description(
      "Write a page with training samples as the network will see them, augmented, beside their labels.",
    )
    .argument("<config>", "configuration file")
    .option("--out <file.html>", "the page to write", htmlFile, "preview.html")
    .option("--count <n>", "number of samples", integer(1), 8)
    .addHelpText(
      "after",
      examples("data preview armseg.yaml", "data preview armseg.yaml --count 12 --set training.seed=1"),
    )
    .action(async (path: string, options: Options) => {
      const { writePreview } = await import("../commands/preview.ts");
      print(`Wrote ${await writePreview(readConfig(path, options.set), options)}.`);
    });
}
