import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { coco } from "../formats/coco.ts";
import { folder } from "../formats/folder.ts";
import { labelme } from "../formats/labelme.ts";
import { readNames } from "../formats/list-files.ts";
import { proposeConfig } from "../init.ts";
import { labelMapOf } from "../labels/class-labels.ts";
import { misplaced } from "../labels/misplaced.ts";
import type { Dataset } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { scan } from "./scan.ts";

const SIDE = 16;
const picture = encodePng(0, 8, SIDE, SIDE, new Array(SIDE * SIDE).fill(90));

interface CocoCase {
  readonly categories?: readonly string[];
  readonly name?: string;
  readonly file?: string;
}

/** A COCO file of one image; annotation i is of category i. */
async function openCoco(
  rings: readonly number[][],
  { categories = ["x", "y"], name = "a.png", file = name }: CocoCase = {},
): Promise<Dataset> {
  const content = {
    images: [{ id: 1, file_name: name, height: SIDE, width: SIDE }],
    categories: categories.map((category, id) => ({ id, name: category })),
    annotations: rings.map((ring, id) => ({ id, image_id: 1, category_id: id, segmentation: [ring] })),
  };
  const root = await fixture({ "a.json": JSON.stringify(content), [`i/${file}`]: picture });
  return coco(join(root, "a.json"), { split: "train", images: join(root, "i"), background: "rest" });
}

const GOOD = [1, 1, 9, 1, 9, 9];
const SECOND = [9, 9, 12, 9, 12, 12];

async function problemsOf(dataset: Dataset): Promise<[string, string][]> {
  const { problems } = await scan(dataset);
  return problems.map(({ kind, examples }) => [kind, examples[0]!]);
}

describe("shapes that are not in their image", () => {
  test("made for another size", async () => {
    const problems = await problemsOf(await openCoco([[100, 100, 140, 100, 140, 140], GOOD]));
    expect(problems[0]).toEqual([
      "shape that is not in its image",
      expect.stringMatching(
        /a\.json: a shape of "x" lies at 100 to 140 across and 100 to 140 down, outside its image of 16 by 16 pixels; was it made for another size\?/,
      ),
    ]);
  });

  test("in shares of the image", async () => {
    const problems = await problemsOf(
      await openCoco([
        [0.1, 0.1, 0.9, 0.1, 0.9, 0.9],
        [0.2, 0.2, 0.7, 0.2, 0.7, 0.7],
      ]),
    );
    expect(problems[0]![1]).toMatch(
      /"x" lies at 0\.1 to 0\.9 .*less than a pixel; are .* shares .*\(and 1 more\)/,
    );
  });

  test("of LabelMe, where they are read with the label", async () => {
    const points = [
      [40, 40],
      [60, 40],
      [60, 60],
    ];
    const shapes = [{ label: "x", points, shape_type: "polygon" }];
    const file = { shapes, imagePath: "a.png", imageHeight: SIDE, imageWidth: SIDE };
    const root = await fixture({ "a.png": picture, "a.json": JSON.stringify(file) });
    const problems = await problemsOf(await labelme(root, { split: "train", background: "rest" }));
    expect(problems[0]![0]).toBe("shape that is not in its image");
  });

  test.each([
    ["outside", { top: 100, left: 100, height: 2, width: 8 }],
    ["reaching beyond the image", { top: 10, left: 10, height: 2, width: 8 }],
    ["larger than the image", { top: 2, left: 2, height: 40, width: 40 }],
  ])("a mask in a box %s", (_, box) => {
    const shape = { kind: "rle", counts: [0, box.height * box.width], isRowMajor: true, ...box } as const;
    expect(misplaced({ label: "x", shape }, [SIDE, SIDE])).toMatch(
      /is a mask at \d+ to \d+ across and \d+ to \d+ down, beyond its image of 16 by 16 pixels/,
    );
    const inside = { ...shape, top: 7, left: 9, height: 10, width: 7, counts: [0, 70] };
    expect(misplaced({ label: "x", shape: inside }, [SIDE, SIDE])).toBeUndefined();
  });

  test.each([
    ["partly outside", [-5, -5, 9, -5, 9, 9]],
    ["at the last pixel", [15, 15, 16, 15, 16, 16]],
    ["thin", [3, 3, 3.5, 3, 3.5, 9]],
  ])("%s is no such shape", (_, ring) => {
    expect(
      misplaced({ label: "x", shape: { kind: "polygon", rings: [ring] } }, [SIDE, SIDE]),
    ).toBeUndefined();
  });
});

