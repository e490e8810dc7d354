import { DataError } from "../data/data-error.ts";
import { type DetectedData, type DetectedFormat, detectData } from "../data/detect-format.ts";
import { countOf } from "../data/formats/pair-files.ts";
import { proposeConfig } from "../data/init.ts";
import type { LabelNaming } from "../data/propose-labels.ts";
import type { ClassInfo, Dataset } from "../data/sample.ts";
import { type SplitOptions, splitNames, splitSentence } from "../data/split-names.ts";
import { checkClasses, openData, sharedNames } from "./open-data.ts";
import { checkConfig } from "./read-config.ts";
import type { Config, ConfigInput } from "./schema.ts";

/** A data set that a configuration can be written for. */
export interface DataPlaces {
  /** Folder of images, or of the whole data set. */
  readonly images: string;
  /** Folder of masks or LabelMe files, or the annotation file. */
  readonly annotations?: string;
  readonly format?: DetectedFormat;
}

export interface DataProposal {
  /** The `data` part of a configuration, without lists; paths hold from the current folder. */
  readonly data: ConfigInput["data"] & { readonly classes?: readonly ClassInfo[] };
  /** Names to train on and to validate on; `null` where the data set has splits of its own. */
  readonly lists: { readonly train: readonly string[]; readonly val: readonly string[] } | null;
  /** Images to train on. */
  readonly images: number;
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
}

/** Data sets whose classes are the benchmark's. */
const FIXED_CLASSES: ReadonlySet<DetectedFormat> = new Set(["cityscapes", "ade20k", "camvid"]);

/**
 * Looks at a data set and proposes how to read it: its format, classes and a split.
 *
 * @throws {DataError} If nothing is recognised, the files do not fit together, or names do not match the classes.
 */
export async function proposeData(
  { images, annotations, format }: DataPlaces,
  options: SplitOptions & LabelNaming,
): Promise<DataProposal> {
  const found = await detectData(images, annotations, format);
  if (found.format !== "folder") return await proposeNamed(found, options);
  const { data, train, val, sentences } = await proposeConfig(found.images!, found.masks!, options);
  return {
    data: { ...data } as DataProposal["data"],
    lists: { train, val },
    images: train.length,
    sentences,
  };
}

async function proposeNamed(found: DetectedData, options: SplitOptions & LabelNaming): Promise<DataProposal> {
  const isFixed = FIXED_CLASSES.has(found.format);
  const { background } = options;
  if (isFixed && (options.names ?? background) !== undefined)
    throw new DataError(
      `proposeData(): the classes of ${found.format} are fixed; leave out names and background`,
      found.root!,
    );
  const input = { ...found, ...(background !== undefined && { background }) } as ConfigInput["data"];
  const { data } = checkConfig({ data: input }, "the data set");
  const whole = await openData(data, "train");
  const classes = isFixed ? null : namedClasses(whole, options);
  const named = classes ? checkConfig({ data: { ...input, classes } }, "the data set").data : data;
  const val = await openVal(named, classes ?? whole.classes, whole);
  const isOne = sharedNames(whole, val).length === val.samples.length;
  const lists = isOne
    ? splitNames(
        whole.samples.map(({ name }) => name),
        options,
      )
    : null;
  const trained = lists ? lists.train.length : whole.samples.length;
  return {
    data: { ...input, ...(classes && { classes }) } as DataProposal["data"],
    lists,
    images: trained,
    sentences: [
      `${countOf(isOne ? whole.samples.length : trained, "image")} with annotations, read as ${found.format}.`,
      `Classes: ${(classes ?? whole.classes).map(({ name }) => name).join(", ")}.`,
      ...(isFixed ? [] : [uncoveredSentence(background)]),
      ...[...new Set([...whole.notes, ...val.notes])].map((note) => `${note}.`),
      ...problemSentences(whole),
      lists
        ? splitSentence(lists, options)
        : `Split: the data set's own, ${trained} images for training and ${val.samples.length} for validation.`,
    ],
  };
}

async function openVal(
  data: Config["data"],
  classes: readonly ClassInfo[],
  train: Dataset,
): Promise<Dataset> {
  const val = await openData(data, "val");
  checkClasses({ ...train, classes }, val);
  return val;
}

/** The classes that were found, or those that are named, in the order of the names. */
function namedClasses({ classes, name: dataset }: Dataset, { names, background }: LabelNaming): ClassInfo[] {
  if (!names) return [...classes];
  const wanted = [...(background === undefined ? [] : [background]), ...names];
  const missing = classes.filter(({ name }) => !wanted.includes(name));
  const unknown = wanted.filter((name) => classes.every((known) => known.name !== name));
  if (missing.length === 0 && unknown.length === 0)
    return wanted.map((name) => classes.find((known) => known.name === name)!);
  throw new DataError(
    `proposeData(): expected the names that the annotations have, in the order of the classes: ${classes.map(({ name }) => name).join(", ")}; got ${names.join(", ")}. Rename and join them in data.labels.map`,
    dataset,
  );
}

function uncoveredSentence(background: string | undefined): string {
  return background === undefined
    ? "What no annotation covers is ignored: it takes part in no loss and no score. Is it a class to be learned? Then start again with `--background NAME`, or set data.background."
    : `What no annotation covers is the class ${background}.`;
}

function problemSentences({ problems = [] }: Dataset): string[] {
  const [first] = problems;
  return first
    ? [`${countOf(problems.length, "problem")}, e.g. ${first.text}: \`armseg data check\` lists all.`]
    : [];
}
