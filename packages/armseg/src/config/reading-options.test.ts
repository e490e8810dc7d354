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

test.each([
  ["cityscapes", { labels: { threshold: 100 } }, "data.labels.threshold"],
  ["ade20k", { labels: { transparent: "ignore" } }, "data.labels.transparent"],
  ["camvid", { labels: { map: { 3: "ignore" } } }, "data.labels.map"],
  ["labelme", { labels: { encoding: "values" } }, "data.labels.encoding"],
  ["folder", { background: "soil", images: "i", masks: "m", classes }, "data.background"],
  ["scenes", { classes }, "data.classes"],
])("what labels mean is not left unread: %s with %j", async (format, keys, named) => {
  const { data } = checkConfig({ data: { format, root: "r", ...keys } }, "the test");
  await expect(openData(data, "train")).rejects.toThrow(`${named}: has no meaning for data.format ${format}`);
});

test("data.labels.encoding names the forms of its format", async () => {
  const open = (format: string, encoding: string) => {
    const data = { format, root: "r", images: "i", masks: "m", classes: undefined, labels: { encoding } };
    return openData(checkConfig({ data }, "the test").data, "train");
  };
  await expect(open("cityscapes", "labelids")).rejects.toThrow(
    "expected one of auto, labelIds, labelTrainIds, polygons for data.format cityscapes, got labelids",
  );
  await expect(open("coco-panoptic", "values")).rejects.toThrow("expected one of ids, twoChannel");
});

test("coco-panoptic in two channels: red is the category", async () => {
  const image = encodePng(2, 8, 1, 3, new Array(9).fill(90));
  const file = {
    images: [{ id: 1, file_name: "x.png", height: 1, width: 3 }],
    categories: [
      { id: 7, name: "a" },
      { id: 9, name: "b" },
    ],
    annotations: [{ image_id: 1, file_name: "x.png", segments_info: [] }],
  };
  const root = await fixture({
    "a.json": JSON.stringify(file),
    "i/x.png": image,
    "m/x.png": encodePng(2, 8, 1, 3, [9, 1, 0, 7, 0, 0, 0, 0, 0]),
  });
  const data = {
    format: "coco-panoptic",
    root: join(root, "a.json"),
    images: join(root, "i"),
    masks: join(root, "m"),
    labels: { encoding: "twoChannel" },
  };
  const { samples } = await openData(checkConfig({ data }, "the test").data, "train");
  expect([...(await readLabel(samples[0]!.annotation!)).data]).toEqual([1, 0, 255]);
});
