import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { coco } from "../formats/coco.ts";
import { folder } from "../formats/folder.ts";
import { labelMapOf } from "../labels/class-labels.ts";
import type { Annotation, ClassInfo, Dataset } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { isUsable } from "./problems.ts";
import { type ScanResult, scan } from "./scan.ts";
import { scanText } from "./scan-text.ts";

const SIDE = 16;
const classes: readonly ClassInfo[] = [
  { name: "back", color: [0, 0, 0] },
  { name: "front", color: [255, 0, 0] },
];

/** A square of `inside` in `outside`, `SIDE` pixels wide. */
function square(outside: number, inside: number): number[] {
  return Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    return x >= 4 && x < 12 && y >= 4 && y < 12 ? inside : outside;
  });
}

const grey = (samples: number[], bits = 8): Uint8Array => encodePng(0, bits, SIDE, SIDE, samples);

function indexed(samples: number[], ...colors: readonly [number, number, number][]): Uint8Array {
  return encodePng(3, 8, SIDE, SIDE, samples, [{ type: "PLTE", body: Uint8Array.from(colors.flat()) }]);
}

interface Case {
  readonly masks: Record<string, Uint8Array>;
  readonly map: Record<string, string>;
  readonly encoding?: "values" | "colors";
  readonly classes?: readonly ClassInfo[];
  readonly threshold?: number;
  readonly transparent?: "ignore";
}

async function open({ masks, map, encoding = "values", ...rest }: Case): Promise<Dataset> {
  const image = await sharp({ create: { height: SIDE, width: SIDE, channels: 3, background: "#888" } })
    .png()
    .toBuffer();
  const files = Object.entries(masks).flatMap(([name, mask]) => [
    [`images/${name}.png`, image],
    [`masks/${name}.png`, mask],
  ]);
  const root = await fixture(Object.fromEntries(files));
  const known = rest.classes ?? classes;
  return folder({
    split: "train",
    images: join(root, "images"),
    masks: join(root, "masks"),
    labelMap: labelMapOf(encoding, map, known),
    ...rest,
    classes: known,
  });
}

async function problems(it: Case): Promise<[string, string][]> {
  const result = await scan(await open(it));
  return result.problems.map(({ kind, severity }) => [severity, kind]);
}

function textOf(result: ScanResult): string {
  return result.problems.flatMap(({ examples }) => examples).join("\n");
}

const BLACK = [0, 0, 0] as [number, number, number];
const RED = [255, 0, 0] as [number, number, number];
const GREEN = [0, 255, 0] as [number, number, number];

describe("palettes that differ from file to file", () => {
  const masks = {
    a: indexed(square(0, 1), BLACK, RED),
    b: indexed(square(1, 0), RED, BLACK),
    c: indexed(square(0, 1), BLACK, RED),
  };

  test("are told, with the colours and files of each index", async () => {
    const result = await scan(await open({ masks, map: { 0: "back", 1: "front" } }));
    expect(result.problems).toMatchObject([
      { kind: "one index, several colours", severity: "warning", count: 2, samples: ["a", "b"] },
    ]);
    expect(textOf(result)).toMatch(
      /index 0 is 0,0,0 in .*a\.png and 1 more, 255,0,0 in .*b\.png; .*set labels.encoding: colors/,
    );
  });

  test("are right by colour", async () => {
    const map = { "0,0,0": "back", "255,0,0": "front" };
    const result = await scan(await open({ masks, map, encoding: "colors" }));
    expect(result.problems).toEqual([]);
    expect(result.classes.map(({ pixels }) => pixels)).toEqual([3 * 192, 3 * 64]);
  });

  test("colours of indices that no pixel has do not count", async () => {
    const same = { a: indexed(square(0, 1), BLACK, RED, GREEN), b: indexed(square(0, 1), BLACK, RED) };
    expect(await problems({ masks: same, map: { 0: "back", 1: "front" } })).toEqual([]);
  });
});

