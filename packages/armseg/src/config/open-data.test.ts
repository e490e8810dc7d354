import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { checkData } from "../commands/check-data.ts";
import { ade20k } from "../data/formats/ade20k.ts";
import { camvid } from "../data/formats/camvid.ts";
import { cityscapes } from "../data/formats/cityscapes.ts";
import { cvat } from "../data/formats/cvat.ts";
import type { Dataset } from "../data/sample.ts";
import { encodePng, fixture } from "../data/test-support.ts";
import { prepareData } from "./build-data.ts";
import { checkClasses, openData } from "./open-data.ts";
import { ConfigError, checkConfig } from "./read-config.ts";
import type { ConfigInput } from "./schema.ts";

const grey = (...values: number[]): Uint8Array => encodePng(0, 8, 1, values.length, values);
const names = ({ samples }: Dataset) => samples.map(({ name }) => name);
const open = (data: ConfigInput["data"], purpose: "train" | "val" = "train") =>
  openData(checkConfig({ name: "joined", data }, "the test").data, purpose);

describe("train+val of data sets with splits of their own", () => {
  test("cityscapes: fine and coarse, each from its own folders; validation stays what it was", async () => {
    const frames = { train: "ulm_000000_000019", val: "bonn_000000_000019" } as const;
    const files: Record<string, string | Uint8Array> = {};
    for (const [split, frame] of Object.entries(frames)) {
      const city = frame.split("_")[0];
      files[`leftImg8bit/${split}/${city}/${frame}_leftImg8bit.png`] = "";
      for (const labels of ["gtFine", "gtCoarse"])
        files[`${labels}/${split}/${city}/${frame}_${labels}_labelIds.png`] = grey(7);
    }
    const root = await fixture(files);
    for (const annotations of ["fine", "coarse"] as const) {
      const data = { format: "cityscapes", root, annotations, train: { split: "train+val" } } as const;
      const train = await open(data);
      expect(names(train)).toEqual([frames.train, frames.val]);
      const folder = annotations === "fine" ? "gtFine" : "gtCoarse";
      for (const { annotation } of train.samples) expect(annotation?.path).toContain(`/${folder}/`);
      expect(names(await open(data, "val"))).toEqual([frames.val]);
    }
    expect((await cityscapes(root, { split: "train+val" })).split).toBe("train+val");
    await expect(cityscapes(root, { split: "train+dev" })).rejects.toThrow(
      'a split of train, val, test, train_extra, or several with + between them, got "dev"',
    );
  });

  test("ade20k: training and validation", async () => {
    const root = await fixture({
      "images/training/t.jpg": "",
      "images/validation/v.jpg": "",
      "annotations/training/t.png": grey(1),
      "annotations/validation/v.png": grey(1),
    });
    expect(names(await open({ format: "ade20k", root, train: { split: "train+val" } }))).toEqual(["t", "v"]);
    await expect(ade20k(root, { split: "training" })).rejects.toThrow('got "training"');
  });

  test("camvid: lists and folders, coarse masks for all of them, a list over the whole", async () => {
    const files = {
      "images/train/t.png": "",
      "images/val/v.png": "",
      "labels/train/t.png": grey(0),
      "labels/val/v.png": grey(1),
      "coarse/t.png": grey(0),
      "coarse/v.png": grey(1),
      "some.txt": "v\n",
    };
    const root = await fixture(files);
    const listed = await fixture({
      ...files,
      "train.txt": "images/train/t.png labels/train/t.png\n",
      "val.txt": "images/val/v.png labels/val/v.png\n",
    });
    for (const place of [root, listed])
      expect(names(await camvid(place, { split: "train+val" }))).toEqual(["t", "v"]);
    const masks = join(root, "coarse");
    const coarse = await open({ format: "camvid", root, train: { split: "train+val", masks } });
    expect(coarse.samples.map(({ annotation }) => annotation?.path)).toEqual([
      join(masks, "t.png"),
      join(masks, "v.png"),
    ]);
    const list = join(root, "some.txt");
    expect(names(await open({ format: "camvid", root, train: { split: "train+val", list } }))).toEqual(["v"]);
  });

  test("scenes: wrong polygons are drawn apart from right ones", async () => {
    const folder = join(await fixture({}), "scenes");
    const scenes = { folder, count: { train: 2, val: 1 }, size: [36, 48] as [number, number] };
    const masks = async (wrong?: number) => {
      const options = { ...scenes, ...(wrong !== undefined && { wrong }) };
      const { samples } = await open({ format: "scenes", annotations: "coarse", scenes: options });
      return samples.map(({ annotation }) => readFileSync(annotation!.path));
    };
    const [right, wrong] = [await masks(), await masks(1)];
    expect(wrong).not.toEqual(right);
    expect(await masks()).toEqual(right);
  });

  test("scenes: coarse labels are drawn for both", async () => {
    const folder = join(await fixture({}), "scenes");
    const scenes = { folder, count: { train: 2, val: 1 }, size: [36, 48] } satisfies NonNullable<
      ConfigInput["data"]["scenes"]
    >;
    const data = { format: "scenes", annotations: "coarse", scenes, train: { split: "train+val" } } as const;
    const train = await open(data);
    expect(train.samples).toHaveLength(3);
    for (const { annotation } of train.samples) {
      expect(annotation?.path).toContain("coarse-labels");
      expect(existsSync(annotation!.path)).toBe(true);
    }
    await expect(open({ ...data, train: { split: "test" } })).rejects.toThrow('got "test"');
    const said: string[] = [];
    const options = { cacheFolder: join(folder, "cache"), say: (text: string) => said.push(text) };
    await prepareData(checkConfig({ name: "joined", data }, "the test"), options).catch(() => {});
    expect(said).toContain(
      "validation images that are trained on too: 1 of 1. Their scores mean little: take the last checkpoint, not the best",
    );
  });

  test("cvat: subsets of a project export, whose images may have the same names", async () => {
    const image = (id: number, subset: string) =>
      `<image id="${id}" name="a.jpg" subset="${subset}" width="2" height="2"><box label="cat" xtl="0" ytl="0" xbr="1" ybr="1" occluded="0" z_order="0"/></image>`;
    const label =
      "<meta><project><labels><label><name>cat</name><color>#010203</color></label></labels></project></meta>";
    const root = await fixture({
      "annotations.xml": `<annotations><version>1.1</version>${label}${image(0, "Train")}${image(1, "Validation")}</annotations>`,
      "Train/a.jpg": "",
      "Validation/a.jpg": "",
    });
    const both = await cvat(join(root, "annotations.xml"), { split: "train+validation", images: root });
    expect(names(both)).toEqual(["train__a", "validation__a"]);
  });
});

