import { type Command, Option } from "commander";
import type { Starter } from "../config/write-starter.ts";
import { DETECTED_FORMATS, type DetectedFormat } from "../data/detect-format.ts";
import { examples, integer, namesOf, positive } from "./arguments.ts";
import { print } from "./output.ts";

interface Options {
  readonly format?: DetectedFormat;
  readonly names?: string;
  readonly background?: string;
  readonly out: string;
  readonly seed: number;
  readonly hours: number;
}

/** `armseg init` */
export function addInit(program: Command): void {
  program
    .command("init")
    .summary("write a configuration from your images and annotations")
    .description(
      "Look at images and their annotations, and write a configuration to train from. The annotations are a folder of masks (PNG) or of LabelMe files, or a file of COCO or CVAT; Cityscapes, ADE20K, CamVid and Roboflow's COCO are one folder.",
    )
    .argument("<images>", "folder of images, or of a whole data set")
    .argument("[annotations]", "folder of masks or LabelMe files, or the file of COCO (.json) or CVAT (.xml)")
    .addOption(
      new Option("--format <name>", "what the annotations are (default: what the files say)").choices(
        DETECTED_FORMATS,
      ),
    )
    .option(
      "--names <names>",
      "the classes' names in the order of their values: road,car,sky, or a file with one per line",
    )
    .option("--background <name>", "black (masks), or what no annotation covers, is a class of this name")
    .option("--out <folder>", "where armseg.yaml, train.txt and val.txt go", ".")
    .option("--seed <n>", "of the random split", integer(0), 0)
    .option(
      "--hours <n>",
      "what the training may take on this machine, which is measured by a few steps",
      positive,
      1,
    )
    .addHelpText(
      "after",
      examples(
        "init photos masks",
        "init photos masks --names crop,weed --background soil --out my-project",
        "init photos annotations.xml --format cvat",
        "init photos masks --hours 8",
        "init cityscapes",
      ),
    )
    .action(async (images: string, annotations: string | undefined, options: Options) => {
      const { writeStarter } = await import("../config/write-starter.ts");
      const { format, names, ...rest } = options;
      const { files, sentences, training, missingWeights } = await writeStarter(
        { images, ...(annotations !== undefined && { annotations }), ...(format && { format }) },
        { ...rest, ...(names !== undefined && { names: await namesOf(names) }) },
      );
      print(
        [
          ...sentences,
          training,
          "",
          `Wrote ${files.join(", ")}.`,
          "",
          "Next:",
          ...nextSteps(files[0] as string, missingWeights),
        ].join("\n"),
      );
    });
}

function nextSteps(config: string, missing: Starter["missingWeights"]): string[] {
  const size = missing?.mebibytes ? `, ${Math.ceil(missing.mebibytes)} MiB` : "";
  return [
    ...(missing ? [`  armseg weights fetch ${missing.name}    (once${size}: the pretrained weights)`] : []),
    `  armseg train ${config} --dry-run`,
    `  armseg train ${config}`,
    "Before that, look at what you train on:",
    `  armseg data check ${config} --html check.html`,
  ];
}
