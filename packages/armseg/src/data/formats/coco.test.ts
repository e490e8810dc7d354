import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readLabel } from "../labels/read-label.ts";
import type { Dataset, Sample } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { coco, cocoPanoptic } from "./coco.ts";
import type { NamedLabelOptions } from "./named-labels.ts";

interface File {
  images?: object[];
  categories?: object[];
  annotations?: object[];
}

const [HEIGHT, WIDTH] = [4, 6];
const SIZE = [HEIGHT, WIDTH] as const;
/** Columns 1 and 2 of rows 0 to 2: 6 pixels. */
const RING = [1, 0, 3, 0, 3, 3, 1, 3];
const image = { id: 0, file_name: "a.png", height: HEIGHT, width: WIDTH };
const thing = { id: 1, name: "thing" };

let picture: Uint8Array;
beforeAll(async () => {
  const create = { height: HEIGHT, width: WIDTH, channels: 3, background: "#123456" } as const;
  picture = await sharp({ create }).png().toBuffer();
});

/** The data set of one JSON with picture `a.png`, where the file does not say otherwise. */
async function open(
  file: File | string,
  options: NamedLabelOptions = {},
  pictures = ["a.png"],
): Promise<Dataset> {
  const filled = { images: [image], categories: [thing], annotations: [], ...(file as File) };
  const root = await fixture({
    "a.json": typeof file === "string" ? file : JSON.stringify(filled),
    ...Object.fromEntries(pictures.map((name) => [`images/${name}`, picture])),
  });
  return coco(join(root, "a.json"), { split: "train", images: join(root, "images"), ...options });
}

/** An annotation of the thing in the picture. */
function annotate(segmentation: unknown, rest: object = {}): object {
  return { id: 5, image_id: 0, category_id: 1, segmentation, ...rest };
}