describe("train+val of formats whose splits are where the configuration says", () => {
  const classes = [{ name: "cat", color: [1, 2, 3] as [number, number, number] }];

  test("folder: val's own folders and val's own list", async () => {
    const root = await fixture({
      "images/train/a.png": "",
      "images/val/b.png": "",
      "images/val/c.png": "",
      "masks/train/a.png": grey(0),
      "masks/val/b.png": grey(0),
      "masks/val/c.png": grey(0),
      "val.txt": "c\n",
    });
    const place = (split: string) => ({
      images: join(root, "images", split),
      masks: join(root, "masks", split),
    });
    const data = {
      format: "folder",
      classes,
      train: { split: "train+val", ...place("train") },
      val: { split: "val", ...place("val"), list: join(root, "val.txt") },
    } as const;
    const train = await open(data);
    expect(names(train)).toEqual(["a", "c"]);
    expect(train.samples[1]?.annotation?.path).toBe(join(root, "masks/val/c.png"));
    await expect(open({ ...data, train: { ...data.train, split: "train+more" } })).rejects.toThrow(
      "is in train and in more; join splits that share no image",
    );
  });

  const lists = (root: string) => ({
    train: { split: "train+val", list: join(root, "train.txt") },
    val: { split: "val", list: join(root, "val.txt") },
  });
  const listFiles = { "a.jpg": "", "b.jpg": "", "c.jpg": "", "train.txt": "a\n", "val.txt": "c\n" };

  test("coco: the union of two lists", async () => {
    const images = ["a", "b", "c"].map((name, id) => ({ id, file_name: `${name}.jpg`, height: 2, width: 2 }));
    const annotations = images.map(({ id }) => ({
      image_id: id,
      category_id: 1,
      segmentation: [[0, 0, 2, 0, 2, 2]],
    }));
    const file = JSON.stringify({ images, categories: [{ id: 1, name: "cat" }], annotations });
    const root = await fixture({ ...listFiles, "a.json": file });
    const data = { format: "coco", root: join(root, "a.json"), images: root, ...lists(root) } as const;
    expect(names(await open(data))).toEqual(["a", "c"]);
    expect(names(await open(data, "val"))).toEqual(["c"]);
  });

  test("labelme: the union of two lists", async () => {
    const json = (name: string) =>
      JSON.stringify({
        shapes: [
          {
            label: "cat",
            points: [
              [0, 0],
              [1, 0],
              [1, 1],
            ],
            shape_type: "polygon",
          },
        ],
        imagePath: `${name}.jpg`,
        imageHeight: 2,
        imageWidth: 2,
      });
    const jsons = Object.fromEntries(["a", "b", "c"].map((name) => [`${name}.json`, json(name)]));
    const root = await fixture({ ...listFiles, ...jsons });
    expect(names(await open({ format: "labelme", root, ...lists(root) }))).toEqual(["a", "c"]);
  });
});

