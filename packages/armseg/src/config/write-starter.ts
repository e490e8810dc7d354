import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import type { Size } from "../core/size.ts";
import type { LabelNaming } from "../data/propose-labels.ts";
import { imageSize } from "../data/read-image.ts";
import { imageNetWeights } from "../networks/weights/imagenet.ts";
import { isCached } from "../networks/weights/weights-cache.ts";
import { fitTraining, fittedSentence, type Machine, type TrainingSize } from "./fit-training.ts";
import { measureMachine } from "./measure-machine.ts";
import { openData } from "./open-data.ts";
import { mapPathStrings } from "./path-string.ts";
import { type DataPlaces, type DataProposal, proposeData } from "./propose-data.ts";
import { checkConfig } from "./read-config.ts";
import { configSchema } from "./schema.ts";
import { starterData } from "./starter-data.ts";
import { starterTraining } from "./starter-training.ts";

export interface StarterOptions extends LabelNaming {
  /** Folder that the files go to. */
  readonly out: string;
  /** Of the random split. */
  readonly seed: number;
  /** What the training may take on this machine. Default 1. */
  readonly hours?: number;
  /** Measures the machine. Default: a few training steps. */
  readonly measure?: () => Promise<Machine>;
}

export interface Starter {
  /** The configuration first, then the lists. */
  readonly files: readonly string[];
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
  /** What training was chosen, and why. */
  readonly training: string;
  /** What is to be fetched before the training; `null` for nothing. */
  readonly missingWeights: { readonly name: string; readonly mebibytes: number | null } | null;
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
  const { hours = 1, measure = measureMachine } = options;
  const machine = await measure();
  const fitted = fitTraining(machine, { images, ...(await sizesOf(data, lists)) }, hours);
  const { stem = "v1c", backbone } = fitted.model;
  const weights = imageNetWeights({ backbone, stem, strideOn: "3x3" });
  const training = starterTraining(fitted, machine, weights.name);
  const text = starterText(basename(resolve(out)), starterData(own, names), training);
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
  return {
    files: contents.map(([file]) => file as string),
    sentences,
    training: fittedSentence(machine, fitted, hours),
    missingWeights: isCached(weights) ? null : weights,
  };
}

/** Images that are looked at for their size. */
const SIZED = 25;

/** The most common size among some of the images to train on, and how many there are to validate on. */
async function sizesOf(
  data: DataProposal["data"],
  lists: DataProposal["lists"],
): Promise<Pick<TrainingSize, "imageSize" | "validationImages">> {
  const checked = checkConfig({ data }, "the data set").data;
  const { samples } = await openData(checked, "train");
  const sizes: Size[] = [];
  for (const { image } of evenlySpaced(samples, Math.min(SIZED, samples.length)))
    sizes.push(await imageSize(image));
  const count = (size: Size) => sizes.filter((other) => other.join() === size.join()).length;
  const [common] = [...sizes].sort((a, b) => count(b) - count(a));
  const validationImages = lists?.val.length ?? (await openData(checked, "val")).samples.length;
  return { imageSize: common as Size, validationImages };
}

/** A path of the current folder, as a file in another folder names it; absolute ones stay. */
function pathFrom(folder: string, path: string): string {
  return isAbsolute(path) ? path : relative(folder, path).replaceAll("\\", "/");
}

function lines(names: readonly string[]): string {
  return `${names.join("\n")}\n`;
}

/** @param data - The `data` section. @param training - All others. */
function starterText(name: string, data: string, training: string): string {
  const text = `# Configuration of armseg. Every other key has its default: \`armseg config explain\` prints them all,
# docs/configuration.md says what they mean. Paths follow this file.
name: ${stringify(name).trimEnd()}

${data}

${training}`;
  checkConfig(parse(text), "the configuration that init wrote");
  return text;
}
