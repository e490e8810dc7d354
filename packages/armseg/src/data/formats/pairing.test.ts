import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { proposeConfig } from "../init.ts";
import { labelMapOf } from "../labels/class-labels.ts";
import { readLabel } from "../labels/read-label.ts";
import type { Dataset } from "../sample.ts";
import { scan } from "../scan/scan.ts";
import { pickSamples } from "../split-names.ts";
import { encodePng, fixture } from "../test-support.ts";
import { type FolderOptions, folder } from "./folder.ts";
import { IMAGE_FILE, listFiles, readLines, readNames } from "./list-files.ts";
import { pairFiles } from "./pair-files.ts";

/** A grey PNG of one pixel: picture or mask. */
const png = (value: number): Uint8Array => encodePng(0, 8, 1, 1, [value]);
const classes = [
  { name: "a", color: [10, 0, 0] },
  { name: "b", color: [0, 10, 0] },
] as const;
const labelMap = { encoding: "values", classes: { 0: 0, 1: 1 } } as const;

async function open(root: string, options: Partial<FolderOptions> = {}): Promise<Dataset> {
  return folder({ split: "train", images: root, masks: root, classes, labelMap, ...options });
}

/** Each sample's picture and label file, below the root, and its one label. */
async function pairsOf({ samples }: Dataset, root: string): Promise<(string | number)[][]> {
  return Promise.all(
    samples.map(async ({ image, annotation }) => {
      const [label] = (await readLabel(annotation!)).data;
      return [image, annotation!.path].map((path) => path.slice(root.length + 1)).concat(String(label));
    }),
  );
}

describe("images and masks in one folder", () => {
  const roboflow = {
    "_classes.csv": "Pixel Value, Class\n0, a\n1, b\n",
    "x.rf.0.jpg": "",
    "x.rf.0_mask.png": png(1),
    "y.rf.1.jpg": "",
    "y.rf.1_mask.png": png(0),
    "z.rf.2.jpg": "",
  };

  test("an ending tells masks from images; images without one are listed", async () => {
    const root = await fixture(roboflow);
    const dataset = await open(root, { maskEnding: "_mask" });
    expect(await pairsOf(dataset, root)).toEqual([
      ["x.rf.0.jpg", "x.rf.0_mask.png", "1"],
      ["y.rf.1.jpg", "y.rf.1_mask.png", "0"],
    ]);
    expect(dataset.unpaired).toEqual(["z.rf.2.jpg"]);
  });

  test("images may be PNGs, with an ending of their own or of the masks", async () => {
    const root = await fixture({
      "1_rgb.png": png(9),
      "1_gt.png": png(1),
      "2_rgb.png": png(9),
      "2_gt.png": png(0),
    });
    const expected = [
      ["1_rgb.png", "1_gt.png", "1"],
      ["2_rgb.png", "2_gt.png", "0"],
    ];
    const both = { imageEnding: "_rgb", maskEnding: "_gt" };
    expect(await pairsOf(await open(root, both), root)).toEqual(expected);
    const plain = await fixture({ "1.png": png(9), "1_gt.png": png(1) });
    expect(await pairsOf(await open(plain, { maskEnding: "_gt" }), plain)).toEqual([
      ["1.png", "1_gt.png", "1"],
    ]);
  });

  test("without an ending, PNGs are the masks of other types, and never their own", async () => {
    const root = await fixture({ "1.jpg": "", "1.png": png(1), "2.png": png(0) });
    const dataset = await open(root);
    expect(await pairsOf(dataset, root)).toEqual([["1.jpg", "1.png", "1"]]);
    expect(dataset.unpaired).toEqual(["2.png"]);
    await expect(open(await fixture({ "1.png": png(1), "1_mask.png": png(1) }))).rejects.toThrow(
      "set data.imageEnding or data.maskEnding",
    );
  });

  test("an image with several masks is in no pair, and the scan names all of them", async () => {
    const files = {
      "a (1).png": png(9),
      "a (1)_mask.png": png(1),
      "a (1)_mask_1.png": png(1),
      "a (2).png": png(9),
      "a (2)_mask.png": png(0),
    };
    const root = await fixture(files);
    const dataset = await open(root, { maskEnding: "_mask" });
    expect(await pairsOf(dataset, root)).toEqual([["a (2).png", "a (2)_mask.png", "0"]]);
    const { problems } = await scan(dataset);
    expect(problems.find(({ kind }) => kind === "several files of one name")).toMatchObject({
      severity: "error",
      examples: [expect.stringContaining("got a (1).png and a (1)_mask.png, a (1)_mask_1.png")],
    });
    expect(pickSamples(dataset, ["a (2)"]).problems).toEqual([]);
    expect(() => pickSamples(dataset, ["a (1)"])).toThrow("a (1)_mask_1.png; join or remove masks");
  });
});

