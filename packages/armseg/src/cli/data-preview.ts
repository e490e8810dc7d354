import type { Command } from "commander";
import { readConfig } from "../config/read-config.ts";
import { examples, integer } from "./arguments.ts";
import { setOption } from "./config-options.ts";
import { print } from "./output.ts";

interface Options {
  readonly out: string;
  readonly count: number;
  readonly set?: string[];
}

/** `armseg data preview` */
export function addDataPreview(data: Command): void {
  setOption(data.command("preview"))
    .summary("draw augmented training samples")
    .description("Draw training samples as the network will see them, augmented, with their labels.")
    .argument("<config>", "configuration file")
    .option("--out <file.png>", "where to draw them", "preview.png")
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
