import { join } from "node:path";
import { expect, test } from "vitest";
import { labelMapOf } from "../labels/class-labels.ts";
import type { Dataset } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { compareSplits } from "./compare-splits.ts";
import { scan } from "./scan.ts";

const classes = [
  { name: "back", color: [0, 0, 0] },
  { name: "front", color: [255, 0, 0] },
] as const;
const VALUES = [0, 0, 1, 1];

function indexed(...colors: readonly [number, number, number][]): Uint8Array {
  return encodePng(3, 8, 2, 2, VALUES, [{ type: "PLTE", body: Uint8Array.from(colors.flat()) }]);
}

const grey = (high: number, bits = 8): Uint8Array =>
  encodePng(
    0,
    bits,
    2,
    2,
    VALUES.map((value) => value * high),
  );

/** What is said of masks to train on beside masks to validate on. */
async function between(train: Uint8Array[], val: Uint8Array[], map: Record<string, string>) {
  const open = async (split: string, masks: Uint8Array[]): Promise<Dataset> => {
    const files = masks.flatMap((mask, i) => [
      [`${i}.png`, mask],
      [`image${i}.png`, encodePng(2, 8, 2, 2, new Array(12).fill(90))],
    ]);
    const root = await fixture(Object.fromEntries(files));
    const labelMap = labelMapOf("values", map, classes);
    const samples = masks.map((_, i) => {
      const annotation = { kind: "mask", path: join(root, `${i}.png`), labelMap } as const;
      return { name: `${split}${i}`, image: join(root, `image${i}.png`), annotation };
    });
    return { name: "made", split, classes, notes: [], samples };
  };
  const scanned = async (dataset: Dataset) => ({ dataset, result: await scan(dataset) });
  const splits = [await scanned(await open("train", train)), await scanned(await open("val", val))] as const;
  for (const { result } of splits) expect(result.samples).toBeGreaterThan(0);
  return compareSplits(...splits);
}

const numbers = { 0: "back", 1: "front" };

test("an index of one colour to train on, and of another to validate on", async () => {
  const train = indexed([0, 0, 0], [255, 0, 0]);
  const found = await between([train, train], [indexed([255, 0, 0], [0, 0, 0])], numbers);
  expect(found).toMatchObject([{ kind: "one index, several colours", severity: "warning", count: 2 }]);
  expect(found[0]!.examples[0]).toMatch(/index 0 is 0,0,0 in .*0\.png and 1 more, 255,0,0 in .*0\.png;/);
  expect(await between([train], [train], numbers)).toEqual([]);
});

test("bit depths, which cannot be right in both", async () => {
  const found = await between([grey(255)], [grey(1, 1)], { 0: "back", 1: "front", 255: "front", 2: "back" });
  expect(found).toEqual([]);
  const wrong = await between([grey(255)], [grey(1, 1)], { 0: "back", 1: "back", 255: "front" });
  expect(wrong).toMatchObject([{ kind: "masks of several bit depths", severity: "error" }]);
});

test("0 and 1 to train on, 0 and 255 to validate on", async () => {
  const found = await between([grey(1)], [grey(255)], { 0: "back", 1: "front", 255: "ignore" });
  expect(found).toMatchObject([{ kind: "two-valued masks of two kinds", severity: "warning" }]);
});

test("grey to train on, indexed to validate on", async () => {
  const found = await between([grey(1)], [indexed([0, 0, 0], [255, 0, 0])], numbers);
  expect(found).toMatchObject([{ kind: "grey and indexed masks" }]);
});

test("what is wrong with a split alone is not said again", async () => {
  const mixed = [indexed([0, 0, 0], [255, 0, 0]), indexed([255, 0, 0], [0, 0, 0])];
  expect(await between(mixed, mixed.slice(0, 1), numbers)).toEqual([]);
});
