import type { Command } from "commander";
import { examples, integer } from "./arguments.ts";
import { print } from "./output.ts";

interface Options {
  readonly out: string;
  readonly seed: number;
}

/** `armseg init` */
export function addInit(program: Command): void {
  program
    .command("init")
    .summary("write a configuration from your images and masks")
    .description("Look at a folder of images and a folder of masks, and write a configuration to train from.")
    .argument("<images>", "folder of images")
    .argument("<masks>", "folder of label PNGs: grey, indexed or coloured")
    .option("--out <folder>", "where armseg.yaml, train.txt and val.txt go", ".")
    .option("--seed <n>", "of the random split", integer(0), 0)
    .addHelpText("after", examples("init photos masks", "init photos masks --out my-project"))
    .action(async (images: string, masks: string, options: Options) => {
      const { writeStarter } = await import("../config/write-starter.ts");
      const { files, sentences } = await writeStarter(images, masks, options);
      print(
        [...sentences, "", `Wrote ${files.join(", ")}.`, "", "Next:", ...nextSteps(files[0] as string)].join(
          "\n",
        ),
      );
    });
}

function nextSteps(config: string): string[] {
  return [
    `  armseg train ${config} --dry-run`,
    `  armseg train ${config}`,
    "Before that, look at what you train on:",
    `  armseg data check ${config} --html check.html`,
  ];
}
