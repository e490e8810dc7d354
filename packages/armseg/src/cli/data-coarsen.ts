import { type Command, Option } from "commander";
import type { CoarsenPreset } from "../coarsen/index.ts";
import { examples, integer, namesOf, share } from "./arguments.ts";
import { printResult, withProgress } from "./output.ts";

interface Options {
  readonly preset: CoarsenPreset;
  readonly wrong?: number;
  readonly names?: string;
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
        .choices(["light", "cityscapes", "cityscapes-wrong", "heavy"] satisfies CoarsenPreset[])
        .default("cityscapes"),
    )
    .option(
      "--wrong <share>",
      "share of the polygons of every class that are wrong: of another class, shifted, merged",
      share,
    )
    .option(
      "--names <names>",
      "the classes' names in the order of their values: road,car,sky, or a file with one per line; cityscapes-wrong goes by them",
    )
    .option("--seed <n>", "another seed draws other polygons", integer(0), 0)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "data coarsen masks masks-coarse",
        "data coarsen masks masks-heavy --preset heavy --seed 1",
        "data coarsen masks masks-wrong --wrong 0.15",
      ),
    )
    .action(async (labels: string, out: string, { json, names, ...options }: Options) => {
      const { coarsenFolder, coarsenText } = await import("../coarsen/index.ts");
      const named = names !== undefined && { names: await namesOf(names) };
      const result = await withProgress("coarsen", (onProgress) =>
        coarsenFolder(labels, out, { ...options, ...named, onProgress }),
      );
      printResult(result, json, () => [coarsenText(result), ...result.notes].join("\n"));
    });
}
