import { join } from "node:path";
import { scenesClasses } from "@armseg/scenes";
import { makeFolderOnce } from "../core/atomic-file.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { Size } from "../core/size.ts";
import { folder } from "../data/formats/folder.ts";
import type { Dataset, LabelMap } from "../data/sample.ts";
import { writeScenes } from "../data/write-scenes.ts";
import { coarsenFolder } from "./coarsen-folder.ts";

export interface ScenesOptions {
  /** Where the scenes are kept; they are made where it does not hold them yet. */
  readonly folder: string;
  /** Default train. */
  readonly split?: "train" | "val";
  /** `fine` as they were generated, `coarse` as an annotator would draw them. Default coarse. */
  readonly annotations?: "fine" | "coarse";
  /** Share of the polygons of coarse labels that have a wrong class. Default 0. */
  readonly wrong?: number | undefined;
  /** Images of each split. Default 300 and 60. */
  readonly count?: { readonly train: number; readonly val: number };
  /** Of each image. Default 128x256. */
  readonly size?: Size;
  /** Another seed makes other scenes. Default 0. */
  readonly seed?: number;
}

const VALUES: LabelMap = {
  encoding: "values",
  classes: { ...Object.fromEntries(scenesClasses.map((_, i) => [i, i])), [IGNORE_INDEX]: IGNORE_INDEX },
};

/**
 * Opens generated street scenes as a data set; they are generated, and drawn coarsely, at the first call.
 *
 * @throws {DataError} If the folder holds something else.
 * @example
 * const { samples, classes } = await scenes({ folder: "scenes", annotations: "coarse" });
 */
export async function scenes(options: ScenesOptions): Promise<Dataset> {
  const { split = "train", annotations = "coarse", seed = 0, size = [128, 256], wrong = 0 } = options;
  const { count = { train: 300, val: 60 } } = options;
  const fine = join(options.folder, "fine");
  const total = count.train + count.val;
  const splits = { train: count.train / total, val: count.val / total };
  await makeFolderOnce(fine, (unfinished) => writeScenes(unfinished, { count: total, seed, size, splits }));
  const labels = join(fine, "labels", split);
  return folder({
    name: annotations === "coarse" ? "scenes, coarse" : "scenes",
    split,
    images: join(fine, "images", split),
    masks:
      annotations === "coarse" ? await coarseLabels(options.folder, split, labels, { seed, wrong }) : labels,
    classes: scenesClasses,
    labelMap: VALUES,
  });
}

/** Draws a split's fine labels coarsely, once, and returns the folder of the coarse ones. */
async function coarseLabels(
  root: string,
  split: string,
  fine: string,
  options: { readonly seed: number; readonly wrong: number },
): Promise<string> {
  const kind = options.wrong > 0 ? `coarse-labels-${options.wrong}-wrong` : "coarse-labels";
  const coarse = join(root, kind, split);
  const whole = { ...options, classes: scenesClasses };
  await makeFolderOnce(coarse, (unfinished) => coarsenFolder(fine, unfinished, whole));
  return join(coarse, "labels");
}
