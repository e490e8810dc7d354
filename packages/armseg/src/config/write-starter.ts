import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { type FolderConfig, proposeConfig } from "../data/init.ts";
import { checkConfig } from "./read-config.ts";

export interface StarterOptions {
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
 * Looks at a folder of images and one of masks, and writes a configuration to train from with its two lists of names.
 *
 * @throws {DataError} If they do not pair, or the masks are none.
 * @throws {Error} If one of the files exists: nothing is overwritten.
 */
export async function writeStarter(
  images: string,
  masks: string,
  { out, seed }: StarterOptions,
): Promise<Starter> {
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
  const proposal = await proposeConfig(images, masks, { seed });
  const data = {
    ...proposal.data,
    images: pathFrom(out, proposal.data.images),
    masks: pathFrom(out, proposal.data.masks),
  };
  const lists = { train: basename(train), val: basename(val) };
  const text = starterText(basename(resolve(out)), data, lists, proposal.train.length);
  await mkdir(out, { recursive: true });
  const contents = [text, lines(proposal.train), lines(proposal.val)];
  for (const [i, file] of [config, train, val].entries())
    await writeFile(file, contents[i] as string, { flag: "wx" });
  return { files: [config, train, val], sentences: proposal.sentences };
}

/** A path of the current folder, as a file in another folder names it; absolute ones stay. */
function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : relative(folder, path).replaceAll("\\", "/");
}

function lines(names: readonly string[]): string {
  return `${names.join("\n")}\n`;
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^(?=.)/gm, "  ");
}

/** Iterations for a first training: about 100 epochs, but not fewer than a curve needs to move. */
function iterationsFor(images: number, batchSize: number): number {
  return Math.min(40_000, Math.max(2_000, Math.round((100 * images) / batchSize / 1000) * 1000));
}

function starterText(
  name: string,
  data: FolderConfig,
  lists: { train: string; val: string },
  images: number,
): string {
  const batchSize = 4;
  const { classes, labels, ...folders } = data;
  const { map, ...reading } = labels;
  const text = `# Configuration of armseg. Every other key has its default: \`armseg config explain\` prints them all,
# docs/configuration.md says what they mean. Paths follow this file.
name: ${stringify(name).trimEnd()}

data:
${indent(stringify(folders))}
  # Rename the classes here and in labels.map; the order is that of the network's outputs.
  classes:
${indent(indent(classes.map(({ name, color }) => `- { name: ${stringify(name).trimEnd()}, color: [${color.join(", ")}] }`).join("\n")))}
  labels:
${indent(indent(stringify(reading)))}
    # What a mask holds, and which class it is; \`ignore\` takes part in no loss and no score.
    map:
${indent(indent(indent(stringify(map))))}
  train: { split: train, list: ${JSON.stringify(lists.train)} }
  val: { split: val, list: ${JSON.stringify(lists.val)} }

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
