import type { Command } from "commander";
import { examples } from "./arguments.ts";
import { interruptible } from "./interruptible.ts";
import { print, printResult, withProgress } from "./output.ts";

interface Options {
  readonly json?: true;
}

const NAME = "a name of `weights list`, or a configuration file, whose weights are meant";

/** `armseg weights list` */
export function addWeightsList(weights: Command): void {
  weights
    .command("list")
    .summary("list the pretrained weights that are known")
    .description(
      "List what `model.weights: imagenet` stands for: size, hash, licence, source, and whether it is here.",
    )
    .option("--json", "print JSON")
    .addHelpText("after", examples("weights list"))
    .action(async ({ json }: Options) => {
      const { listWeights, weightsListText } = await import("../commands/weights.ts");
      printResult(listWeights(), json, weightsListText);
    });
}

/** `armseg weights fetch` */
export function addWeightsFetch(weights: Command): void {
  weights
    .command("fetch")
    .summary("download pretrained weights into the cache")
    .description(
      "Download pretrained weights once, check their hash and keep them in the cache. Interrupted, it goes on where it ended.",
    )
    .argument("<name>", NAME)
    .option("--json", "print JSON")
    .addHelpText("after", examples("weights fetch resnet18", "weights fetch armseg.yaml"))
    .action(async (name: string, { json }: Options) => {
      const { fetchByName, fetchedText } = await import("../commands/weights.ts");
      const result = await interruptible((signal) =>
        withProgress(`${name}, KiB`, (onProgress) =>
          fetchByName(name, {
            signal,
            onProgress: (received, total) => {
              if (total !== undefined)
                onProgress(Math.floor(received / 1024), Math.max(1, Math.floor(total / 1024)));
            },
          }),
        ),
      );
      printResult(result, json, fetchedText);
    });
}

/** `armseg weights path` */
export function addWeightsPath(weights: Command): void {
  weights
    .command("path")
    .summary("print where weights are kept")
    .description("Print the file of pretrained weights in the cache; an error where it is not there.")
    .argument("<name>", NAME)
    .addHelpText("after", examples("weights path resnet18"))
    .action(async (name: string) => {
      const { weightsPath } = await import("../commands/weights.ts");
      print(weightsPath(name));
    });
}
