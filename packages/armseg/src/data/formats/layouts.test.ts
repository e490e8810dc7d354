import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readLabel } from "../labels/read-label.ts";
import { imageSize, readImage } from "../read-image.ts";
import type { Dataset, LabelMap } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { readWeights, withWeights } from "../weights.ts";
import { ade20k } from "./ade20k.ts";
import { camvid } from "./camvid.ts";
import { CAMVID_CLASSES } from "./camvid-classes.ts";
import { cityscapes } from "./cityscapes.ts";
import { folder } from "./folder.ts";

const grey = (...values: number[]): Uint8Array => encodePng(0, 8, 1, values.length, values);
const rgb = (...colors: [number, number, number][]): Uint8Array =>
  encodePng(2, 8, 1, colors.length, colors.flat());
const polygons = (...labels: string[]): string =>
  JSON.stringify({
    imgHeight: 2,
    imgWidth: 2,
    objects: labels.map((label) => ({
      label,
      polygon: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ],
    })),
  });

async function labelsOf({ samples }: Dataset): Promise<number[][]> {
  return Promise.all(samples.map(async ({ annotation }) => [...(await readLabel(annotation!)).data]));
}

describe("cityscapes()", () => {
  const left = "leftImg8bit";
  const frame = (split: string, name: string): string =>
    `${left}/${split}/${name.split("_")[0]}/${name}_leftImg8bit.png`;
  const label = (kind: string, split: string, name: string, file: string): string =>
    `${kind}/${split}/${name.split("_")[0]}/${name}_${kind}_${file}`;

  test("labelIds, labelTrainIds or polygons, whatever each image has", async () => {
    const root = await fixture({
      [frame("train", "ulm_000000_000019")]: "",
      [frame("train", "ulm_000001_000019")]: "",
      [frame("train", "ulm_000002_000019")]: "",
      [label("gtFine", "train", "ulm_000000_000019", "labelIds.png")]: grey(7, 33, 0, 29),
      [label("gtFine", "train", "ulm_000000_000019", "polygons.json")]: polygons("sky"),
      [label("gtFine", "train", "ulm_000001_000019", "labelTrainIds.png")]: grey(0, 18, 255, 255),
      [label("gtFine", "train", "ulm_000002_000019", "polygons.json")]: polygons(
        "road",
        "cargroup",
        "license plate",
      ),
    });
    const dataset = await cityscapes(root, { split: "train" });
    expect(await labelsOf(dataset)).toEqual([
      [0, 18, 255, 255],
      [0, 18, 255, 255],
      [13, 13, 13, 13],
    ]);
    expect(dataset.classes).toHaveLength(19);
    const forced = await cityscapes(root, { split: "train", encoding: "polygons" });
    expect(await labelsOf(forced)).toEqual([
      [10, 10, 10, 10],
      [13, 13, 13, 13],
    ]);
    expect(forced.notes[1]).toBe(
      "1 image without a label left out: train/ulm/ulm_000001_000019_leftImg8bit.png",
    );
  });

  test("a labelTrainIds file read as labelIds, and the reverse, say so", async () => {
    const root = await fixture({
      [frame("val", "ulm_000000_000019")]: "",
      [label("gtFine", "val", "ulm_000000_000019", "labelIds.png")]: grey(0, 255, 255, 3),
      [label("gtFine", "val", "ulm_000000_000019", "labelTrainIds.png")]: encodePng(
        0,
        8,
        2,
        3,
        [7, 18, 0, 34, 33, 33],
      ),
    });
    const [ids] = (await cityscapes(root, { split: "val" })).samples;
    await expect(readLabel(ids!.annotation!)).rejects.toThrow(
      /^readLabel\(\): label 255 in .*_labelIds.png \(2 pixels, first at row 0, column 1\) is outside the label map; is this a labelTrainIds file\? set labels.encoding: labelTrainIds$/,
    );
    const [trainIds] = (await cityscapes(root, { split: "val", encoding: "labelTrainIds" })).samples;
    await expect(readLabel(trainIds!.annotation!)).rejects.toThrow(
      /label 34 in .*_labelTrainIds.png \(1 pixel, first at row 1, column 0\) \(and 1 other value\) is outside the label map; is this a labelIds file\?/,
    );
  });

  test("coarse, extra and both; the broken frame is left out and counts are compared", async () => {
    const files: Record<string, string | Uint8Array> = {};
    for (const [split, name] of [
      ["train", "ulm_000000_000019"],
      ["train_extra", "troisdorf_000000_000072"],
      ["train_extra", "troisdorf_000000_000073"],
      ["val", "ulm_000000_000020"],
    ] as const) {
      files[frame(split, name)] = "";
      files[label("gtCoarse", split, name, "labelIds.png")] = grey(7);
    }
    files[frame("test", "bonn_000000_000019")] = "";
    const root = await fixture(files);
    const names = async (
      split: "train" | "val" | "test" | "train_extra",
      annotations: "fine" | "coarse" | "coarse+extra" | "extra",
    ) => (await cityscapes(root, { split, annotations })).samples.map(({ name }) => name);
    expect(await names("train", "coarse")).toEqual(["ulm_000000_000019"]);
    expect(await names("train", "coarse+extra")).toEqual(["ulm_000000_000019", "troisdorf_000000_000072"]);
    expect(await names("train", "extra")).toEqual(["troisdorf_000000_000072"]);
    expect(await names("val", "coarse+extra")).toEqual(["ulm_000000_000020"]);
    const extra = await cityscapes(root, { split: "train_extra", annotations: "coarse" });
    expect(extra.notes).toEqual([
      "troisdorf_000000_000073 left out: its image is broken in the official archive",
      "2 images found in train_extra; the official set has 19,998",
    ]);
    const testSplit = await cityscapes(root, { split: "test" });
    expect(testSplit.samples).toEqual([
      { name: "bonn_000000_000019", image: join(root, frame("test", "bonn_000000_000019")) },
    ]);
    await expect(cityscapes(root, { split: "train" })).rejects.toThrow(/cannot list the folder .*gtFine/);
  });
});

