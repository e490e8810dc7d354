import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { coarsenFolder } from "../coarsen/index.ts";
import { openData } from "../config/open-data.ts";
import { ConfigError } from "../config/read-config.ts";
import { makeFolderOnce } from "../core/atomic-file.ts";
import { DataError } from "../data/data-error.ts";
import { camvid } from "../data/formats/camvid.ts";
import type { PlannedCell } from "./plan-cells.ts";
import type { Places, Scale } from "./scale.ts";
import { camvidCoarseFolder, camvidSplits } from "./small-scales.ts";

/**
 * Makes what the cells' data need, once, before several processes read them: scenes, and coarse labels by the preset
 * `cityscapes`.
 *
 * @throws {ConfigError} If the scale needs `--data` and has none, or a file of weights is missing.
 * @throws {DataError} If data are missing.
 */
export async function prepareScale(
  scale: Scale,
  cells: readonly PlannedCell[],
  places: Places,
  say: (text: string) => void,
): Promise<void> {
  if (scale.name === "camvid") await drawCamvidCoarse(places, say);
  checkWeights(cells);
  const distinct = new Map(cells.map(({ config }) => [JSON.stringify(config.data), config.data]));
  for (const data of distinct.values()) {
    if (data.format === "scenes" && !existsSync(data.scenes.folder))
      say(`making scenes in ${data.scenes.folder}`);
    await openData(data, "train");
    await openData(data, "val");
  }
}

function checkWeights(cells: readonly PlannedCell[]): void {
  const missing = cells.find(({ config }) => config.model.weights && !existsSync(config.model.weights));
  if (!missing) return;
  throw new ConfigError(
    `--weights: ${missing.config.model.weights} does not exist; ${missing.name} needs it`,
  );
}

async function drawCamvidCoarse({ folder, data }: Places, say: (text: string) => void): Promise<void> {
  if (data === undefined) throw new ConfigError("scale camvid needs --data, the folder of CamVid");
  const place = camvidCoarseFolder(folder);
  const fine = await camvid(data, { split: camvidSplits(data).train });
  const { annotation } = fine.samples[0] ?? {};
  if (annotation?.kind !== "mask")
    throw new DataError(`prepareScale(): CamVid in ${data} has no masks`, data);
  const labels = dirname(annotation.path);
  const options = { seed: 0, classes: fine.classes, labelMap: annotation.labelMap };
  if (!existsSync(place)) say(`drawing coarse labels of ${labels} in ${place}`);
  await makeFolderOnce(place, (unfinished) => coarsenFolder(labels, unfinished, options));
}