test("a polygon inside another of its annotation is told: a hole would be filled", async () => {
  const outer = [1, 1, 13, 1, 13, 13, 1, 13];
  const hole = [4, 4, 8, 4, 8, 8, 4, 8];
  const segmentation = async (...rings: number[][]) => {
    const content = {
      images: [{ id: 1, file_name: "a.png", height: SIDE, width: SIDE }],
      categories: [{ id: 1, name: "x" }],
      annotations: [{ id: 5, image_id: 1, category_id: 1, segmentation: rings }],
    };
    const root = await fixture({ "a.json": JSON.stringify(content), "i/a.png": picture });
    const options = { split: "train", images: join(root, "i"), background: "rest" };
    return problemsOf(await coco(join(root, "a.json"), options));
  };
  expect(await segmentation(outer, hole)).toEqual([
    [
      "polygon inside another of its annotation",
      expect.stringMatching(/^a\.png, annotation 5 \("x"\); polygons of one annotation join/),
    ],
  ]);
  expect(await segmentation(hole, outer)).toHaveLength(1);
  // Two parts of an object; an L around a box, whose corner is outside the L.
  expect(await segmentation([1, 1, 4, 1, 4, 4], [6, 6, 9, 6, 9, 9])).toEqual([]);
  expect(await segmentation([0, 0, 14, 0, 14, 2, 2, 2, 2, 14, 0, 14], [4, 4, 8, 4, 8, 8])).toEqual([]);
  expect(await segmentation(outer, outer)).toEqual([]);
});

test("a name of which later shapes leave nothing", async () => {
  const small = [4, 4, 8, 4, 8, 8, 4, 8];
  const large = [1, 1, 13, 1, 13, 13, 1, 13];
  expect((await problemsOf(await openCoco([small, large])))[0]).toEqual([
    "shapes beneath others",
    expect.stringMatching(
      /a\.json: nothing is left of "x", which later shapes cover; draw large areas first/,
    ),
  ]);
  expect(await problemsOf(await openCoco([large, small]))).toEqual([]);
});

test("an index that its palette has no colour for is not taken for black", async () => {
  const classes = [
    { name: "a", color: [9, 9, 9] },
    { name: "b", color: [0, 0, 0] },
  ] as const;
  const palette = [{ type: "PLTE", body: Uint8Array.of(9, 9, 9) }];
  const root = await fixture({
    "i/a.png": encodePng(2, 8, 1, 2, new Array(6).fill(90)),
    "m/a.png": encodePng(3, 8, 1, 2, [0, 1], palette),
  });
  const dataset = await folder({
    split: "train",
    images: join(root, "i"),
    masks: join(root, "m"),
    classes,
    labelMap: labelMapOf("colors", { "9,9,9": "a", "0,0,0": "b" }, classes),
  });
  expect((await problemsOf(dataset))[0]).toEqual([
    "value outside the label map",
    expect.stringContaining("index 1, for which the palette has no colour, in "),
  ]);
});

test("init names the labels of other kinds in a folder without masks", async () => {
  const root = await fixture({ "i/a.png": picture, "l/a.txt": "0 0.1 0.1 0.9 0.1 0.9 0.9" });
  await expect(proposeConfig(join(root, "i"), join(root, "l"))).rejects.toThrow(
    `0 PNG masks in ${join(root, "l")}, but none share a name. 1 file of other types: a.txt; convert`,
  );
});

