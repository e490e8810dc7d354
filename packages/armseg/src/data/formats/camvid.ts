import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../data-error.ts";
import { readRawMask } from "../labels/raw-mask.ts";
import type { Dataset, DatasetProblem, LabelMap, Sample } from "../sample.ts";
import { CAMVID_CLASSES, CAMVID_COLORS, CAMVID_VALUES } from "./camvid-classes.ts";
import { joinSplits } from "./join-splits.ts";
import { findFile, IMAGE_FILE, listFiles, MASK_FILE, readLines, withSlashes } from "./list-files.ts";
import { hasEnding, pairFiles, pairingNotes, pairingProblems, stemOf } from "./pair-files.ts";

export interface CamvidOptions {
  /** `<split>.txt` is read where it exists, so own lists such as `dev-train` work; several with `+` between them: `train+val`. */
  readonly split: string;
  /** Default `auto`: what the first mask is. */
  readonly encoding?: "auto" | "values" | "colors";
}

/** Image and mask folders of the layouts in use, below the root; the first that exists is taken. */
const LAYOUTS = [
  (split: string) => [`images/${split}`, `labels/${split}`],
  (split: string) => [split, `${split}annot`],
  (split: string) => [split, `${split}_labels`],
  () => ["701_StillsRaw_full", "LabeledApproved_full"],
] as const;

/** The original masks are called `<image>_L.png`. */
const MASK_ENDING = "_L";

/**
 * CamVid with SegNet's 11 classes: from lists of `image label` lines, from `images` and `labels` folders, from SegNet's `train` and `trainannot`, or
 * from the original images with their 32-class colour masks, which are mapped to 11.
 *
 * @throws {DataError} If there is neither a list nor a known folder, or a listed file is missing.
 */
export function camvid(root: string, options: CamvidOptions): Promise<Dataset> {
  return joinSplits(options.split, (split) => readSplit(root, { ...options, split }));
}

async function readSplit(root: string, options: CamvidOptions): Promise<Dataset> {
  const list = join(root, `${options.split}.txt`);
  const { files, unpaired, notes, problems } = existsSync(list)
    ? await fromList(root, list)
    : await fromFolders(root, options.split);
  const labelMap = await encodingOf(options.encoding ?? "auto", files);
  return {
    name: "camvid",
    split: options.split,
    classes: CAMVID_CLASSES,
    samples: files.map(toSample),
    notes,
    unpaired,
    problems,
  };

  function toSample({ name, image, mask }: Files): Sample {
    return { name, image, annotation: { kind: "mask", path: mask, labelMap } };
  }
}

interface Files {
  readonly name: string;
  readonly image: string;
  readonly mask: string;
}

interface Found {
  readonly files: readonly Files[];
  readonly unpaired: readonly string[];
  readonly notes: readonly string[];
  readonly problems: readonly DatasetProblem[];
}

async function encodingOf(
  encoding: "auto" | "values" | "colors",
  files: readonly Files[],
): Promise<LabelMap> {
  if (encoding !== "auto") return encoding === "values" ? CAMVID_VALUES : CAMVID_COLORS;
  const first = files[0] && (await readRawMask(files[0].mask));
  return first?.mode === "rgb" ? CAMVID_COLORS : CAMVID_VALUES;
}

async function fromList(root: string, list: string): Promise<Found> {
  const lines = await readLines(list);
  const files = lines.map((line): Files => {
    const [image, mask, ...rest] = line.split(/\s+/);
    if (!image || !mask || rest.length > 0)
      throw new DataError(`camvid(): expected "image label" on each line of ${list}, got "${line}"`, list);
    return {
      name: basename(stemOf(image, "")),
      image: listed(root, image, list),
      mask: listed(root, mask, list),
    };
  });
  if (files.length === 0) throw new DataError(`camvid(): ${list} is empty`, list);
  return { files, unpaired: [], notes: [], problems: [] };
}

/** Published lists name files from a folder of their author's (`/SegNet/CamVid/train/x.png`): leading parts are dropped until the file exists. */
function listed(root: string, path: string, list: string): string {
  const parts = withSlashes(path)
    .split("/")
    .filter((part) => part !== "" && part !== "..");
  const found = parts
    .map((_, i) => findFile(root, parts.slice(i).join("/")))
    .find((file) => file !== undefined);
  if (!found) throw new DataError(`camvid(): ${path}, listed in ${list}, does not exist below ${root}`, list);
  return found;
}

async function fromFolders(root: string, split: string): Promise<Found> {
  const layouts = LAYOUTS.map(
    (layout) => layout(split).map((folder) => join(root, folder)) as [string, string],
  );
  const layout = layouts.find(([images, masks]) => existsSync(images) && existsSync(masks));
  if (!layout)
    throw new DataError(
      `camvid(): neither ${split}.txt nor a known pair of folders (images/${split} and labels/${split}, ...) in ${root}`,
      root,
    );
  const [images, masks] = layout;
  const [imageFiles, maskFiles] = [await listFiles(images, IMAGE_FILE), await listFiles(masks, MASK_FILE)];
  const hasOriginals = maskFiles.some((file) => hasEnding(file, MASK_ENDING));
  const found = pairFiles(imageFiles, maskFiles, hasOriginals ? { mask: MASK_ENDING } : {});
  const { pairs, imagesAlone, masksAlone } = found;
  if (pairs.length === 0) throw new DataError(`camvid(): no image in ${images} has a mask in ${masks}`, root);
  const files = pairs.map(({ name, image, mask }) => ({
    name,
    image: join(images, image),
    mask: join(masks, mask),
  }));
  return {
    files,
    unpaired: [...imagesAlone, ...masksAlone],
    notes: pairingNotes(found),
    problems: pairingProblems(found),
  };
}