describe("keys of a split", () => {
  const ring = [[0, 0, 2, 0, 2, 2, 0, 2]];
  const cocoOf = (names: readonly string[], id: number): string =>
    JSON.stringify({
      images: [{ id: 0, file_name: "0.jpg", height: 2, width: 4 }],
      categories: names.map((name, i) => ({ id: i, name, supercategory: i === 0 ? "none" : names[0] })),
      annotations: [{ image_id: 0, category_id: id, segmentation: ring }],
    });
  const roboflow = (val: string[]) =>
    fixture({
      "train/_annotations.coco.json": cocoOf(["leaf", "healthy", "ill"], 1),
      "train/0.jpg": "",
      "valid/_annotations.coco.json": cocoOf(val, 2),
      "valid/0.jpg": "",
    });
  const entry = (root: string, split: string) => ({
    root: join(root, split, "_annotations.coco.json"),
    images: join(root, split),
  });

  test("coco: two folders, as Roboflow exports them, with a project as category 0", async () => {
    const root = await roboflow(["leaf", "healthy", "ill"]);
    const data = { format: "coco", train: entry(root, "train"), val: entry(root, "valid") } as const;
    const [train, val] = [await open(data), await open(data, "val")];
    expect([train, val].map(({ split, classes }) => [split, classes.map(({ name }) => name)])).toEqual([
      ["train", ["healthy", "ill"]],
      ["val", ["healthy", "ill"]],
    ]);
    expect([train, val].map(({ samples }) => samples[0]!.image)).toEqual([
      join(root, "train/0.jpg"),
      join(root, "valid/0.jpg"),
    ]);
    expect(() => checkClasses(train, val)).not.toThrow();
  });

  test("splits whose classes differ, in order too, are an error that names the first", async () => {
    const root = await roboflow(["leaf", "ill", "healthy"]);
    const data = { format: "coco", train: entry(root, "train"), val: entry(root, "valid") } as const;
    const [train, val] = [await open(data), await open(data, "val")];
    expect(() => checkClasses(train, val)).toThrow(
      'class 0 is "healthy" here and "ill" there. List the classes in data.classes',
    );
    await expect(checkData(checkConfig({ data }, "the test").data)).rejects.toThrow(
      "the splits differ in classes",
    );
    expect(() => checkClasses(train, { ...val, classes: train.classes.slice(0, 1) })).toThrow(
      '2 to train on, 1 to validate on; class 1 is "ill" here and missing there',
    );
  });

  test("labelme: a folder for each split, images elsewhere", async () => {
    const json = (name: string): string => JSON.stringify({ shapes: [], imagePath: `${name}.png` });
    const files = Object.fromEntries(["t", "v"].map((name) => [`json/${name}/${name}.json`, json(name)]));
    const root = await fixture({ ...files, "images/t.png": grey(0), "images/v.png": grey(0) });
    const split = (name: string) => ({ root: join(root, "json", name), images: join(root, "images") });
    const data = { format: "labelme", train: split("t"), val: split("v") } as const;
    expect(names(await open(data))).toEqual(["t"]);
    expect(names(await open(data, "val"))).toEqual(["v"]);
  });

  test("folder: endings of its own; a part of a split's keys leaves its name as it is", async () => {
    const root = await fixture({ "x.jpg": "", "x_coarse.png": grey(0), "x_fine.png": grey(1) });
    const data = {
      format: "folder",
      images: root,
      masks: root,
      maskEnding: "_fine",
      classes: ["a", "b"].map((name) => ({ name, color: [0, 0, 0] as [number, number, number] })),
      train: { maskEnding: "_coarse" },
    } as const;
    const [train, val] = [await open(data), await open(data, "val")];
    expect([train, val].map(({ split }) => split)).toEqual(["train", "val"]);
    expect([train, val].map(({ samples }) => samples[0]!.annotation!.path)).toEqual([
      join(root, "x_coarse.png"),
      join(root, "x_fine.png"),
    ]);
  });

  test("cityscapes: annotations of its own, to validate on coarse ones too", async () => {
    const frame = "ulm/ulm_000000_000019";
    const labels = ["gtFine", "gtCoarse"].map((kind) => [
      `${kind}/val/${frame}_${kind}_labelIds.png`,
      grey(7),
    ]);
    const root = await fixture({
      [`leftImg8bit/val/${frame}_leftImg8bit.png`]: "",
      ...Object.fromEntries(labels),
    });
    const data = { format: "cityscapes", root, annotations: "coarse" } as const;
    const pathOf = async (val: object) => (await open({ ...data, val }, "val")).samples[0]!.annotation!.path;
    expect(await pathOf({})).toContain("gtFine");
    expect(await pathOf({ annotations: "coarse" })).toContain("gtCoarse");
  });

  test("an empty list is an error that names it", async () => {
    const root = await fixture({ "x.jpg": "", "x.png": grey(0), "empty.txt": "\n" });
    const classes = [{ name: "a", color: [0, 0, 0] as [number, number, number] }];
    const list = join(root, "empty.txt");
    const data = { format: "folder", images: root, masks: root, classes, train: { list } } as const;
    await expect(open(data)).rejects.toThrow(`got an empty list in ${list}`);
  });
});