describe("two-valued masks", () => {
  const map = { 0: "back", 1: "front", 255: "ignore" };
  const deep = { a: grey(square(0, 255)), b: grey(square(0, 1), 1) };

  test("of 1 bit beside 8 bits are an error that names both", async () => {
    const result = await scan(await open({ masks: deep, map }));
    expect(result.problems).toMatchObject([{ kind: "masks of several bit depths", severity: "error" }]);
    expect(textOf(result)).toMatch(/white is 1 in .*b\.png, 255 in .*a\.png; .*labels\.threshold/);
    expect(isUsable(result, "reading")).toBe(false);
  });

  test("of two depths are right by a threshold, or with both values in one class", async () => {
    const result = await scan(await open({ masks: deep, map: { 0: "back", 255: "front" }, threshold: 128 }));
    expect(result.problems).toEqual([]);
    expect(result.classes.map(({ pixels }) => pixels)).toEqual([2 * 192, 2 * 64]);
    expect(await problems({ masks: deep, map: { 0: "back", 1: "front", 255: "front" } })).toEqual([]);
  });

  test("a 1-bit mask that is all black looks alike in every depth", async () => {
    const masks = { a: grey(square(0, 1)), b: grey(square(0, 0), 1) };
    expect(await problems({ masks, map })).toEqual([]);
  });

  test("of 0 and 1 beside 0 and 255 are told", async () => {
    const masks = { a: grey(square(0, 255)), b: grey(square(0, 1)) };
    expect(await problems({ masks, map })).toEqual([["warning", "two-valued masks of two kinds"]]);
    // Where one file has both, 255 cannot be the foreground.
    const both = { ...masks, c: grey([255, ...square(0, 1).slice(1)]) };
    expect(await problems({ masks: both, map })).toEqual([]);
  });

  test("white that is ignored is told", async () => {
    const result = await scan(
      await open({ masks: { a: grey(square(0, 255)) }, map: { 0: "back", 255: "ignore" } }),
    );
    expect(result.problems.map(({ kind }) => kind)).toEqual(["white is ignored", "class without a pixel"]);
    expect(textOf(result)).toContain("the masks hold 0, 255 only");
  });
});

test("smoothed masks are told, unless a threshold reads them or their mixtures are ignored", async () => {
  const soft = await sharp(Uint8Array.from(square(0, 255)), {
    raw: { height: SIDE, width: SIDE, channels: 1 },
  })
    .resize(64, 64, { kernel: "linear" })
    .toColourspace("b-w")
    .png()
    .toBuffer();
  const levels = [...new Set(await sharp(soft).toColourspace("b-w").raw().toBuffer())];
  expect(levels.length).toBeGreaterThan(5);
  const image = await sharp({ create: { height: 64, width: 64, channels: 3, background: "#888" } })
    .png()
    .toBuffer();
  const root = await fixture({ "a.png": image, "soft.png": soft });
  const scanned = (map: Record<string, string>, rest: Partial<Annotation> = {}) =>
    scan({
      name: "soft",
      split: "train",
      classes,
      notes: [],
      samples: [
        {
          name: "a",
          image: join(root, "a.png"),
          annotation: {
            kind: "mask",
            path: join(root, "soft.png"),
            labelMap: labelMapOf("values", map, classes),
            ...rest,
          } as Annotation,
        },
      ],
    });
  const ends = { 0: "back", 255: "front" };
  const each = (name: string) => Object.fromEntries(levels.map((level) => [level, name]));
  const told = await scanned({ ...each("front"), ...ends });
  expect(told.problems).toMatchObject([{ kind: "smoothed masks", severity: "warning" }]);
  expect(textOf(told)).toMatch(/occur at borders only, .*soft\.png.*labels\.threshold/);
  expect((await scanned({ ...each("ignore"), ...ends })).problems).toEqual([]);
  expect((await scanned(ends, { threshold: 128 })).problems).toEqual([]);
});

