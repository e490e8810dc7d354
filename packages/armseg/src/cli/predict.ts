import type { Command } from "commander";
import { examples, overridesOf, type SettingOptions, settingOptions } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { checkModelOptions, dataOption } from "./model-arguments.ts";
import { printResult, withProgress } from "./output.ts";

interface Options extends SettingOptions {
  readonly out: string;
  readonly data?: string;
  readonly checkpoint: string;
  readonly overlay?: true;
  readonly confidence?: true;
  readonly maps?: true;
  readonly overwrite?: true;
  readonly json?: true;
}

/** `armseg predict` */
export function addPredict(program: Command): void {
  settingOptions(program.command("predict"))
    .summary("label images with the network of a run or with a model")
    .description("Predict the labels of images with the network of a run, or with an exported model.")
    .argument("<run>", "folder of the run, or an exported model (.onnx)")
    .argument("<inputs...>", "images, folders or patterns such as 'photos/**/*.jpg'")
    .requiredOption("--out <folder>", "where the label PNGs go")
    .addOption(dataOption("evaluation settings, windows and views"))
    .option("--checkpoint <which>", "best, last or a file", "best")
    .option("--overlay", "also write the labels' colours over the image")
    .option("--confidence", "also write the confidence of each pixel")
    .option("--maps", "also write what armseg studio shows")
    .option("--overwrite", "replace files that exist")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        "predict runs/first photos --out predictions",
        "predict runs/first 'photos/*.jpg' --out predictions --overlay",
        "predict model.onnx photos --out predictions",
      ),
    )
    .action(async (folder: string, inputs: string[], { json, set, device, ...options }: Options) => {
      checkModelOptions(folder, { ...options, set, device });
      const { predictRun } = await import("../commands/predict.ts");
      const result = await interruptible((signal) =>
        withProgress("predict", (onProgress) =>
          predictRun({
            folder,
            inputs,
            ...options,
            overrides: overridesOf({ set, device }),
            signal,
            onProgress,
          }),
        ),
      );
      printResult(
        result,
        json,
        ({ images, imagesPerSecond, files }) =>
          `${images} images${imagesPerSecond === null ? "" : ` at ${imagesPerSecond} per second`}, ${files.length} files in ${options.out}`,
      );
    });
}