describe("a folder inside the other", () => {
  test("masks inside the images' folder are no images", async () => {
    const root = await fixture({
      "1.png": png(9),
      "2.png": png(9),
      "masks/1.png": png(1),
      "masks/old.png": png(0),
    });
    const dataset = await open(root, { masks: join(root, "masks") });
    expect(await pairsOf(dataset, root)).toEqual([["1.png", "masks/1.png", "1"]]);
    expect(dataset.unpaired).toEqual(["2.png", "old.png"]);
  });

  test("images inside the masks' folder are no masks", async () => {
    const root = await fixture({ "1.png": png(1), "images/1.png": png(9) });
    const dataset = await open(root, { images: join(root, "images") });
    expect(await pairsOf(dataset, root)).toEqual([["images/1.png", "1.png", "1"]]);
  });

  test("links that make a file its own mask are refused", async () => {
    const root = await fixture({ "images/a/1.png": png(1) });
    mkdirSync(join(root, "masks"));
    symlinkSync("../images/a", join(root, "masks/a"));
    await expect(open(root, { images: join(root, "images"), masks: join(root, "masks") })).rejects.toThrow(
      /got one file for both, .*1\.png/,
    );
  });
});

describe("names", () => {
  test("an ending filters: what lacks it is no mask, and is noted", async () => {
    const files = ["1.png", "1-mask.png", "2.png", "3-mask.png"].map((name) => [`m/${name}`, png(1)]);
    const root = await fixture({ "i/1.jpg": "", "i/2.jpg": "", ...Object.fromEntries(files) });
    const folders = { images: join(root, "i"), masks: join(root, "m") };
    const dataset = await open(root, { ...folders, maskEnding: "-mask" });
    expect(await pairsOf(dataset, root)).toEqual([["i/1.jpg", "m/1-mask.png", "1"]]);
    expect(dataset.unpaired).toEqual(["2.jpg", "3-mask.png"]);
    expect(dataset.notes).toContain("2 files without the ending left out: 1.png, 2.png");
    const without = await open(root, folders);
    expect(without.unpaired).toEqual(["1-mask.png", "3-mask.png"]);
  });

  test("where nothing pairs but what is unclear, that is the error", async () => {
    const root = await fixture({ "i/1.jpg": "", "i/1.png": "", "m/1.png": png(1) });
    const folders = { images: join(root, "i"), masks: join(root, "m") };
    const text = "1: expected one image and one mask, got 1.jpg, 1.png and 1.png";
    await expect(open(root, folders)).rejects.toThrow(text);
    await expect(proposeConfig(folders.images, folders.masks)).rejects.toThrow(text);
  });

  test("two images or two masks of one name pair with nothing", () => {
    expect(pairFiles(["1.jpg", "1.png", "2.jpg"], ["1.png", "2.png", "2.PNG"])).toEqual({
      pairs: [],
      unclear: [
        { name: "1", images: ["1.jpg", "1.png"], masks: ["1.png"] },
        { name: "2", images: ["2.jpg"], masks: ["2.png", "2.PNG"] },
      ],
      imagesAlone: [],
      masksAlone: [],
      withoutEnding: [],
    });
  });

  test("Unicode: composed and decomposed names are the same, in pairs and in lists", async () => {
    const [decomposed, composed] = ["caf\u0065\u0301", "caf\u00e9"];
    const root = await fixture({ [`i/${decomposed}.jpg`]: "", [`m/${composed}.png`]: png(1) });
    const dataset = await open(root, { images: join(root, "i"), masks: join(root, "m") });
    expect(await pairsOf(dataset, root)).toEqual([[`i/${decomposed}.jpg`, `m/${composed}.png`, "1"]]);
    for (const name of [decomposed, composed]) expect(pickSamples(dataset, [name]).samples).toHaveLength(1);
    expect(dataset.samples[0]!.name).toBe(composed);
  });
});