test("grey masks beside indexed ones of other colours are told", async () => {
  const map = { 0: "back", 1: "front" };
  const masks = { a: grey(square(0, 1)), b: indexed(square(0, 1), BLACK, RED) };
  expect(await problems({ masks, map })).toEqual([["warning", "grey and indexed masks"]]);
  const alike = { a: grey(square(0, 1)), b: indexed(square(0, 1), BLACK, [1, 1, 1]) };
  expect(await problems({ masks: alike, map })).toEqual([]);
});

test("colour under alpha 0 is counted and told, unless it is ignored", async () => {
  const rgba = encodePng(
    6,
    8,
    SIDE,
    SIDE,
    square(0, 1).flatMap((v, i) => [255 * v, 0, 0, i < 10 ? 0 : 255]),
  );
  const it = {
    masks: { a: rgba },
    map: { "0,0,0": "back", "255,0,0": "front" },
    encoding: "colors",
  } as const;
  const result = await scan(await open(it));
  expect(result.problems).toMatchObject([
    { kind: "transparent pixels count as classes", severity: "warning" },
  ]);
  expect(textOf(result)).toMatch(/a\.png: 10 pixels are transparent.* labels\.transparent: ignore/);
  const ignoring = await scan(await open({ ...it, transparent: "ignore" }));
  expect(ignoring.problems).toEqual([]);
  expect(ignoring.values).toContainEqual({ value: "(transparent)", label: 255, pixels: 10 });
  expect(await problems({ ...it, map: { "0,0,0": "ignore", "255,0,0": "front" } })).toEqual([
    ["training error", "class without a pixel"],
  ]);
});

test("a single class cannot be trained on, but read", async () => {
  const it = {
    masks: { a: grey(square(255, 1)) },
    map: { 1: "front", 255: "ignore" },
    classes: classes.slice(1),
  };
  const result = await scan(await open(it));
  expect(result.problems).toMatchObject([{ kind: "a single class", severity: "training error" }]);
  expect(textOf(result)).toContain("front is the only class");
  expect(textOf(result)).toContain("data.background");
  expect([isUsable(result, "training"), isUsable(result, "reading")]).toEqual([false, true]);
  expect(scanText(result, "reading")).toContain("warning: a single class");
});

test("a split in which nothing is valid can be neither trained on nor scored", async () => {
  const map = { 0: "back", 1: "front", 255: "ignore" };
  const dataset = await open({ masks: { a: grey(square(255, 255)), b: grey(square(255, 255)) }, map });
  const result = await scan(dataset);
  expect(result.problems.map(({ kind, severity }) => [severity, kind])).toContainEqual([
    "error",
    "no valid pixel in the whole split",
  ]);
  expect(isUsable(result, "reading")).toBe(false);
  const unlabelled = dataset.samples.map(({ name, image }) => ({ name, image }));
  const without = await scan({ ...dataset, samples: unlabelled });
  expect(textOf(without)).toContain("no sample of train has a label");
  expect(isUsable(without, "reading")).toBe(false);
});

test("256 classes do not fit, nor does one class twice", async () => {
  const many = Array.from({ length: 256 }, (_, i): ClassInfo => ({ name: `c${i}`, color: [i, 0, 0] }));
  const it = { masks: { a: grey(square(0, 1)) }, map: {} };
  await expect(open({ ...it, classes: many })).rejects.toThrow("expected at most 255 classes, got 256 in ");
  await expect(open({ ...it, classes: [many[0]!, many[0]!] })).rejects.toThrow('got "c0" twice');
  expect((await open({ ...it, classes: many.slice(1) })).classes).toHaveLength(255);
});

