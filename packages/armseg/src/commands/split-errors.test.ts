import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openData } from "../config/open-data.ts";
import { checkConfig } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { readLabel } from "../data/labels/read-label.ts";
import { DATA_ROOT, hasData } from "../data/test-support.ts";
import { openFineAndCoarse } from "./coarse-labels.ts";
import { evaluateRun, evaluationText } from "./evaluate.ts";
import { smallConfig } from "./testing/small-run.ts";
import { startTraining } from "./train.ts";

let root = "";
let folder = "";
const drawn = () => join(root, "scenes", "coarse-labels", "val", "labels");

/** Of images so wide that a pixel is 16 of a frame 2,048 wide: the border is 8 from the pixels beside it. */
function config(): Config {
  const { data, ...rest } = smallConfig(root, { iterations: 1, checkpointEvery: 1 });
  return { ...rest, data: { ...data, scenes: { ...data.scenes, size: [48, 128] } } };
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "armseg-split-errors-"));
  folder = join(root, "run");
  await startTraining(config(), { folder });
}, 120_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

test("the errors of scenes are split by their own coarse labels, pixel by pixel", async () => {
  const { result, dataset } = await evaluateRun({ folder, splitErrors: true });
  const { data } = config();
  const { fine, coarse } = await openFineAndCoarse(data, "val");
  const counts = { right: 0, wrong: 0, void: 0 };
  for (const { name, annotation } of fine.samples) {
    const [truth, said] = [await readLabel(annotation!), await readLabel(coarse.get(name)!)];
    truth.data.forEach((label, i) => {
      if (label === 255) return;
      counts[said.data[i] === 255 ? "void" : said.data[i] === label ? "right" : "wrong"]++;
    });
  }
  const { groups, all } = result.errorSplit!;
  expect(groups.right.pixels).toBe(counts.right);
  expect(groups.wrong.pixels).toBe(counts.wrong);
  expect(groups.voidNearBorder.pixels).toBeGreaterThan(0);
  expect(groups.voidNearBorder.pixels + groups.voidElsewhere.pixels).toBe(counts.void);
  expect(all.pixels).toBe(result.metrics.pixels);
  expect(1 - all.rate).toBeCloseTo(result.metrics.aAcc, 12);
  expect(evaluationText({ checkpoint: "c", dataset, result })).toContain("coarse label void, elsewhere");
});

test("a folder of masks by the images' names gives the same split", async () => {
  const own = await evaluateRun({ folder, splitErrors: true });
  const given = await evaluateRun({ folder, splitErrors: true, coarse: drawn() });
  expect(given.result.errorSplit).toEqual(own.result.errorSplit);
});

test("without the option nothing is split, and the training split has its coarse labels", async () => {
  expect((await evaluateRun({ folder })).result.errorSplit).toBeUndefined();
  const { data } = config();
  const { fine, coarse } = await openFineAndCoarse(data, "train");
  const { samples } = await openData(data, "train");
  expect([...coarse.values()]).toEqual(samples.map(({ annotation }) => annotation));
  expect(fine.samples.map(({ annotation }) => annotation!.path)).not.toEqual(
    samples.map(({ annotation }) => annotation!.path),
  );
});

test("an image without a coarse label and a format without any are named", async () => {
  await expect(evaluateRun({ folder, splitErrors: true, coarse: root })).rejects.toThrow(
    /--split-errors: .*val.* has no coarse label in /,
  );
  const images = join(root, "scenes", "fine", "images", "val");
  const masks = join(root, "scenes", "fine", "labels", "val");
  const classes = (await openData(config().data, "val")).classes;
  const { data } = checkConfig({ data: { format: "folder", images, masks, classes } }, "the test");
  await expect(openFineAndCoarse(data, "val")).rejects.toThrow(
    /format folder has no coarse labels.*--coarse/,
  );
  const { coarse } = await openFineAndCoarse(data, "val", drawn());
  expect(coarse.size).toBe(2);
});

test.runIf(hasData)(
  "real Cityscapes frames have both labels, and those the annotators drew twice agree",
  async () => {
    const root = join(DATA_ROOT, "samples/cityscapes");
    const { data } = checkConfig({ data: { format: "cityscapes", root, annotations: "coarse" } }, "the test");
    const { fine, coarse } = await openFineAndCoarse(data, "train");
    expect(fine.samples.map(({ name }) => coarse.has(name))).toEqual([true, true]);
    for (const { name, annotation } of fine.samples) {
      const [truth, said] = [await readLabel(annotation!), await readLabel(coarse.get(name)!)];
      const drawn = [...truth.data.keys()].filter((i) => truth.data[i] !== 255 && said.data[i] !== 255);
      const right = drawn.filter((i) => truth.data[i] === said.data[i]).length;
      expect(drawn.length / truth.data.length).toBeGreaterThan(0.5);
      expect(drawn.length / truth.data.length).toBeLessThan(0.9);
      expect(right / drawn.length).toBeGreaterThan(0.98);
    }
  },
);

test.runIf(hasData)(
  "CamVid's fine labels are compared with the masks that took their place in the training",
  async () => {
    const root = join(DATA_ROOT, "camvid");
    const fineOnly = checkConfig(
      { data: { format: "camvid", root, val: { split: "dev-val" } } },
      "the test",
    ).data;
    await expect(openFineAndCoarse(fineOnly, "val")).rejects.toThrow(/format camvid has no coarse labels/);
    const { samples } = await openData(fineOnly, "val");
    const masks = join(DATA_ROOT, "camvid", "labels", "train");
    const { fine, coarse } = await openFineAndCoarse(fineOnly, "val", masks);
    expect(fine.samples).toHaveLength(90);
    expect(coarse.get(samples[0]!.name)?.path).toBe(join(masks, `${samples[0]!.name}.png`));
  },
);