describe("proposeConfig() tries the endings that occur", () => {
  async function propose(files: Record<string, Uint8Array>, images = ".", masks = ".") {
    const root = await fixture(files);
    const { data, train, val, sentences } = await proposeConfig(join(root, images), join(root, masks));
    const { encoding, map } = data.labels;
    const dataset = await folder({
      ...data,
      split: "all",
      labelMap: labelMapOf(encoding, map, data.classes),
    });
    return { data, names: [...train, ...val].sort(), pairs: await pairsOf(dataset, root), sentences };
  }

  test("images and masks in one folder", async () => {
    const { data, pairs } = await propose({
      "1.png": png(9),
      "1_mask.png": png(1),
      "2.png": png(9),
      "2_mask.png": png(0),
    });
    expect(data).toMatchObject({ maskEnding: "_mask" });
    expect(pairs).toEqual([
      ["1.png", "1_mask.png", "1"],
      ["2.png", "2_mask.png", "0"],
    ]);
  });

  describe("names that do not tell images from masks", () => {
    const SIDE = 12;
    const flat = (value: number) =>
      encodePng(
        0,
        8,
        SIDE,
        SIDE,
        Array.from({ length: SIDE * SIDE }, (_, i) => (i < 72 ? value : 2)),
      );
    /** Each pixel unlike the one before it. */
    const noise = (seed: number) => {
      const samples = Array.from({ length: 3 * SIDE * SIDE }, (_, i) => (i * 97 + seed * 31) % 256);
      return encodePng(2, 8, SIDE, SIDE, samples);
    };

    test("few colours in flat areas are the mask, whichever has the ending", async () => {
      const files = { "1.png": flat(0), "1_rgb.png": noise(1), "2.png": flat(1), "2_rgb.png": noise(2) };
      const { data, pairs } = await propose(files);
      expect(data).toMatchObject({ imageEnding: "_rgb" });
      expect(data).not.toHaveProperty("maskEnding");
      expect(pairs.map(([image, mask]) => [image, mask])).toEqual([
        ["1_rgb.png", "1.png"],
        ["2_rgb.png", "2.png"],
      ]);
      const swapped = { "1_x.png": flat(0), "1.png": noise(1), "2_x.png": flat(1), "2.png": noise(2) };
      expect((await propose(swapped)).data).toMatchObject({ maskEnding: "_x" });
    });

    test("also where both have an ending", async () => {
      const files = { "1_a.png": flat(0), "1_b.png": noise(1), "2_a.png": flat(1), "2_b.png": noise(2) };
      expect((await propose(files)).data).toMatchObject({ imageEnding: "_b", maskEnding: "_a" });
    });

    test("are refused where the files do not tell either", async () => {
      const both = { "1.png": flat(0), "1_x.png": flat(1), "2.png": flat(0), "2_x.png": flat(1) };
      await expect(propose(both)).rejects.toThrow(
        /got pairs such as 1(_x)?\.png and 1(_x)?\.png, of which both are like a mask; move/,
      );
      const none = { "1.png": noise(0), "1_x.png": noise(1), "2.png": noise(0), "2_x.png": noise(1) };
      await expect(propose(none)).rejects.toThrow("of which none is like a mask");
    });
  });

  test("the ending that most masks have, not the one that pairs some", async () => {
    const masks = Object.fromEntries([1, 2, 3].map((i) => [`m/${i}_L.png`, png(i % 2)]));
    const { data, names, sentences } = await propose(
      { ...masks, "m/1.png": png(1), ...Object.fromEntries([1, 2, 3].map((i) => [`i/${i}.png`, png(9)])) },
      "i",
      "m",
    );
    expect(data).toMatchObject({ maskEnding: "_L" });
    expect(names).toEqual(["1", "2", "3"]);
    expect(sentences).toContain("1 file without the ending left out: 1.png.");
  });

  test("several masks of one image are named and in no list", async () => {
    const { names, sentences } = await propose(
      Object.fromEntries(
        ["1", "1_mask", "1_mask_1", "2", "2_mask", "3", "3_mask"].map((name) => [`${name}.png`, png(1)]),
      ),
    );
    expect(names).toEqual(["2", "3"]);
    expect(sentences.find((text) => text.startsWith("Left out: 1: "))).toContain("1_mask.png, 1_mask_1.png");
  });

  test("two kinds of masks for the same images are not guessed between", async () => {
    const kinds = ["1", "2"].flatMap((name) =>
      [`${name}_color`, `${name}_ids`].map((file) => [`m/${file}.png`, png(1)]),
    );
    const files = { "i/1.png": png(9), "i/2.png": png(9), ...Object.fromEntries(kinds) };
    await expect(propose(files, "i", "m")).rejects.toThrow(
      'got names that end in "_ids" (1_ids.png) and in "_color" (1_color.png) for the same images',
    );
  });
});