test("files of types that are not read are noted", async () => {
  const image = await sharp({ create: { height: 1, width: 1, channels: 3, background: "#888" } })
    .png()
    .toBuffer();
  const root = await fixture({
    "i/0.png": image,
    "i/1.bmp": "BM",
    "m/0.png": grey(square(0, 1)),
    "m/1.png": grey(square(0, 1)),
    "m/2.tif": "II*\0",
    "g/0.gif": "GIF89a",
  });
  const options = {
    split: "train",
    images: join(root, "i"),
    classes,
    labelMap: labelMapOf("values", {}, classes),
  };
  const { notes } = await folder({ ...options, masks: join(root, "m") });
  expect(notes).toContainEqual(
    "1 file of types that are not read: 1.bmp; images are read as JPEG, PNG, WebP, TIFF and GIF: convert these",
  );
  expect(notes.join()).toContain("2.tif; masks are read as PNG");
  await expect(folder({ ...options, masks: join(root, "g") })).rejects.toThrow(
    /0\.gif; masks are read as PNG/,
  );
});

describe("EXIF orientation", () => {
  const [height, width] = [48, 64];

  /** A bright square near the upper left corner of the stored pixels, and its mask. */
  function stored(sides: readonly [number, number]): { image: Uint8Array; mask: Uint8Array } {
    const mask = new Uint8Array(sides[0] * sides[1]);
    for (let y = 4; y < 20; y++) for (let x = 6; x < 30; x++) mask[y * sides[1] + x] = 1;
    return { mask, image: Uint8Array.from(mask, (v) => (v ? 220 : 30)) };
  }

  async function found(orientation: number, turnMask: boolean): Promise<ScanResult> {
    const sides = orientation > 4 ? ([64, 64] as const) : ([height, width] as const);
    const { image, mask } = stored(sides);
    const raw = { height: sides[0], width: sides[1], channels: 1 } as const;
    const jpeg = await sharp(image, { raw }).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
    // What a person labels who sees the image upright.
    const upright = await sharp(await sharp(mask, { raw }).withMetadata({ orientation }).tiff().toBuffer(), {
      autoOrient: true,
    })
      .toColourspace("b-w")
      .raw()
      .toBuffer();
    const root = await fixture({
      "a.jpg": jpeg,
      "m.png": encodePng(0, 8, sides[0], sides[1], turnMask ? upright : mask),
    });
    const labelMap = labelMapOf("values", { 0: "back", 1: "front" }, classes);
    const annotation = { kind: "mask", path: join(root, "m.png"), labelMap } as const;
    const samples = [{ name: "a", image: join(root, "a.jpg"), annotation }];
    return scan({ name: "exif", split: "train", classes, notes: [], samples });
  }

  test.each([2, 3, 4, 5, 6, 7, 8])(
    "%i: a mask of the stored pixels is told, one of the shown image is not",
    async (orientation) => {
      const raw = await found(orientation, false);
      // Turned about its diagonal, 5 leaves nothing that would differ in a symmetric image; this one is not.
      expect(raw.problems).toMatchObject([
        { kind: "label and image turned differently", severity: "warning" },
      ]);
      expect(textOf(raw)).toMatch(
        new RegExp(
          `a\\.jpg is turned by its EXIF orientation \\(${orientation}\\), .*m\\.png is not and fits .*exiftool`,
        ),
      );
      expect((await found(orientation, true)).problems).toEqual([]);
    },
  );

  test("1 is nothing to tell", async () => {
    expect((await found(1, false)).problems).toEqual([]);
  });
});

test("a COCO file of 256 categories is refused when it is opened, not wrapped around in bytes", async () => {
  const categories = Array.from({ length: 256 }, (_, i) => ({ id: i + 1, name: `thing${i}` }));
  const images = [{ id: 1, file_name: "a.jpg", height: 2, width: 2 }];
  const segmentation = [[0, 0, 2, 0, 2, 1, 0, 1]];
  const annotations = [{ id: 1, image_id: 1, category_id: 256, iscrowd: 0, area: 2, segmentation }];
  const root = await fixture({ "a.json": JSON.stringify({ images, categories, annotations }), "a.jpg": "" });
  const options = { split: "train", images: root };
  await expect(coco(join(root, "a.json"), options)).rejects.toThrow(
    /expected at most 255 classes, got 256 in .*a\.json/,
  );
  const labels = { thing0: "ignore" };
  expect((await coco(join(root, "a.json"), { ...options, labels })).classes).toHaveLength(255);
});
