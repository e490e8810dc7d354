import { type Command, Option } from "commander";
import { examples, integer } from "./arguments.ts";
import { printResult, withProgress } from "./output.ts";

interface Options {
  readonly preset: "light" | "cityscapes" | "heavy";
  readonly seed: number;
  readonly json?: true;
}

/** `armseg data coarsen` */
export function addDataCoarsen(data: Command): void {
  data
    .command("coarsen")
    .summary("make coarse labels from fine ones")
    .description("Make coarse labels from fine ones, as an annotator would draw them in minutes.")
    .argument("<labels>", "folder of label PNGs: values from 0, 255 ignored; or 0 and 255")
    .argument("<out>", "folder for the coarse PNGs and their polygons; nothing in it is overwritten")
    .addOption(
      new Option("--preset <name>", "how hurried the annotator is")
        .choices(["light", "cityscapes", "heavy"])
        .default("cityscapes"),
    )
    .option("--seed <n>", "another seed draws other polygons", integer(0), 0)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples("data coarsen masks masks-coarse", "data coarsen masks masks-heavy --preset heavy --seed 1"),
    )
    .action(async (labels: string, out: string, { json, ...options }: Options) => {
      const { coarsenFolder, coarsenText } = await import("../coarsen/index.ts");
      const result = await withProgress("coarsen", (onProgress) =>
        coarsenFolder(labels, out, { ...options, onProgress }),
      );
      printResult(result, json, () => [coarsenText(result), ...result.notes].join("\n"));
    });
}
