import { existsSync } from "node:fs";
import { openData } from "../config/open-data.ts";
import { ConfigError } from "../config/read-config.ts";
import { PAPER } from "./paper-preset.ts";
import type { PlannedEntry } from "./plan-entries.ts";
import type { Places, Preset } from "./preset.ts";
import { CAMVID, drawCamvidLabels, SCENES } from "./small-presets.ts";

/** Every preset by name. */
export const PRESETS = { paper: PAPER, camvid: CAMVID, scenes: SCENES } as const satisfies Record<
  Preset["name"],
  Preset
>;

export type PresetName = keyof typeof PRESETS;

/**
 * Makes what the entries' data need, once, before several processes read them: scenes, and coarse labels by the preset
 * `cityscapes`.
 *
 * @throws {ConfigError} If the preset needs `--data` and has none, or a file of weights is missing.
 * @throws {DataError} If data are missing.
 */
export async function preparePreset(
  preset: Preset,
  entries: readonly PlannedEntry[],
  places: Places,
  say: (text: string) => void,
): Promise<void> {
  if (preset.name === "camvid") await drawNeeded(entries, places, say);
  checkWeights(entries);
  const distinct = new Map(entries.map(({ config }) => [JSON.stringify(config.data), config.data]));
  for (const data of distinct.values()) {
    if (data.format === "scenes" && !existsSync(data.scenes.folder))
      say(`making scenes in ${data.scenes.folder}`);
    await openData(data, "train");
    await openData(data, "val");
  }
}

async function drawNeeded(
  entries: readonly PlannedEntry[],
  places: Places,
  say: (text: string) => void,
): Promise<void> {
  for (const kind of ["coarse", "wrong"] as const) {
    if (entries.some(({ name }) => name.startsWith(`${kind}-`))) await drawCamvidLabels(kind, places, say);
  }
}

function checkWeights(entries: readonly PlannedEntry[]): void {
  const missing = entries.find(({ config }) => config.model.weights && !existsSync(config.model.weights));
  if (!missing) return;
  throw new ConfigError(
    `--weights: ${missing.config.model.weights} does not exist; ${missing.name} needs it`,
  );
}
