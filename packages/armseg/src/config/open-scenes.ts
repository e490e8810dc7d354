import { join } from "node:path";
import { scenesClasses } from "@armseg/scenes";
import { coarsenFolder } from "../coarsen/index.ts";
import { makeFolderOnce } from "../core/atomic-file.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { folder } from "../data/formats/folder.ts";
import type { Dataset, LabelMap } from "../data/sample.ts";
import { writeScenes } from "../data/write-scenes.ts";
import type { Config } from "./schema.ts";

const VALUES: LabelMap = {
  encoding: "values",
  classes: { ...Object.fromEntries(scenesClasses.map((_, i) => [i, i])), [IGNORE_INDEX]: IGNORE_INDEX },
};

/**
 * Generated street scenes, made on first use: `fine` as they were generated, `coarse-labels` as an annotator would draw
 * them, for the training split.
 */
export async function openScenes(data: Config["data"], purpose: "train" | "val"): Promise<Dataset> {
  const { folder: root, count, size, seed } = data.scenes;
  const total = count.train + count.val;
  const splits = { train: count.train / total, val: count.val / total };
  const fine = join(root, "fine");
  await makeFolderOnce(fine, (unfinished) => writeScenes(unfinished, { count: total, seed, size, splits }));
  const isCoarse = purpose === "train" && data.annotations !== "fine";
  const fineLabels = join(fine, "labels", purpose);
  const coarseLabels = join(root, "coarse-labels", purpose);
  if (isCoarse) {
    const options = { seed, classes: scenesClasses };
    await makeFolderOnce(coarseLabels, (unfinished) => coarsenFolder(fineLabels, unfinished, options));
  }
  return folder({
    name: isCoarse ? "scenes, coarse" : "scenes",
    split: purpose,
    images: join(fine, "images", purpose),
    masks: isCoarse ? join(coarseLabels, "labels") : fineLabels,
    classes: scenesClasses,
    labelMap: VALUES,
  });
}
