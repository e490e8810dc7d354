import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setThreads } from "@armseg/torch";
import { isOnCpu } from "@armseg/torch/testing";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { checkConfig } from "../config/read-config.ts";
import { encodePng } from "../data/test-support.ts";
import { checkpointFileName } from "../runs/checkpoint-index.ts";
import { predictRun } from "./predict.ts";
import { expectSameCheckpoint } from "./testing/same-checkpoint.ts";
import { smallConfig } from "./testing/small-run.ts";
import { startTraining } from "./train.ts";

const SIDE = 64;
const folder = mkdtempSync(join(tmpdir(), "armseg-range-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Grey levels, 0 to 255, of image i: two halves with a texture. */
function levels(i: number): number[] {
  return Array.from(
    { length: SIDE * SIDE },
    (_, at) => ((at % SIDE < 32 ? 40 : 160) + 7 * (at % 9) + 5 * i) % 256,
  );
}

/** Writes six images in one form, with their masks. */
async function writeImages(name: string, png: (levels: number[]) => Promise<Uint8Array>): Promise<string> {
  const root = join(folder, name);
  for (const part of ["images", "masks"]) mkdirSync(join(root, part), { recursive: true });
  const mask = Array.from({ length: SIDE * SIDE }, (_, at) => (at % SIDE < 32 ? 0 : 1));
  for (let i = 0; i < 6; i++) {
    writeFileSync(join(root, "images", `${i}.png`), await png(levels(i)));
    writeFileSync(join(root, "masks", `${i}.png`), encodePng(0, 8, SIDE, SIDE, mask));
  }
  return root;
}

function configOf(root: string, imageRange?: [number, number]) {
  const { data: _, ...rest } = smallConfig(folder, { iterations: 2, checkpointEvery: 2 });
  const classes = [
    { name: "left", color: [0, 0, 0] },
    { name: "right", color: [255, 0, 0] },
  ];
  const folders = { format: "folder", images: join(root, "images"), masks: join(root, "masks"), classes };
  return checkConfig({ ...rest, data: { ...folders, ...(imageRange && { imageRange }) } }, "the test");
}

let runs: readonly string[];
beforeAll(async () => {
  setThreads(1);
  const raw = { height: SIDE, width: SIDE, channels: 1 } as const;
  const eight = await writeImages("eight", async (own) => encodePng(0, 8, SIDE, SIDE, own));
  // Twelve bits in sixteen: 16 times the level, so that the range of 0 to 4080 gives the levels back.
  const sixteen = await writeImages("sixteen", (own) =>
    sharp(
      Uint16Array.from(own, (level) => 16 * level),
      { raw },
    )
      .toColourspace("grey16")
      .png()
      .toBuffer(),
  );
  const configs = [configOf(eight), configOf(sixteen, [0, 4080]), configOf(sixteen)];
  runs = configs.map((_, i) => join(folder, `run${i}`));
  for (const [i, config] of configs.entries())
    await startTraining(config, { folder: runs[i]!, stream: null });
}, 120_000);

const checkpoint = (run: string) => join(run, "checkpoints", checkpointFileName(2));

/** What a run predicts for the first image of a form, the confidence too. */
async function predicted(run: string, form: string): Promise<Uint8Array[]> {
  const out = mkdtempSync(join(folder, "predicted-"));
  const inputs = [join(folder, form, "images/0.png")];
  const options = { folder: run, checkpoint: "last", inputs, out, overlay: true, confidence: true } as const;
  return (await predictRun(options)).files.map((file) => readFileSync(file));
}

// Other devices repeat no bits.
test.runIf(isOnCpu)("16-bit images with a range are trained on as their 8-bit levels are", () => {
  expectSameCheckpoint(checkpoint(runs[1]!), checkpoint(runs[0]!));
  expect(() => expectSameCheckpoint(checkpoint(runs[2]!), checkpoint(runs[0]!))).toThrow();
});

test.runIf(isOnCpu)("and predicted with the run's range", async () => {
  const [labels, ...pictures] = await predicted(runs[1]!, "sixteen");
  expect([labels, ...pictures]).toEqual(await predicted(runs[0]!, "eight"));
  expect(pictures).toHaveLength(2);
  expect(await predicted(runs[2]!, "sixteen")).not.toEqual([labels, ...pictures]);
});
