import { existsSync } from "node:fs";
import { join } from "node:path";
import { coarsen } from "../datasets/coarsen/coarsen.ts";
import { folder } from "../datasets/folder.ts";
import { readLabel } from "../datasets/read-label.ts";
import type { Dataset, LabelMap } from "../datasets/sample.ts";
import { scenesClasses, writeScenes } from "../datasets/scenes/index.ts";
import { writeLabelPng } from "../drawing/index.ts";
import type { Config } from "./config/schema.ts";

const VALUES: LabelMap = {
  encoding: "values",
  classes: { ...Object.fromEntries(scenesClasses.map((_, i) => [i, i])), 255: 255 },
};

function openFine(root: string, split: string, masks = "labels"): Promise<Dataset> {
  return folder({
    name: masks === "labels" ? "scenes" : "scenes, coarse",
    split,
    images: join(root, "images", split),
    masks: join(root, masks, split),
    classes: scenesClasses,
    labelMap: VALUES,
  });
}

/** Draws coarse labels beside the fine ones, where there are none yet. */
async function coarsenSplit(root: string, fine: Dataset, seed: number): Promise<void> {
  for (const [index, { name, annotation }] of fine.samples.entries()) {
    const path = join(root, "labels_coarse", fine.split, `${name}.png`);
    if (!annotation || existsSync(path)) continue;
    const { label } = coarsen(await readLabel(annotation), { seed, index, numClasses: fine.classes.length });
    writeLabelPng(path, label, fine.classes);
  }
}

/** Generated street scenes: made on first use, and the coarse labels of the training split if those are asked for. */
export async function openScenes(data: Config["data"], purpose: "train" | "val"): Promise<Dataset> {
  const { folder: root, count, size, seed } = data.scenes;
  if (!existsSync(join(root, "classes.json"))) {
    const all = count.train + count.val;
    await writeScenes(root, {
      count: all,
      seed,
      size,
      splits: { train: count.train / all, val: count.val / all },
    });
  }
  const fine = await openFine(root, purpose);
  if (purpose === "val" || data.annotations === "fine") return fine;
  await coarsenSplit(root, fine, seed);
  return openFine(root, purpose, "labels_coarse");
}
