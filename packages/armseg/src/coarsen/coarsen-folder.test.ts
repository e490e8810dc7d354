import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateScene, scenesClasses } from "@armseg/scenes";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { writeLabelPng } from "../data/drawing/index.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { encodePng } from "../data/test-support.ts";
import { coarsen } from "./coarsen.ts";
import { coarsenFolder } from "./coarsen-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-coarsen-"));
  for (let index = 0; index < 3; index++) {
    const { label } = generateScene({ seed: 1, index, height: 48, width: 96 });
    writeLabelPng(join(folder, "fine", "train", `s${index}.png`), label, scenesClasses);
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const values = Object.fromEntries([...scenesClasses.map((_, i) => [i, i]), [255, 255]]);

test("PNG and polygon file of every label hold the same coarse label", async () => {
  const out = join(folder, "coarse");
  const statistics = await coarsenFolder(join(folder, "fine"), out, { classes: scenesClasses, seed: 4 });
  expect(statistics.frames).toBe(3);
  expect(readdirSync(join(out, "labels", "train"))).toEqual(["s0.png", "s1.png", "s2.png"]);
  const fine = generateScene({ seed: 1, index: 1, height: 48, width: 96 }).label;
  const expected = coarsen(fine, { seed: 4, index: 1, numClasses: 11 }).label;
  const path = join(out, "labels", "train", "s1.png");
  const labelMap = { encoding: "values", classes: values } as const;
  expect((await readLabel({ kind: "mask", path, labelMap })).data).toEqual(expected.data);
  // Cityscapes' own form is read back by the reader of Cityscapes' files.
  const names = Object.fromEntries(scenesClasses.map(({ name }, i) => [name, i]));
  const regions = await readLabel({
    kind: "regions",
    format: "cityscapes",
    path: join(out, "polygons", "train", "s1.json"),
    labelMap: { encoding: "names", classes: names },
    background: 255,
  });
  expect(regions.data).toEqual(expected.data);
});

test("names say how often a class is mistaken; there are then no other classes", async () => {
  const fine = join(folder, "fine");
  const names = scenesClasses.map(({ name }) => (name === "building" ? "train" : name));
  const options = { names, seed: 4, preset: "cityscapes-wrong" } as const;
  const statistics = await coarsenFolder(fine, join(folder, "wrong"), options);
  expect(statistics.classes.map(({ name }) => name)).toEqual(names);
  expect(statistics.classes[1]!.correctness).toBeLessThan(0.6);
  expect(statistics.wrongPolygons).toBeGreaterThan(0);
  const all = await coarsenFolder(fine, join(folder, "half"), { seed: 4, wrong: 0.5 });
  expect(all.wrongPolygons).toBeGreaterThan(0.25);
  const few = { ...options, names: names.slice(0, 3) };
  await expect(coarsenFolder(fine, join(folder, "few"), few)).rejects.toThrow(/outside the label map/);
});

test("without names the classes are numbered, with the colours of the PNG", async () => {
  const out = join(folder, "coarse");
  const statistics = await coarsenFolder(join(folder, "fine"), out, { seed: 4, preset: "light" });
  expect(statistics.classes[3]!.name).toBe("class 3");
  expect(statistics.coverage).toBeGreaterThan(0.5);
});

test("nothing is overwritten and a wrong value is named", async () => {
  await expect(coarsenFolder(join(folder, "fine"), join(folder, "fine"), { seed: 1 })).rejects.toThrow(
    /fine is not empty .* choose another folder/,
  );
  writeLabelPng(join(folder, "odd", "x.png"), { height: 1, width: 1, data: Uint8Array.of(9) }, scenesClasses);
  await expect(
    coarsenFolder(join(folder, "odd"), join(folder, "o"), { seed: 1, classes: scenesClasses.slice(0, 3) }),
  ).rejects.toThrow(/x\.png/);
  writeFileSync(join(folder, "odd", "y.png"), readFileSync(join(folder, "odd", "x.png")).subarray(0, 40));
  await expect(coarsenFolder(join(folder, "odd"), join(folder, "p"), { seed: 1 })).rejects.toThrow(/y\.png/);
  await expect(coarsenFolder(join(folder, "p2"), join(folder, "q"), { seed: 1 })).rejects.toThrow(/p2/);
});

describe("masks of 0 and 255", () => {
  const grey = (samples: number[], bits = 8): Uint8Array => encodePng(0, bits, 32, 64, samples);
  /** A square that stays a square of some size, however hurriedly it is drawn. */
  const square = (inside: number): number[] =>
    Array.from({ length: 32 * 64 }, (_, i) =>
      i % 64 > 8 && i % 64 < 56 && i > 256 && i < 1792 ? inside : 0,
    );
  const write = (name: string, png: Uint8Array): void => {
    mkdirSync(join(folder, "masks"), { recursive: true });
    writeFileSync(join(folder, "masks", name), png);
  };
  const coarse = () => coarsenFolder(join(folder, "masks"), join(folder, "out"), { seed: 0 });

  test("keep their foreground; the fine ones are written with the same values", async () => {
    write("a.png", grey(square(255)));
    write("b.png", grey(square(0)));
    const { classes, notes } = await coarse();
    expect(classes.map(({ name }) => name)).toEqual(["background", "foreground"]);
    expect(classes[1]!.coverage).toBeGreaterThan(0.3);
    expect(notes.join()).toContain("255 is foreground, written as 1; 255 is ignored in what was written");
    const labelMap = { encoding: "values", classes: { 0: 0, 1: 1, 255: 255 } } as const;
    const read = async (kind: string) =>
      (await readLabel({ kind: "mask", path: join(folder, "out", kind, "a.png"), labelMap })).data;
    expect([...(await read("fine"))]).toEqual(square(1));
    expect(new Set(await read("labels"))).toEqual(new Set([0, 1, 255]));
  });

  test("of several depths, or beside masks of 0 and 1, are refused", async () => {
    write("a.png", grey(square(255)));
    write("b.png", grey(square(1), 1));
    await expect(coarse()).rejects.toThrow(/of 1 and of 8 bits per pixel.*b\.png/);
    write("b.png", grey(square(1)));
    await expect(coarse()).rejects.toThrow(/masks of 0 and 1 \(.*b\.png\) beside masks of 0 and 255/);
    expect(existsSync(join(folder, "out"))).toBe(false);
  });

  test("with smoothed borders are refused", async () => {
    const raw = { height: 32, width: 64, channels: 1 } as const;
    const soft = sharp(Uint8Array.from(square(255)), { raw })
      .blur(1.5)
      .toColourspace("b-w");
    write("a.png", await soft.png().toBuffer());
    await expect(coarse()).rejects.toThrow(/grey levels in .* that occur at borders only/);
  });
});
