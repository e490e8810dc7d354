import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodePng, fixture } from "../data/test-support.ts";
import { prepareData } from "./build-data.ts";
import { checkConfig } from "./read-config.ts";

const classes = [
  { name: "back", color: [0, 0, 0] },
  { name: "front", color: [255, 0, 0] },
];

/** Prepares a training on masks of one form, validated on masks of another; returns what is said. */
async function prepare(train: Uint8Array, val: Uint8Array, map: Record<string, string>): Promise<string> {
  const image = encodePng(2, 8, 2, 2, new Array(12).fill(90));
  const root = await fixture({
    "images/a.png": image,
    "train/a.png": train,
    "val-images/b.png": image,
    "val/b.png": val,
  });
  const data = {
    format: "folder",
    images: join(root, "images"),
    masks: join(root, "train"),
    classes,
    labels: { map },
    val: { images: join(root, "val-images"), masks: join(root, "val") },
  };
  const said: string[] = [];
  const cacheFolder = mkdtempSync(join(tmpdir(), "armseg-scan-"));
  await prepareData(checkConfig({ data }, "the test"), { cacheFolder, say: (text) => said.push(text) });
  return said.join("\n");
}

const grey = (bits: number, ...values: number[]): Uint8Array => encodePng(0, bits, 2, 2, values);

test("masks that are fine in each split and not together stop a training, or are told when it begins", async () => {
  const eight = grey(8, 0, 0, 1, 1);
  const same = { 0: "back", 1: "front", 255: "ignore" };
  expect(await prepare(eight, eight, same)).toBe("");
  expect(await prepare(eight, grey(8, 0, 0, 255, 255), { ...same, 255: "back" })).toContain(
    "warning: two-valued masks of two kinds (1)",
  );
  const bits = prepare(grey(8, 0, 0, 255, 255), grey(1, 0, 0, 1, 1), { 0: "back", 1: "back", 255: "front" });
  await expect(bits).rejects.toThrow(/the masks of train and val of .*images are not in one form/);
});
