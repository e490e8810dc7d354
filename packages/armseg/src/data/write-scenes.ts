import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { generateScene, scenesClasses } from "@armseg/scenes";
import { writeNewFile } from "../core/atomic-file.ts";
import { writeLabelPng } from "./drawing/label-png.ts";
import { writeRgbPng } from "./drawing/rgb-png.ts";

/** What to write. */
export interface WriteScenesOptions {
  /** Pictures of all splits together. */
  readonly count: number;
  /** Integer that names the series. */
  readonly seed: number;
  /** `[height, width]` in pixels. Default `[256, 512]`. */
  readonly size?: readonly [number, number];
  /** Share of the pictures a split, in order. Default `{ train: 0.8, val: 0.2 }`. */
  readonly splits?: Readonly<Record<string, number>>;
  /** Called after each picture. */
  readonly onProgress?: (done: number, count: number) => void;
}

/** How many pictures each split received. */
export type WrittenScenes = Readonly<Record<string, number>>;

/**
 * Writes generated scenes as a data set: `images/<split>/*.png`, `labels/<split>/*.png`, `classes.json`.
 *
 * Labels are indexed PNGs (value = class, 255 = ignore). Picture i of all is `generateScene({ seed, index: i })`, named
 * by its index, so more pictures can be told apart from fewer of the same seed.
 *
 * @throws {Error} If the folder already holds something, or the shares do not add up to 1.
 */
export async function writeScenes(folder: string, options: WriteScenesOptions): Promise<WrittenScenes> {
  const { count, seed, size = [256, 512], splits = { train: 0.8, val: 0.2 }, onProgress } = options;
  checkOptions(folder, count, splits);
  const written: Record<string, number> = {};
  let index = 0;
  for (const [split, end] of splitEnds(count, splits)) {
    written[split] = end - index;
    for (; index < end; index++) {
      const { image, label } = generateScene({ seed, index, height: size[0], width: size[1] });
      const file = `scene_${String(index).padStart(6, "0")}.png`;
      await writeRgbPng(join(folder, "images", split, file), image);
      writeLabelPng(join(folder, "labels", split, file), label, scenesClasses);
      onProgress?.(index + 1, count);
    }
  }
  const description = { name: "armseg scenes", seed, height: size[0], width: size[1], ignore: 255 };
  const classes = scenesClasses.map(({ name, color }, id) => ({ id, name, color }));
  const json = `${JSON.stringify({ ...description, classes }, null, 1)}\n`;
  writeNewFile("writeScenes", join(folder, "classes.json"), json, {});
  return written;
}

/** The index after the last picture of each split. */
function splitEnds(count: number, splits: Readonly<Record<string, number>>): [string, number][] {
  let share = 0;
  return Object.entries(splits).map(([name, part]) => {
    share += part;
    return [name, Math.min(count, Math.round(count * share))];
  });
}

function checkOptions(folder: string, count: number, splits: Readonly<Record<string, number>>): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`writeScenes(): count must be an integer of at least 1, got ${count}.`);
  }
  for (const name of Object.keys(splits)) {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) {
      throw new RangeError(
        `writeScenes(): split names are folder names of letters, digits, dots and dashes, got "${name}".`,
      );
    }
  }
  const shares = Object.values(splits);
  const total = shares.reduce((sum, share) => sum + share, 0);
  if (shares.some((share) => !(share >= 0)) || Math.abs(total - 1) > 1e-9) {
    throw new RangeError(
      `writeScenes(): the shares of the splits must add up to 1, got ${JSON.stringify(splits)}.`,
    );
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new Error(`writeScenes(): ${folder} is not empty and is not overwritten; choose another folder.`);
  }
}