describe("a name that is no class is an error of the configuration", () => {
  const classes = [{ name: "road", color: [0, 0, 0] as [number, number, number] }];

  test.each([
    [
      "folder",
      { labels: { map: { 7: "rode" } } },
      'data.labels.map sends 7 to "rode", expected one of road, ignore',
    ],
    ["coco", { labels: { map: { lorry: "truck" } } }, 'sends lorry to "truck", expected one of road, ignore'],
    ["labelme", { background: "floor" }, 'data.background: there is no class "floor", expected one of road'],
  ] as const)("%s", async (format, keys, message) => {
    const opened = async () =>
      await open({ format, root: "nowhere", images: "nowhere", masks: "nowhere", classes, ...keys });
    await expect(opened()).rejects.toThrow(ConfigError);
    await expect(opened()).rejects.toThrow(message);
  });
});

describe("docs/data.md", () => {
  const page = readFileSync(new URL("../../../../docs/data.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/```yaml\n(data:[\s\S]*?)```/g)].map(([, text]) => text!);
  const examples = blocks.map((text) => parse(text).data).filter(({ format }) => format);

  test("has an example of each format", () => {
    const formats = new Set(examples.map(({ format }) => format));
    expect([...formats].sort()).toEqual(
      ["ade20k", "camvid", "cityscapes", "coco", "coco-panoptic", "cvat", "folder", "labelme"].sort(),
    );
  });

  test.each(examples.map((data) => [data.format, data]))("%s: the example is a configuration", (_, data) => {
    expect(() => checkConfig({ data }, "the page")).not.toThrow();
  });
});
