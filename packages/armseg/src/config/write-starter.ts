import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { parse, stringify } from "yaml";
import type { LabelNaming } from "../data/propose-labels.ts";
import { mapPathStrings } from "./path-string.ts";
import { type DataPlaces, proposeData } from "./propose-data.ts";
import { checkConfig } from "./read-config.ts";
import { configSchema } from "./schema.ts";
import { starterData } from "./starter-data.ts";

export interface StarterOptions extends LabelNaming {
  /** Folder that the files go to. */
  readonly out: string;
  /** Of the random split. */
  readonly seed: number;
}

export interface Starter {
  /** The configuration first, then the lists. */
  readonly files: readonly string[];
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
}

/**
 * Looks at a data set and writes a configuration to train from it, with two lists of names where it has no splits of its own.
 *
 * @throws {DataError} If the data set is not recognised, or its files do not fit together.
 * @throws {Error} If one of the files exists: nothing is overwritten.
 */
export async function writeStarter(places: DataPlaces, options: StarterOptions): Promise<Starter> {
  const { out } = options;
  const [config, train, val] = ["armseg.yaml", "train.txt", "val.txt"].map((name) => join(out, name)) as [
    string,
    string,
    string,
  ];
  const present = [config, train, val].find((file) => existsSync(file));
  if (present)
    throw new Error(
      `init: ${present} exists and is not overwritten; move it away or choose another folder with --out`,
    );
  const { data, lists, images, sentences } = await proposeData(places, options);
  const own = mapPathStrings(data, configSchema.shape.data, (path) => pathFrom(out, path)) as typeof data;
  const names = lists && { train: basename(train), val: basename(val) };
  const text = starterText(basename(resolve(out)), starterData(own, names), images);
  await mkdir(out, { recursive: true });
  const contents = [
    [config, text],
    ...(lists
      ? [
          [train, lines(lists.train)],
          [val, lines(lists.val)],
        ]
      : []),
  ];
  for (const [file, content] of contents as [string, string][])
    await writeFile(file, content, { flag: "wx" });
  return { files: contents.map(([file]) => file as string), sentences };
}

/** A path of the current folder, as a file in another folder names it; absolute ones stay. */
function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : relative(folder, path).replaceAll("\\", "/");
}

function lines(names: readonly string[]): string {
  return `${names.join("\n")}\n`;
}

/** Iterations for a first training: about 100 epochs, but not fewer than a curve needs to move. */
function iterationsFor(images: number, batchSize: number): number {
  return Math.min(40_000, Math.max(2_000, Math.round((100 * images) / batchSize / 1000) * 1000));
}

/** @param data - The `data` section. @param images - To train on. */
function starterText(name: string, data: string, images: number): string {
  const batchSize = 4;
  const text = `# Configuration of armseg. Every other key has its default: \`armseg config explain\` prints them all,
# docs/configuration.md says what they mean. Paths follow this file.
name: ${stringify(name).trimEnd()}

${data}

model:
  backbone: resnet50 # resnet18 and mobilenetV2 suit small machines
  weights: null # path of pretrained weights, .safetensors or .pth: far better than none

reweighting:
  curve: arm # none for plain training, linear for the fixed line

schedule:
  iterations: ${iterationsFor(images, batchSize)}

augmentation:
  crop: [512, 512] # height, width

training:
  batchSize: ${batchSize}
  device: cpu # cuda where there is one
`;
  checkConfig(parse(text), "the configuration that init wrote");
  return text;
}
