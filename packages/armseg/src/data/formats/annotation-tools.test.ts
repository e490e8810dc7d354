import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readLabel } from "../labels/read-label.ts";
import { imageSize, readImage } from "../read-image.ts";
import type { Dataset } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { coco } from "./coco.ts";
import { cvat } from "./cvat.ts";
import { labelme } from "./labelme.ts";

async function labelsOf({ samples }: Dataset): Promise<number[][]> {
  return Promise.all(samples.map(async ({ annotation }) => [...(await readLabel(annotation!)).data]));
}

describe("named regions", () => {
  const ring = [0, 0, 2, 0, 2, 2, 0, 2];
  const file = {
    images: [
      { id: 7, file_name: "x.jpg", height: 2, width: 4 },
      { id: 8, file_name: "empty.jpg", height: 2, width: 4 },
    ],
    categories: [
      { id: 3, name: "cat" },
      { id: 9, name: "dog" },
    ],
    annotations: [
      { image_id: 7, category_id: 3, segmentation: [ring] },
      { image_id: 7, category_id: 9, segmentation: { size: [2, 4], counts: [2, 2, 4] } },
    ],
  };

  test("coco(): later covers earlier; the rest is ignored or a background class; labels can be merged", async () => {
    const root = await fixture({ "a.json": JSON.stringify(file) });
    const options = { split: "train", images: root };
    const plain = await coco(join(root, "a.json"), options);
    expect(await labelsOf(plain)).toEqual([[0, 1, 255, 255, 0, 1, 255, 255]]);
    expect(plain.notes).toEqual(["1 image without a label left out: empty.jpg"]);
    const background = await coco(join(root, "a.json"), { ...options, background: "nothing" });
    expect(background.classes.map(({ name }) => name)).toEqual(["nothing", "cat", "dog"]);
    expect(await labelsOf(background)).toEqual([[1, 2, 0, 0, 1, 2, 0, 0]]);
    const merged = await coco(join(root, "a.json"), { ...options, labels: { cat: "animal", dog: "ignore" } });
    expect(merged.classes.map(({ name }) => name)).toEqual(["animal"]);
    expect(await labelsOf(merged)).toEqual([[0, 255, 255, 255, 0, 255, 255, 255]]);
    const chosen = await coco(join(root, "a.json"), {
      ...options,
      classes: [{ name: "dog", color: [1, 2, 3] }],
    });
    await expect(labelsOf(chosen)).rejects.toThrow('label "cat" in');
    await expect(
      coco(join(root, "a.json"), { ...options, labels: { cat: "bird" }, classes: plain.classes }),
    ).rejects.toThrow('there is no class "bird"');
  });

  test("coco(): names of JavaScript's own are names like others", async () => {
    const odd = {
      ...file,
      categories: [
        { id: 3, name: "constructor" },
        { id: 9, name: "toString" },
      ],
    };
    const root = await fixture({ "a.json": JSON.stringify(odd) });
    const dataset = await coco(join(root, "a.json"), {
      split: "train",
      images: root,
      classes: [{ name: "toString", color: [0, 0, 0] }],
    });
    await expect(labelsOf(dataset)).rejects.toThrow('label "constructor" in');
  });

  test("coco(): an unknown category, a wrong form", async () => {
    const unknown = { ...file, annotations: [{ image_id: 7, category_id: 4, segmentation: [] }] };
    const root = await fixture({ "a.json": JSON.stringify(unknown), "b.json": '{"images": [' });
    const options = { split: "train", images: root };
    await expect(coco(join(root, "a.json"), options)).rejects.toThrow("annotation 0 of");
    await expect(coco(join(root, "b.json"), options)).rejects.toThrow("is not valid JSON");
  });

  test("labelme(): Windows paths, images elsewhere, __ignore__", async () => {
    const points = [
      [0, 0],
      [3, 0],
      [3, 1],
      [0, 1],
    ];
    const shapes = [
      { label: "b", points },
      {
        label: "a",
        points: [
          [0, 0],
          [1, 1],
        ],
        shape_type: "rectangle",
      },
      { label: "__ignore__", points: [[3, 0]], shape_type: "point" },
    ];
    const root = await fixture({
      "json/x.json": JSON.stringify({
        shapes,
        imagePath: "..\\images\\x.jpg",
        imageHeight: 2,
        imageWidth: 20,
      }),
      "json/lost.json": JSON.stringify({ shapes: [], imagePath: "lost.jpg" }),
      "images/x.jpg": "",
    });
    const dataset = await labelme(join(root, "json"), { split: "train" });
    expect(dataset.samples.map(({ image }) => image)).toEqual([join(root, "images/x.jpg")]);
    expect(dataset.classes.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(dataset.unpaired).toEqual(["lost.json"]);
    await expect(labelme(join(root, "images"), { split: "train" })).rejects.toThrow("0 JSON files");
  });

  describe("labelme(): shapes with another number of points than their type has", () => {
    /** The pixels of one shape in a picture of 60 by 60. */
    const pixelsOf = async (shape_type: string, points: number[][], mask?: string): Promise<number> => {
      const shape = { label: "a", shape_type, points, mask };
      const file = { shapes: [shape], imagePath: "x.png", imageHeight: 60, imageWidth: 60 };
      const root = await fixture({ "x.json": JSON.stringify(file), "x.png": encodePng(0, 8, 1, 1, [0]) });
      const [label] = await labelsOf(await labelme(root, { split: "train" }));
      return label!.filter((value) => value === 0).length;
    };
    const corners = [
      [10, 12],
      [40, 12],
      [40, 50],
      [10, 50],
    ];

    test("four corners of a rectangle, turned ones too, are the polygon", async () => {
      // 31 columns by 39 rows: borders are included.
      for (const points of [corners, [corners[0]!, corners[2]!]])
        expect(await pixelsOf("rectangle", points)).toBe(31 * 39);
      // A square on its corner, |x - 30| + |y - 30| <= 10.
      const turned = [
        [30, 20],
        [40, 30],
        [30, 40],
        [20, 30],
      ];
      expect(await pixelsOf("rectangle", turned)).toBe(221);
      expect(await pixelsOf("rotation", turned)).toBe(221);
    });

    test.each([
      ["rectangle", 1, "2"],
      ["rectangle", 3, "2"],
      ["rotation", 3, "4"],
      ["circle", 1, "2"],
      ["circle", 3, "2"],
      ["line", 1, "2"],
      ["line", 3, "2"],
      ["linestrip", 1, "at least 2"],
      ["polygon", 2, "at least 3"],
      ["polygon", 0, "at least 3"],
      ["point", 0, "1"],
      ["point", 2, "1"],
      ["points", 0, "at least 1"],
      ["mask", 1, "2"],
      ["mask", 3, "2"],
    ])("%s of %i points is an error that names it", async (type, count, expected) => {
      await expect(pixelsOf(type, corners.slice(0, count), "AA==")).rejects.toThrow(
        new RegExp(`shape 0 \\("a", ${type}\\) in .*x\\.json: expected ${expected} points, got ${count}`),
      );
    });
  });

  test("labelme(): two files with one image are a problem that names both", async () => {
    const file = JSON.stringify({ shapes: [], imagePath: "x.png" });
    const root = await fixture({
      "x.json": file,
      "copy of x.json": file,
      "x.png": encodePng(0, 8, 1, 1, [0]),
    });
    const { problems } = await labelme(root, { split: "train" });
    expect(problems).toEqual([
      {
        kind: "two labels for one image",
        sample: "copy of x",
        text: `${join(root, "x.png")} is labelled by ${join(root, "copy of x.json")} and by ${join(root, "x.json")}; delete one, or set its imagePath to its own image`,
      },
    ]);
  });

  describe("labelme(): the picture", () => {
    /** A picture of one colour: its red is how it is told which one was taken. */
    const picture = (red: number): Buffer =>
      Buffer.from(encodePng(2, 8, 2, 3, Array(6).fill([red, 7, 9]).flat()));
    const json = (imagePath: string, imageData?: string): string =>
      JSON.stringify({
        shapes: [
          {
            label: "a",
            points: [
              [0, 0],
              [1, 1],
            ],
            shape_type: "rectangle",
          },
        ],
        imagePath,
        imageData,
      });
    const embedded = picture(3).toString("base64");
    const redsOf = async (files: Record<string, string | Uint8Array>): Promise<number[]> => {
      const { samples } = await labelme(await fixture(files), { split: "train" });
      const images = await Promise.all(samples.map(({ image }) => readImage(image)));
      return images.map(({ data }) => data[0]!);
    };

    test("is the file that imagePath names, before the same name and the embedded one", async () => {
      const files = { "x.json": json("other.png", embedded), "other.png": picture(1), "x.png": picture(2) };
      expect(await redsOf(files)).toEqual([1]);
      expect(await imageSize(join(await fixture({ "x.json": json("", embedded) }), "x.json"))).toEqual([
        2, 3,
      ]);
    });

    test.each(["x.json", "x.txt", "missing.png", "folder", ""])(
      "is that of the same name, else the embedded one, where imagePath is %j",
      async (imagePath) => {
        const rest = { "x.txt": "no picture", "folder/y.txt": "" };
        expect(await redsOf({ ...rest, "x.json": json(imagePath, embedded), "x.png": picture(2) })).toEqual([
          2,
        ]);
        expect(await redsOf({ ...rest, "x.json": json(imagePath, embedded) })).toEqual([3]);
      },
    );

    test("is looked for in vain: the error names a JSON and the remedy", async () => {
      const root = await fixture({ "x.json": json("x.json") });
      await expect(labelme(root, { split: "train" })).rejects.toThrow(
        /1 JSON files in .*, but none leads to an image, e\.g\. x\.json: .*; set data\.images to the folder of the images, or save/,
      );
    });

    test("is embedded but damaged: the error names the JSON", async () => {
      const root = await fixture({ "x.json": json("x.json", "bm8gcGljdHVyZQ==") });
      const { samples } = await labelme(root, { split: "train" });
      await expect(readImage(samples[0]!.image)).rejects.toThrow(
        /cannot read the image in imageData of .*x\.json: .*; replace the file or leave it out/,
      );
    });
  });

  test("cvat(): key frames of a video are joined for boxes, refused for polygons", async () => {
    const box = (frame: number, x: number, outside = 0): string =>
      `<box frame="${frame}" outside="${outside}" xtl="${x}" ytl="0" xbr="${x + 2}" ybr="2"/>`;
    const xml = (shapes: string): string =>
      `<annotations><meta><task><labels><label><name>a</name><color>#ff8000</color></label></labels><original_size><width>8</width><height>2</height></original_size></task></meta><track id="0" label="a">${shapes}</track></annotations>`;
    const polygon = (frame: number): string => `<polygon frame="${frame}" outside="0" points="0,0;2,0;2,2"/>`;
    const root = await fixture({
      "a.xml": xml(box(0, 0) + box(4, 4) + box(5, 4, 1)),
      "b.xml": xml(polygon(0) + polygon(4)),
      "c.xml": '<!DOCTYPE x [<!ENTITY a "b">]><annotations/>',
      ...Object.fromEntries([0, 2, 4, 5].map((i) => [`frames/frame_00000${i}.png`, ""])),
    });
    const options = { split: "train", images: join(root, "frames"), background: "none" };
    const dataset = await cvat(join(root, "a.xml"), options);
    expect(dataset.classes[1]).toEqual({ name: "a", color: [255, 128, 0] });
    expect((await labelsOf(dataset)).map((label) => label.slice(0, 8).join(""))).toEqual([
      "11000000",
      "00110000",
      "00001100",
      "00000000",
    ]);
    await expect(cvat(join(root, "b.xml"), options)).rejects.toThrow(
      "key frames 0 and 4 of a polygon only; export it with interpolated frames",
    );
    await expect(cvat(join(root, "c.xml"), options)).rejects.toThrow("document type declaration");
  });
});