describe("listFiles()", () => {
  test("follows links to folders, but not round in circles", async () => {
    const root = await fixture({ "images/a/1.png": "", "disk/b/2.png": "", "images/a/3.txt": "" });
    symlinkSync("../disk/b", join(root, "images/b"));
    symlinkSync("..", join(root, "images/a/up"));
    symlinkSync("../a", join(root, "disk/b/a"));
    mkdirSync(join(root, "disk/a"));
    symlinkSync("../b", join(root, "disk/a/b"));
    expect(await listFiles(join(root, "images"), IMAGE_FILE)).toEqual(["a/1.png", "b/2.png"]);
  });

  test("a linked town is trained on like the others", async () => {
    const towns = { "masks/a/1.png": png(1), "images/a/1.png": png(9) };
    const root = await fixture({ ...towns, "disk/masks/b/2.png": png(0), "disk/images/b/2.png": png(9) });
    for (const side of ["images", "masks"]) symlinkSync(`../disk/${side}/b`, join(root, side, "b"));
    const dataset = await open(root, { images: join(root, "images"), masks: join(root, "masks") });
    expect(await pairsOf(dataset, root)).toEqual([
      ["images/a/1.png", "masks/a/1.png", "1"],
      ["images/b/2.png", "masks/b/2.png", "0"],
    ]);
  });

  test("nothing hidden, nor below hidden folders", async () => {
    const root = await fixture({
      "1.png": "",
      ".2.png": "",
      ".ipynb_checkpoints/1.png": "",
      "a/.trash/b/3.png": "",
    });
    expect(await listFiles(root, IMAGE_FILE)).toEqual(["1.png"]);
  });

  test("a link to nowhere is an error, or listed if its name is a file's", async () => {
    const root = await fixture({ "1.png": "" });
    symlinkSync("gone.png", join(root, "2.png"));
    expect(await listFiles(root, IMAGE_FILE)).toEqual(["1.png", "2.png"]);
    symlinkSync("/nowhere/b", join(root, "b"));
    await expect(listFiles(root, IMAGE_FILE)).rejects.toThrow(
      /\/b is a link that leads nowhere; mount or remove it/,
    );
  });
});

describe("lists of names", () => {
  const samples = ["a", "b"].map((name) => ({ name, image: `${name}.jpg` }));
  const dataset: Dataset = { name: "made", split: "all", classes, samples, notes: [] };

  test("an empty list is an error that names it", async () => {
    const root = await fixture({ "empty.txt": "\n# nobody\n", "bom.txt": "\ufeffa\r\nb\r\n" });
    await expect(readNames(join(root, "empty.txt"))).rejects.toThrow(/got an empty list in .*empty\.txt/);
    expect(await readLines(join(root, "bom.txt"))).toEqual(["a", "b"]);
    expect(() => pickSamples(dataset, [])).toThrow("expected at least one name of made, got an empty list");
  });

  test("a name that is listed twice is noted; one of two samples is an error", () => {
    expect(pickSamples(dataset, ["a", "b", "a"], "train").notes).toEqual([
      "1 line repeated in the list of train",
    ]);
    const twice = { ...dataset, samples: [...samples, { name: "a", image: "a.png" }] };
    expect(() => pickSamples(twice, ["a"])).toThrow('expected one sample "a" in made, got several');
  });
});

test("a folder whose name goes on as another's is not inside it", async () => {
  const mask = { "images/a.jpg": "", "images2/a.png": png(1), "images2/b.tif": "" };
  const root = await fixture(mask);
  const { notes } = await folder({
    split: "train",
    images: join(root, "images"),
    masks: join(root, "images2"),
    classes,
    labelMap,
  });
  expect(notes).toContainEqual(expect.stringContaining("1 file of types that are not read: b.tif"));
});

test("masks of other types are told beside a folder of images inside, whose types are right", async () => {
  const root = await fixture({ "a.png": png(1), "b.tif": "", "photos/a.jpg": "", "photos/c.tif": "" });
  const { notes } = await open(root, { images: join(root, "photos") });
  expect(notes).toContainEqual(expect.stringContaining("1 file of types that are not read: b.tif;"));
});
