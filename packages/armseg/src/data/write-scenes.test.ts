import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateScene } from "@armseg/scenes";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decodePng } from "./labels/png.ts";
import { writeScenes } from "./write-scenes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-scenes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("pictures and labels are written under their splits, without loss", async () => {
  const out = join(folder, "scenes");
  const seen: number[] = [];
  const written = await writeScenes(out, {
    count: 5,
    seed: 6,
    size: [20, 40],
    splits: { train: 0.6, val: 0.4 },
    onProgress: (done) => seen.push(done),
  });
  expect(written).toEqual({ train: 3, val: 2 });
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(readdirSync(join(out, "labels", "val"))).toEqual(["scene_000003.png", "scene_000004.png"]);
  const expected = generateScene({ seed: 6, index: 4, height: 20, width: 40 });
  const label = decodePng(readFileSync(join(out, "labels", "val", "scene_000004.png")));
  expect(label.data).toEqual(expected.label.data);
  const { data } = await sharp(join(out, "images", "val", "scene_000004.png"))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(Uint8Array.from(data)).toEqual(expected.image.data);
  expect(JSON.parse(readFileSync(join(out, "classes.json"), "utf8")).classes).toHaveLength(11);
});

test("nothing is overwritten, and wrong options are named before anything is written", async () => {
  const out = join(folder, "scenes");
  await expect(writeScenes(out, { count: 0, seed: 1 })).rejects.toThrow(/count .* got 0/);
  await expect(writeScenes(out, { count: 1, seed: 1, splits: { train: 0.5 } })).rejects.toThrow(
    /add up to 1/,
  );
  await expect(writeScenes(out, { count: 1, seed: 1, splits: { "../up": 1 } })).rejects.toThrow(/"\.\.\/up"/);
  expect(readdirSync(folder)).toEqual([]);
  await writeScenes(out, { count: 1, seed: 1, size: [4, 4] });
  await expect(writeScenes(out, { count: 1, seed: 1, size: [4, 4] })).rejects.toThrow(
    /not empty .* choose another/,
  );
});