/** How many pixels of a sample's label have each class. */
async function countsOf({ samples: [sample] }: Dataset): Promise<Record<number, number>> {
  const { data } = await readLabel((sample as Sample).annotation!, SIZE);
  const counts: Record<number, number> = {};
  for (const value of data) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

describe("run lengths of another size than the picture", () => {
  // The same 4x6 mask in both forms: columns 1 and 2, rows 0 to 2. Made by pycocotools' rules, by hand.
  const counts = [4, 3, 1, 3, 13];
  const compressed = "4310<";

  test.each([[counts], [compressed]])("%j: right is exact", async (counts) => {
    const dataset = await open({ annotations: [annotate({ size: SIZE, counts })] });
    expect(await countsOf(dataset)).toEqual({ 0: 6, 255: 18 });
  });

  test.each([
    [
      "half",
      [2, 3],
      [2, 1, 3],
      "expected a run-length mask of 4x6 pixels (height x width) as its image, got 2x3;",
    ],
    ["half, compressed", [2, 3], "213", "got 2x3;"],
    ["transposed", [6, 4], [1, 2, 4, 2, 4, 2, 9], "got 6x4 (transposed)"],
    ["size as width and height", [6, 4], counts, "got 6x4 (transposed)"],
    ["size as width and height, compressed", [6, 4], compressed, "got 6x4 (transposed)"],
  ])("%s is an error", async (_, size, counts, message) => {
    const dataset = await open({ annotations: [annotate({ size, counts })] });
    await expect(countsOf(dataset)).rejects.toThrow(message);
    // The same where only the picture says its size.
    const { height, width, ...unsized } = image;
    const other = await open({ images: [unsized], annotations: [annotate({ size, counts })] });
    await expect(countsOf(other)).rejects.toThrow(message);
  });
});

describe("annotations without area", () => {
  const good = annotate([[4, 0, 6, 0, 6, 2, 4, 2]], { id: 6 });
  const bbox = [0, 0, 2, 3];

  test.each([
    [
      "an odd count of numbers",
      [[1, 0, 3, 0, 3, 3, 1]],
      "a polygon of 7 numbers, which are no pairs of x and y",
    ],
    ["two points", [[1, 0, 3, 3]], "a polygon of 2 points"],
    ["an empty ring", [[]], "a polygon of 0 points"],
    ["no ring", [], "no segmentation"],
    ["null", null, "no segmentation"],
    ["no segmentation", undefined, "no segmentation"],
    ["a line", [[0, 0, 1, 1, 3, 3]], "a polygon on a line"],
    ["an empty mask", { size: SIZE, counts: [24] }, "an empty mask"],
    ["an empty compressed mask", { size: SIZE, counts: "h0" }, "an empty mask"],
  ])("%s: named, its box is not background", async (_, segmentation, reason) => {
    const options = { background: "nothing" };
    const dataset = await open({ annotations: [annotate(segmentation, { bbox }), good] }, options);
    expect(dataset.problems).toEqual([
      {
        kind: "annotation without area",
        sample: "a",
        text: `a.png, annotation 5 ("thing"): ${reason}; draw it anew or delete it. Its box is ignored, or without one all that no other annotation covers`,
      },
    ]);
    // 2x2 pixels of the good one, 2x3 of the box, the rest is background.
    expect(await countsOf(dataset)).toEqual({ 0: 14, 1: 4, 255: 6 });
    // Without a box the object may be anywhere in what is not the good one's, in this image alone.
    const images = [image, { ...image, id: 1, file_name: "b.png" }];
    const annotations = [annotate(segmentation), good, annotate([RING], { id: 7, image_id: 1 })];
    const boxless = await open({ images, annotations }, options, ["a.png", "b.png"]);
    expect(boxless.problems).toHaveLength(1);
    expect(await countsOf(boxless)).toEqual({ 1: 4, 255: 20 });
    expect(await countsOf({ ...boxless, samples: boxless.samples.slice(1) })).toEqual({ 0: 18, 1: 6 });
    const plain = await open({ annotations: [annotate(segmentation), good] });
    expect(plain.problems).toHaveLength(1);
    expect(await countsOf(plain)).toEqual({ 0: 4, 255: 20 });
  });

  test("a ring without area beside a good one loses nothing but is named; one that is no points does", async () => {
    const options = { background: "nothing" };
    const stray = await open(
      { annotations: [annotate([RING, [5, 3, 6, 4]], { bbox: [0, 0, 6, 4] })] },
      options,
    );
    expect(await countsOf(stray)).toEqual({ 0: 18, 1: 6 });
    expect(stray.problems).toHaveLength(1);
    const odd = await open({ annotations: [annotate([RING, [5, 3, 6]], { bbox: [0, 0, 6, 4] })] }, options);
    expect(await countsOf(odd)).toEqual({ 1: 6, 255: 18 });
  });

  test("a picture with nothing else is left out", async () => {
    await expect(open({ annotations: [annotate([])] })).rejects.toThrow("none of the 1 image in");
  });
});

describe("one image, several labels", () => {
  test("a file under two ids is a problem that names both", async () => {
    const images = [image, { ...image, id: 1 }];
    const annotations = [annotate([RING]), annotate([RING], { image_id: 1 })];
    const { problems } = await open({ images, annotations });
    expect(problems).toEqual([
      {
        kind: "two labels for one image",
        sample: "a",
        text: expect.stringMatching(
          /a\.png is labelled by image id 0 of .* and by image id 1 of .*; give all/,
        ),
      },
    ]);
  });

  test("an id that is listed twice is an error", async () => {
    await expect(open({ images: [image, { ...image, file_name: "b.png" }] })).rejects.toThrow(
      "expected one image of id 0",
    );
    const twice = open({ categories: [thing, { id: "1", name: "other" }] });
    await expect(twice).rejects.toThrow("expected one category of id 1, got several");
  });

  test("files that differ in type only are samples of their own", async () => {
    const images = [image, { ...image, id: 1, file_name: "a.jpg" }];
    const annotations = [annotate([RING]), annotate([RING], { image_id: 1 })];
    const { samples, problems } = await open({ images, annotations });
    expect(samples.map(({ name }) => name)).toEqual(["a.png", "a.jpg"]);
    expect(problems).toEqual([]);
  });
});

describe("as other tools write it", () => {
  const whole = { annotations: [annotate([RING])] };
  const right = { 0: 6, 255: 18 };

  test.each(["sub\\a.png", "sub/a.png", ".\\sub\\a.png"])("file_name %s", async (file_name) => {
    const dataset = await open({ ...whole, images: [{ ...image, file_name }] }, {}, ["sub/a.png"]);
    expect(dataset.samples[0]!.image).toMatch(/images\/sub\/a\.png$/);
    expect(await countsOf(dataset)).toEqual(right);
  });

  test("a name in the other Unicode normal form", async () => {
    const images = [{ ...image, file_name: "caf\u00e9.png" }];
    const { samples } = await open({ ...whole, images }, {}, ["caf\u0065\u0301.png"]);
    expect(samples[0]).toMatchObject({
      name: "caf\u00e9",
      image: expect.stringMatching(/caf\u0065\u0301\.png$/),
    });
  });

  test("VIA: ids as texts, and a polygon without the list around it", async () => {
    const annotations = [annotate(RING, { image_id: "0", category_id: "1" })];
    expect(await countsOf(await open({ annotations }))).toEqual(right);
    const texts = { images: [{ ...image, id: "0" }], categories: [{ ...thing, id: "1" }] };
    expect(await countsOf(await open({ ...whole, ...texts }))).toEqual(right);
  });

  test("no size, or null: the picture's", async () => {
    const { height, width, ...unsized } = image;
    for (const own of [unsized, { ...image, height: null, width: null }]) {
      const dataset = await open({ ...whole, images: [own] });
      expect(await countsOf(dataset)).toEqual(right);
    }
    const wrong = await open({ ...whole, images: [{ ...image, height: 40 }] });
    await expect(countsOf(wrong)).rejects.toThrow("is 40x6 (height x width), its image 4x6");
  });

  test("LVIS: an address in place of a name", async () => {
    const { file_name, ...unnamed } = image;
    const images = [{ ...unnamed, coco_url: "http://images.example/val2017/a.png" }];
    expect(await countsOf(await open({ ...whole, images }))).toEqual(right);
    const { samples } = await open({ ...whole, images }, {}, ["a.png", "val2017/a.png"]);
    expect(samples[0]!.image).toMatch(/images\/val2017\/a\.png$/);
    await expect(open({ ...whole, images: [unnamed] })).rejects.toThrow("expected file_name for image 0");
  });

  test("NaN and Infinity are errors with their place; the words in texts are none", async () => {
    const text = '{"images": [],\n "info": "NaN \\" Infinity",\n "annotations": [{"area": -NaN}]}';
    await expect(open(text)).rejects.toThrow(
      "NaN at line 3, column 28 is no number of JSON; write 0 or null for it",
    );
    await expect(open('{"a": [1, Infinity]}')).rejects.toThrow("Infinity at line 1, column 11");
    await expect(open('{"a": "NaN"')).rejects.toThrow("is it truncated?");
  });

  test("a byte order mark and UTF-16 are read, other encodings refused", async () => {
    const json = JSON.stringify({ images: [image], categories: [{ id: 1, name: "café" }], ...whole });
    const utf16 = Buffer.from(`\ufeff${json}`, "utf16le");
    const files = { "8.json": `\ufeff${json}`, "16.json": utf16, "1.json": Buffer.from(json, "latin1") };
    const root = await fixture(files);
    for (const name of ["8.json", "16.json"]) {
      const { classes } = await coco(join(root, name), { split: "train", images: root });
      expect(classes[0]!.name).toBe("café");
    }
    await expect(coco(join(root, "1.json"), { split: "train", images: root })).rejects.toThrow(
      /expected text in utf-8, got other bytes in .*1\.json/,
    );
  });
});

describe("Roboflow's category 0", () => {
  const file = (names: string[]) => ({
    categories: names.map((name, id) => ({ id, name, supercategory: id === 0 ? "none" : names[0] })),
    annotations: [annotate([RING]), annotate([[4, 0, 6, 0, 6, 2, 4, 2]], { category_id: 2 })],
  });

  test("is no class where nothing is labelled with it", async () => {
    const dataset = await open(file(["leaf", "healthy", "ill"]));
    expect(dataset.classes.map(({ name }) => name)).toEqual(["healthy", "ill"]);
    expect(dataset.notes).toEqual(['"leaf" is a super-category without annotations and no class']);
    expect(await countsOf(dataset)).toEqual({ 0: 6, 1: 4, 255: 14 });
  });

  test("may share its name with a class", async () => {
    const dataset = await open(file(["leaf", "leaf", "ill"]));
    expect(dataset.classes.map(({ name }) => name)).toEqual(["leaf", "ill"]);
    expect(await countsOf(dataset)).toEqual({ 0: 6, 1: 4, 255: 14 });
  });

  test("is a class where it is used; other empty categories stay", async () => {
    const used = file(["leaf", "healthy", "ill"]);
    used.annotations.push(annotate([RING], { category_id: 0 }));
    expect((await open(used)).classes).toHaveLength(3);
    const empty = { ...file(["leaf", "healthy", "ill"]), annotations: [annotate([RING])] };
    expect((await open(empty)).classes.map(({ name }) => name)).toEqual(["healthy", "ill"]);
  });
});

test("cocoPanoptic(): ids as texts, back-slashes, images without size", async () => {
  const segments_info = [{ id: 7, category_id: "1" }];
  const file = {
    images: [{ id: "0", file_name: "sub\\a.png" }],
    categories: [thing],
    annotations: [{ image_id: "0", file_name: "sub\\a.png", segments_info }],
  };
  const root = await fixture({ "p.json": JSON.stringify(file) });
  for (const folder of ["images", "masks"]) mkdirSync(join(root, folder, "sub"), { recursive: true });
  writeFileSync(join(root, "images/sub/a.png"), picture);
  writeFileSync(join(root, "masks/sub/a.png"), encodePng(2, 8, 1, 2, [7, 0, 0, 0, 0, 0]));
  const folders = { images: join(root, "images"), masks: join(root, "masks") };
  const { samples } = await cocoPanoptic(join(root, "p.json"), { split: "train", ...folders });
  expect([...(await readLabel(samples[0]!.annotation!)).data]).toEqual([0, 255]);
});