describe("camvid()", () => {
  test("SegNet's lists and folders, with void as 11", async () => {
    const files = { "train/a.png": "", "trainannot/a.png": grey(0, 10, 11, 255) };
    const listed = await fixture({
      ...files,
      "train.txt": "/SegNet/CamVid/train/a.png /SegNet/CamVid/trainannot/a.png\n",
    });
    const plain = await fixture(files);
    for (const root of [listed, plain]) {
      const dataset = await camvid(root, { split: "train" });
      expect(await labelsOf(dataset)).toEqual([[0, 10, 255, 255]]);
      expect(dataset.samples[0]!.image).toBe(join(root, "train/a.png"));
    }
    const broken = await fixture({ ...files, "train.txt": "train/a.png trainannot/b.png\n" });
    await expect(camvid(broken, { split: "train" })).rejects.toThrow("trainannot/b.png, listed in");
  });

  test("the original 32 classes as colours", async () => {
    const mask = rgb([0, 0, 192], [192, 128, 192], [0, 0, 0], [64, 128, 64], [60, 40, 222]);
    const root = await fixture({
      "701_StillsRaw_full/0001TP_1.png": "",
      "LabeledApproved_full/0001TP_1_L.png": mask,
    });
    const dataset = await camvid(root, { split: "all" });
    const names = (await labelsOf(dataset))[0]!.map((i) => CAMVID_CLASSES[i]?.name ?? "void");
    expect(names).toEqual(["sidewalk", "car", "void", "pedestrian", "sidewalk"]);
  });
});

test("ade20k(): 0 is ignored, 150 is the last class, 151 is an error", async () => {
  const root = await fixture({
    "images/validation/ADE_val_1.jpg": "",
    "images/validation/ADE_val_2.jpg": "",
    "images/testing/ADE_test_1.jpg": "",
    "annotations/validation/ADE_val_1.png": grey(0, 1, 150),
    "annotations/validation/ADE_val_2.png": grey(151),
  });
  const { samples, notes } = await ade20k(root, { split: "val" });
  expect([...(await readLabel(samples[0]!.annotation!)).data]).toEqual([255, 0, 149]);
  await expect(readLabel(samples[1]!.annotation!)).rejects.toThrow("label 151 in");
  expect(notes).toEqual(["2 images found in val; the official set has 2,000"]);
  expect((await ade20k(root, { split: "test" })).samples[0]!.annotation).toBeUndefined();
});

