import { join } from "node:path";
import { mapConcurrently } from "../core/concurrently.ts";
import { countOf, type Pairs, pairingNotes, pairingProblems } from "./formats/pair-files.ts";
import { pairByEndings } from "./formats/pair-folders.ts";
import { unreadFiles } from "./formats/unread-files.ts";
import type { ImageRange } from "./image-form.ts";
import { type FolderLabels, type LabelNaming, proposeLabels } from "./propose-labels.ts";
import { proposeRange } from "./propose-range.ts";
import { imageSize } from "./read-image.ts";
import type { ClassInfo } from "./sample.ts";
import { type SplitOptions, splitNames, splitSentence } from "./split-names.ts";
import { type Survey, surveyMasks } from "./survey-masks.ts";

/** The `data` part of a configuration, ready to be written as YAML. */
export interface FolderConfig {
  readonly format: "folder";
  readonly images: string;
  readonly masks: string;
  readonly imageEnding?: string;
  readonly maskEnding?: string;
  readonly imageRange?: ImageRange;
  readonly classes: readonly ClassInfo[];
  readonly labels: FolderLabels;
}

export interface InitProposal {
  readonly data: FolderConfig;
  /** Names of the images to train on, and to validate on: the lines of two lists. */
  readonly train: readonly string[];
  readonly val: readonly string[];
  /** What was found and assumed, for the reader. */
  readonly sentences: readonly string[];
}

const FILES_AT_ONCE = 4;

/**
 * Looks at a folder of images and a folder of masks, and proposes a configuration: pairing, form of the masks, classes, label map and a split.
 *
 * What is proposed for the masks, and when they are refused, is said at {@link proposeLabels}. Class names are `class_<value>`, to be renamed, where none are given.
 *
 * @throws {DataError} If nothing pairs, a mask cannot be read, or nothing can be proposed for the masks.
 */
export async function proposeConfig(
  images: string,
  masks: string,
  options: SplitOptions & LabelNaming = {},
): Promise<InitProposal> {
  const found = await pairByEndings(images, masks);
  const survey = await surveyMasks(
    masks,
    found.pairs.pairs.map(({ mask }) => mask),
  );
  const labels = proposeLabels(survey, options);
  const { train, val } = splitNames(
    found.pairs.pairs.map(({ name }) => name),
    options,
  );
  const range = await proposeRange(found.pairs.pairs.map(({ image }) => join(images, image)));
  const data: FolderConfig = {
    format: "folder",
    images,
    masks,
    ...(found.endings.image && { imageEnding: found.endings.image }),
    ...(found.endings.mask && { maskEnding: found.endings.mask }),
    ...(range.imageRange && { imageRange: range.imageRange }),
    classes: labels.classes,
    labels: labels.labels,
  };
  const sentences = [
    `${countOf(found.pairs.pairs.length, "image")} with a mask.`,
    ...pairingNotes(found.pairs).map((note) => `${note}.`),
    ...pairingProblems(found.pairs).map(({ text }) => `Left out: ${text}.`),
    ...(await sizeSentences(images, found.pairs, survey)),
    ...(await unreadFiles(images, masks)).map((note) => `${note}.`),
    ...range.sentences,
    ...labels.sentences,
    splitSentence({ train, val }, options),
  ];
  return { data, train, val, sentences };
}

async function sizeSentences(images: string, { pairs }: Pairs, { sizes }: Survey): Promise<string[]> {
  const found = await mapConcurrently(pairs, FILES_AT_ONCE, ({ image }) => imageSize(join(images, image)));
  const wrong = pairs.filter((_, i) => found[i]![0] !== sizes[i]![0] || found[i]![1] !== sizes[i]![1]);
  if (wrong.length === 0) return [];
  return [
    `${countOf(wrong.length, "mask")} of another size than the image, e.g. ${wrong[0]!.mask}: fix them before training.`,
  ];
}
