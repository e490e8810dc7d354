import { join } from "node:path";
import type { Dataset } from "../sample.ts";
import { ADE20K_CLASSES, ADE20K_VALUES } from "./ade20k-classes.ts";
import { folder } from "./folder.ts";
import { joinSplits, knownSplit } from "./join-splits.ts";
import { countOf } from "./pair-files.ts";

export interface Ade20kOptions {
  /** `train`, `val` or `test`, or several with `+` between them: `train+val`. */
  readonly split: string;
}

const FOLDERS = { train: "training", val: "validation", test: "testing" } as const;
const OFFICIAL_COUNTS = { train: 20210, val: 2000, test: 3352 } as const;

type Split = keyof typeof FOLDERS;
const SPLITS = Object.keys(FOLDERS) as Split[];

/**
 * ADE20K's scene parsing benchmark (150 classes) in its official layout: `images/{training,validation}/*.jpg` and `annotations/...` with PNGs of the same
 * names; the test split is `images/testing`, without labels.
 *
 * @param root - The folder that holds `images` and `annotations` (`ADEChallengeData2016`).
 * @throws {DataError} If a folder is missing, nothing pairs, or there is no such split.
 */
export function ade20k(root: string, { split }: Ade20kOptions): Promise<Dataset> {
  return joinSplits(split, (name) => readSplit(root, knownSplit(name, SPLITS, root)));
}

async function readSplit(root: string, split: Split): Promise<Dataset> {
  const found = await folder({
    name: "ade20k",
    split,
    images: join(root, "images", FOLDERS[split]),
    ...(split !== "test" && { masks: join(root, "annotations", FOLDERS[split]) }),
    classes: ADE20K_CLASSES,
    labelMap: ADE20K_VALUES,
  });
  const expected = OFFICIAL_COUNTS[split];
  if (found.samples.length === expected) return found;
  const note = `${countOf(found.samples.length, "image")} found in ${split}; the official set has ${expected.toLocaleString("en-GB")}`;
  return { ...found, notes: [note, ...found.notes] };
}