describe("folder()", () => {
  const classes = [
    { name: "a", color: [10, 0, 0] },
    { name: "b", color: [0, 10, 0] },
  ] as const;
  const values: LabelMap = { encoding: "values", classes: { 0: 0, 1: 1, 255: 255 } };
  const colors: LabelMap = { encoding: "colors", classes: { "10,0,0": 0, "0,10,0": 1, "0,0,0": 255 } };
  const palette = { type: "PLTE", body: Uint8Array.from([0, 0, 0, 10, 0, 0, 0, 10, 0]) };

  async function read(mask: Uint8Array, labelMap: LabelMap): Promise<number[]> {
    const root = await fixture({ "images/x.jpg": "", "masks/x.png": mask });
    const dataset = await folder({
      split: "train",
      images: join(root, "images"),
      masks: join(root, "masks"),
      classes,
      labelMap,
    });
    return (await labelsOf(dataset))[0]!;
  }

  test("grey, palette and RGB masks, by value or by colour", async () => {
    expect(await read(grey(0, 1, 255), values)).toEqual([0, 1, 255]);
    expect(await read(encodePng(3, 2, 1, 3, [0, 1, 1], [palette]), values)).toEqual([0, 1, 1]);
    expect(await read(encodePng(3, 2, 1, 3, [0, 1, 2], [palette]), colors)).toEqual([255, 0, 1]);
    expect(await read(rgb([10, 0, 0], [0, 10, 0], [0, 0, 0]), colors)).toEqual([0, 1, 255]);
    expect(await read(encodePng(6, 8, 1, 2, [10, 0, 0, 255, 0, 10, 0, 255]), colors)).toEqual([0, 1]);
    expect(await read(rgb([1, 1, 1], [0, 0, 0]), values)).toEqual([1, 0]);
    expect(await read(encodePng(0, 1, 1, 3, [0, 1, 1]), values)).toEqual([0, 1, 1]);
    expect(await read(encodePng(0, 16, 1, 2, [1, 255]), values)).toEqual([1, 255]);
  });

  test("what has no entry is an error that names file, value and place", async () => {
    await expect(read(rgb([10, 0, 0], [1, 2, 3], [1, 2, 3]), colors)).rejects.toThrow(
      /colour 1,2,3 in .*x.png \(2 pixels, first at row 0, column 1\) is outside the label map/,
    );
    await expect(read(rgb([1, 2, 3]), values)).rejects.toThrow("colour 1,2,3 in");
    await expect(read(grey(2), values)).rejects.toThrow("label 2 in");
    await expect(read(Buffer.from([0xff, 0xd8, 0xff]), values)).rejects.toThrow(
      "a JPEG: its compression alters label values",
    );
    await expect(read(grey(0), { encoding: "values", classes: { 0: 2 } })).rejects.toThrow(
      "sends 0 to 2, expected 0 to 1 or 255",
    );
  });

  test("pairs by name or by path, with endings, lists and partners that are missing", async () => {
    const root = await fixture({
      "i/p/1_rgb.jpg": "",
      "i/q/1_rgb.jpg": "",
      "i/q/2_rgb.jpg": "",
      "m/p/1_mask.png": grey(0),
      "m/q/1_mask.png": grey(1),
      "m/q/3_mask.png": grey(1),
    });
    const options = {
      split: "train",
      images: join(root, "i"),
      masks: join(root, "m"),
      imageEnding: "_rgb",
      maskEnding: "_mask",
      classes,
      labelMap: values,
    };
    const dataset = await folder(options);
    expect(dataset.samples.map(({ name }) => name)).toEqual(["p__1", "q__1"]);
    expect(await labelsOf(dataset)).toEqual([[0], [1]]);
    expect(dataset.unpaired).toEqual(["q/2_rgb.jpg", "q/3_mask.png"]);
    expect((await folder({ ...options, names: ["q__1"] })).samples).toHaveLength(1);
    await expect(folder({ ...options, names: ["q__9"] })).rejects.toThrow(
      '1 listed name of 1 not in folder, e.g. "q__9"; names are like "p__1"',
    );
    await expect(folder({ ...options, imageEnding: "" })).rejects.toThrow(
      "none share a name, e.g. p/1_rgb.jpg and p/1_mask.png",
    );
  });
});