describe("masks that number the objects of each image", () => {
  const names = Array.from({ length: 13 }, (_, i) => `value${i}`);
  /** A data set of one mask per list of values, each value a row. */
  async function openMasks(masks: readonly (readonly number[])[], map?: Record<string, string>) {
    const files = masks.flatMap((values, i) => {
      const rows = Array.from({ length: SIDE * SIDE }, (_, at) => values[Math.floor(at / SIDE)] ?? 0);
      return [
        [`i/${i}.png`, picture],
        [`m/${i}.png`, encodePng(0, 8, SIDE, SIDE, rows)],
      ];
    });
    const root = await fixture(Object.fromEntries(files));
    const classes = names.map((name) => ({ name, color: [0, 0, 0] as const }));
    const identity = Object.fromEntries(names.map((name, i) => [i, name]));
    const [images, folders] = [join(root, "i"), join(root, "m")];
    const dataset = await folder({
      split: "train",
      images,
      masks: folders,
      classes,
      labelMap: labelMapOf("values", map ?? identity, classes),
    });
    const found = (await problemsOf(dataset)).filter(([kind]) => kind === "masks that number objects");
    return { found, sentences: (await proposeConfig(images, folders)).sentences };
  }
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

  test("are told by the check and by init", async () => {
    const { found, sentences } = await openMasks([3, 12, 5, 7, 4].map(upTo));
    expect(found).toEqual([
      [
        "masks that number objects",
        expect.stringMatching(/1 to n without a gap, with n from 3 to 12 \(.*m\/1\.png\)/),
      ],
    ]);
    expect(sentences).toContainEqual(expect.stringMatching(/^Warning: the values of each mask are 1 to n/));
  });

  test.each([
    ["a class that is not there", [upTo(3), upTo(12), upTo(5), [1, 2, 4], upTo(7), upTo(4)]],
    ["about as many in each", [10, 11, 12, 9, 8].map(upTo)],
    ["few masks", [3, 12, 5, 7].map(upTo)],
    ["few values", [1, 2, 3, 4, 5].map(upTo)],
  ])("%s is of classes", async (_, masks) => {
    const { found, sentences } = await openMasks(masks);
    expect(found).toEqual([]);
    expect(sentences.filter((text) => text.startsWith("Warning"))).toEqual([]);
  });

  test("whose numbers are all mapped to one class are known to their reader", async () => {
    const map = { 0: "value0", ...Object.fromEntries(upTo(12).map((value) => [value, "value1"])) };
    expect((await openMasks([3, 12, 5, 7, 4].map(upTo), map)).found).toEqual([]);
  });
});

test("names that differ in case, spaces and dashes only", async () => {
  const named = (...categories: string[]) => openCoco([GOOD, SECOND], { categories }).then(problemsOf);
  expect(await named("Car", "car ")).toEqual([
    ["names that look alike", expect.stringMatching(/"Car" and "car " are classes .*labels\.map/)],
  ]);
  expect(await named("traffic_light", "Traffic light")).toHaveLength(1);
  expect(await named("car", "cars")).toEqual([]);
});

test("file names that are written as in an address", async () => {
  expect(
    await problemsOf(await openCoco([GOOD, SECOND], { name: "a%20%C3%BC.png", file: "a ü.png" })),
  ).toEqual([]);
  // A percent sign may be the name's own.
  expect(await problemsOf(await openCoco([GOOD, SECOND], { name: "10%20.png" }))).toEqual([]);
  expect(await problemsOf(await openCoco([GOOD, SECOND], { name: "10%.png" }))).toEqual([]);
});

test.each(["gif", "tiff", "webp"] as const)(
  "of a %s of several pages the first is read, and told",
  async (type) => {
    const pages = Buffer.concat([Buffer.alloc(SIDE * SIDE * 3, 10), Buffer.alloc(SIDE * SIDE * 3, 200)]);
    const raw = { height: 2 * SIDE, width: SIDE, channels: 3, pageHeight: SIDE } as const;
    const image = await sharp(pages, { raw }).toFormat(type).toBuffer();
    const mask = encodePng(
      0,
      8,
      SIDE,
      SIDE,
      Array.from({ length: SIDE * SIDE }, (_, i) => i % 2),
    );
    const root = await fixture({ [`i/a.${type}`]: image, "m/a.png": mask });
    const classes = [
      { name: "a", color: [0, 0, 0] },
      { name: "b", color: [9, 0, 0] },
    ] as const;
    const dataset = await folder({
      split: "train",
      images: join(root, "i"),
      masks: join(root, "m"),
      classes,
      labelMap: labelMapOf("values", { 0: "a", 1: "b" }, classes),
    });
    expect(await problemsOf(dataset)).toEqual([
      ["image of several pages", expect.stringContaining("has 2 pages or frames; the first is read")],
    ]);
  },
);

test("names of lists may begin with a hash; comments have a space after it", async () => {
  const root = await fixture({ "l.txt": "# a comment\n#1\n#\nb\r\n" });
  expect(await readNames(join(root, "l.txt"))).toEqual(["#1", "b"]);
});

test("a value that is mapped twice, in two spellings", () => {
  const classes = [{ name: "a", color: [0, 0, 0] }] as const;
  expect(() => labelMapOf("values", { "1": "a", "01": "ignore" }, classes)).toThrow(
    'labels.map has "01", which is there already in another spelling',
  );
  expect(() => labelMapOf("colors", { "#ff0000": "a", "255, 0, 0": "ignore" }, classes)).toThrow("255, 0, 0");
});
