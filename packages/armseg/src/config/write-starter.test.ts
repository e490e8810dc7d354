import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodePng, fixture } from "../data/test-support.ts";
import { openData } from "./open-data.ts";
import { readConfig } from "./read-config.ts";
import { writeStarter } from "./write-starter.ts";

const IMAGES = ["a", "b", "c", "d"];
const SQUARE = [0, 0, 2, 0, 2, 2, 0, 2];

/** Images with a cat and a dog each. */
function cocoFile(images = IMAGES): string {
  return JSON.stringify({
    images: images.map((name, id) => ({ id, file_name: `${name}.png`, height: 4, width: 4 })),
    categories: [
      { id: 1, name: "cat" },
      { id: 2, name: "dog" },
    ],
    annotations: images.flatMap((_, image_id) => [
      { image_id, category_id: 1, segmentation: [SQUARE] },
      { image_id, category_id: 2, segmentation: [SQUARE.map((at) => at + 2)] },
    ]),
  });
}

const CVAT = `<annotations><meta><task><labels>${["cat", "dog"]
  .map((name) => `<label><name>${name}</name></label>`)
  .join("")}</labels></task></meta>${IMAGES.map(
  (name, id) =>
    `<image id="${id}" name="${name}.png" width="4" height="4"><polygon label="cat" points="0,0;2,0;2,2;0,2" z_order="0"/></image>`,
).join("")}</annotations>`;

const points = [0, 1, 2, 3].map((i) => [SQUARE[2 * i], SQUARE[2 * i + 1]]);
const labelmeFile = (name: string, label: string) =>
  JSON.stringify({
    version: "5.0",
    imagePath: `${name}.png`,
    imageHeight: 4,
    imageWidth: 4,
    shapes: [{ label, points, shape_type: "polygon" }],
  });

const image = encodePng(2, 8, 4, 4, new Uint8Array(48));
const images = (folder: string, names = IMAGES) =>
  Object.fromEntries(names.map((name) => [`${folder}/${name}.png`, image]));
const labelme = (folder: string) =>
  Object.fromEntries(
    IMAGES.map((name, i) => [`${folder}/${name}.json`, labelmeFile(name, i % 2 ? "cat" : "dog")]),
  );

const roboflow = {
  ...images("set/train"),
  "set/train/_annotations.coco.json": cocoFile(),
  ...images("set/valid", ["e"]),
  "set/valid/_annotations.coco.json": cocoFile(["e"]),
};

/** What init writes for some files, and the data sets that its configuration opens. */
/** Two processor cores. */
const MACHINE = { device: "cpu", rate: 12e9, precision: "float32", isMeasured: true } as const;

async function starter(
  files: Record<string, string | Uint8Array>,
  places: { images: string; annotations?: string; format?: "camvid" },
  options = {},
) {
  const root = await fixture(files);
  const at = (path: string) => join(root, path);
  const out = at("project");
  mkdirSync(out);
  const annotations = places.annotations;
  const written = await writeStarter(
    {
      ...places,
      images: at(places.images),
      ...(annotations !== undefined && { annotations: at(annotations) }),
    },
    { out, seed: 0, measure: async () => MACHINE, ...options },
  );
  const { data } = readConfig(written.files[0]!);
  const [train, val] = [await openData(data, "train"), await openData(data, "val")];
  return { ...written, root, data, train, val, text: readFileSync(written.files[0]!, "utf8") };
}

describe("writeStarter() recognises what it is given", () => {
  test.each([
    ["COCO", "coco", { ...images("p"), "a.json": cocoFile() }, { images: "p", annotations: "a.json" }],
    ["CVAT", "cvat", { ...images("p"), "a.xml": CVAT }, { images: "p", annotations: "a.xml" }],
    ["LabelMe", "labelme", { ...images("p"), ...labelme("j") }, { images: "p", annotations: "j" }],
    ["LabelMe beside its images", "labelme", { ...images("p"), ...labelme("p") }, { images: "p" }],
  ])("%s: classes by name, and two lists", async (_, format, files, places) => {
    const { data, train, val, files: written, sentences } = await starter(files, places);
    expect(data.format).toBe(format);
    expect(data.classes?.map(({ name }) => name)).toEqual(["cat", "dog"]);
    expect(written.map((file) => basename(file))).toEqual(["armseg.yaml", "train.txt", "val.txt"]);
    expect([train.samples.length, val.samples.length]).toEqual([3, 1]);
    expect(sentences.join(" ")).toMatch(/What no annotation covers is ignored.*`--background NAME`/);
  });

  test("Roboflow's folders: the splits are theirs, and there are no lists", async () => {
    const { files, train, val, sentences } = await starter(roboflow, { images: "set" });
    expect(files.map((file) => basename(file))).toEqual(["armseg.yaml"]);
    expect([train.samples.length, val.samples.length]).toEqual([4, 1]);
    expect(sentences.at(-1)).toBe("Split: the data set's own, 4 images for training and 1 for validation.");
  });

  test("a data set with fixed classes is its folder alone", async () => {
    const files = Object.fromEntries(
      ["train", "val"].flatMap((split) => [
        [`set/images/${split}/${split}.png`, image],
        [`set/labels/${split}/${split}.png`, encodePng(0, 8, 4, 4, new Uint8Array(16))],
      ]),
    );
    const { data, text } = await starter(files, { images: "set", format: "camvid" });
    expect(data.format).toBe("camvid");
    expect(text).not.toContain("classes:");
  });

  test("names give the order, a background the class of what nothing covers", async () => {
    const files = { ...images("p"), "a.json": cocoFile() };
    const places = { images: "p", annotations: "a.json" };
    const { train } = await starter(files, places, { names: ["dog", "cat"], background: "floor" });
    expect(train.classes.map(({ name }) => name)).toEqual(["floor", "dog", "cat"]);
    await expect(starter(files, places, { names: ["dog", "bird"] })).rejects.toThrow(
      "expected the names that the annotations have, in the order of the classes: cat, dog; got dog, bird",
    );
  });

  test("masks: paths follow the file, names are given", async () => {
    const masks = Object.fromEntries(
      IMAGES.map((name) => [
        `m/${name}.png`,
        encodePng(
          0,
          8,
          4,
          4,
          Uint8Array.from({ length: 16 }, (_, i) => i % 2),
        ),
      ]),
    );
    const { text, root, train } = await starter(
      { ...images("p"), ...masks },
      { images: "p", annotations: "m" },
      { names: ["soil", "crop"] },
    );
    expect(train.classes.map(({ name }) => name)).toEqual(["soil", "crop"]);
    expect(text).toContain(`images: ${join(root, "p")}`); // as it was given: absolute
    expect(text).toContain('list: "train.txt"');
  });
});

describe("writeStarter() says what it misses", () => {
  test.each([
    [
      { ...images("p") },
      { images: "p" },
      /expected annotations beside the images of .*p, found none: armseg init/,
    ],
    [
      { ...images("p"), "j/a.json": cocoFile() },
      { images: "p", annotations: "j" },
      /name a file of COCO or CVAT itself: .*a\.json/,
    ],
    [
      { ...images("p"), ...labelme("j") },
      { images: "p", annotations: "j/a.json" },
      /as LabelMe writes it: name its folder/,
    ],
    [
      { ...images("p"), "a.json": "{}" },
      { images: "p", annotations: "a.json" },
      /is none of these; --format says/,
    ],
    [{ ...images("p") }, { images: "p", annotations: "nowhere" }, /nowhere does not exist/],
  ])("%#", async (files, places, message) => {
    await expect(starter(files as Record<string, string | Uint8Array>, places)).rejects.toThrow(message);
  });
});