describe("orientation and size", () => {
  test("an EXIF orientation turns image and label alike", async () => {
    const pixels = Uint8Array.from({ length: 18 }, (_, i) => 10 * i);
    const exif = Buffer.from("49492a0008000000010012010300010000000600000000000000", "hex");
    const root = await fixture({
      "x.jpg": await sharp(pixels, { raw: { height: 2, width: 3, channels: 3 } })
        .withMetadata({ orientation: 6 })
        .jpeg()
        .toBuffer(),
      "x.png": encodePng(0, 8, 2, 3, [0, 1, 2, 3, 4, 5], [{ type: "eXIf", body: exif }]),
      "upright.png": encodePng(0, 8, 2, 3, [0, 1, 2, 3, 4, 5]),
    });
    const image = await readImage(join(root, "x.jpg"));
    expect([image.height, image.width]).toEqual([3, 2]);
    expect(await imageSize(join(root, "x.jpg"))).toEqual([3, 2]);
    const labelMap: LabelMap = { encoding: "values", classes: { 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 } };
    const label = await readLabel({ kind: "mask", path: join(root, "x.png"), labelMap }, [3, 2]);
    // sharp turns the same pixels, by an implementation of its own.
    const theirs = await sharp(join(root, "x.png")).autoOrient().toColourspace("b-w").raw().toBuffer();
    expect([...label.data]).toEqual([...theirs]);
    await expect(
      readLabel({ kind: "mask", path: join(root, "upright.png"), labelMap }, [3, 2]),
    ).rejects.toThrow(
      /upright.png is 2x3 \(height x width\), its image 3x2; has only one of the two an EXIF orientation\?/,
    );
  });
});

describe("weight maps", () => {
  const npy = (type: string, shape: string, body: Uint8Array, order = "False"): Uint8Array => {
    const header = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`.padEnd(117);
    return Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"),
      Buffer.from(`${header}\n`),
      body,
    ]);
  };
  const floats = Buffer.from(Float32Array.of(0, 0.5, 2).buffer);

  test("PNG and NPY, paired with their samples", async () => {
    const root = await fixture({
      "a.png": grey(0, 51, 255),
      "ulm/u.npy": npy("<f4", "(1, 3)", floats),
      "b.npy": npy("<f4", "(1, 3)", floats),
      "c.npy": npy("<f8", "(1, 3)", Buffer.from(Float64Array.of(0, 0.5, 2).buffer)),
      "d.npy": npy("|u1", "(1, 3)", Uint8Array.of(0, 51, 255)),
      "e.png": encodePng(0, 16, 1, 3, [0, 13107, 65535]),
    });
    const read = async (name: string): Promise<number[]> => [
      ...(await readWeights(join(root, name), [1, 3])).data,
    ];
    for (const name of ["a.png", "d.npy", "e.png"])
      expect(await read(name)).toEqual([0, Math.fround(0.2), 1]);
    for (const name of ["b.npy", "c.npy"]) expect(await read(name)).toEqual([0, 0.5, 2]);
    const dataset: Dataset = {
      name: "",
      split: "",
      classes: [],
      samples: [
        { name: "b", image: "b.jpg" },
        { name: "u", image: "u.jpg" },
      ],
      notes: [],
    };
    const { samples } = await withWeights(dataset, root);
    expect(samples.map(({ weights }) => weights)).toEqual([join(root, "b.npy"), join(root, "ulm/u.npy")]);
    await expect(withWeights({ ...dataset, samples: [{ name: "z", image: "" }] }, root)).rejects.toThrow(
      "no weight map z.png or .npy",
    );
  });

  test.each([
    [
      "expected finite and at least 0",
      npy("<f4", "(1, 3)", Buffer.from(Float32Array.of(0, Number.NaN, 1).buffer)),
    ],
    ["weight -1 at row 0, column 2", npy("<f4", "(1, 3)", Buffer.from(Float32Array.of(0, 1, -1).buffer))],
    ["of type <i8", npy("<i8", "(1, 3)", Buffer.alloc(24))],
    ["column order", npy("<f4", "(1, 3)", floats, "True")],
    ["expected [height, width]", npy("<f4", "(3,)", floats)],
    ["12 bytes of data, expected 16", npy("<f4", "(1, 4)", floats)],
    ["is 1x3, its label 2x3", npy("<f4", "(1, 3)", floats)],
  ])("%s", async (message, bytes) => {
    const root = await fixture({ "w.npy": bytes });
    await expect(readWeights(join(root, "w.npy"), [2, 3])).rejects.toThrow(message);
  });
});
