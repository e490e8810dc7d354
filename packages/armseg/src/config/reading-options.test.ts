import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import { readLabel } from "../data/labels/read-label.ts";
import { readImage } from "../data/read-image.ts";
import { encodePng, fixture } from "../data/test-support.ts";
import { openData } from "./open-data.ts";
import { checkConfig } from "./read-config.ts";

const classes = [
  { name: "a", color: [0, 0, 0] },
  { name: "b", color: [1, 1, 1] },
];

async function samples(data: object) {
  const image = await sharp(Uint16Array.of(0, 2048, 4095), { raw: { height: 1, width: 3, channels: 1 } })
    .toColourspace("grey16")
    .png()
    .toBuffer();
  // White, grey and black, of which the black is transparent.
  const mask = encodePng(4, 8, 1, 3, [255, 255, 127, 255, 0, 0]);
  const root = await fixture({ "i/x.png": image, "m/x.png": mask });
  const folders = { format: "folder", images: join(root, "i"), masks: join(root, "m"), classes };
  const config = checkConfig({ data: { ...folders, ...data } }, "the test");
  const opened = [await openData(config.data, "train"), await openData(config.data, "val")];
  return opened.map((dataset) => dataset.samples[0]!);
}

test("data.imageRange reaches the samples of both splits", async () => {
  const labels = { map: { 0: "a", 127: "a", 255: "b" } };
  for (const { image, imageRange } of await samples({ labels, imageRange: [0, 4095] })) {
    const { data } = await readImage(image, { range: imageRange });
    expect([...data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255]);
  }
  await expect(samples({ labels, imageRange: [5, 5] })).rejects.toThrow("the lower value first");
});

test("labels.threshold and labels.transparent reach the annotations", async () => {
  const labels = { threshold: 100, transparent: "ignore", map: { 0: "a", 255: "b" } };
  for (const { annotation } of await samples({ labels }))
    expect([...(await readLabel(annotation!)).data]).toEqual([1, 1, 255]);
});
