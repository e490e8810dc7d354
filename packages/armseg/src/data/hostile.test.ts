import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { DataError } from "./data-error.ts";
import { cityscapesAnnotation } from "./formats/cityscapes.ts";
import { coco } from "./formats/coco.ts";
import { cvat } from "./formats/cvat.ts";
import { labelme } from "./formats/labelme.ts";
import { readLabel } from "./labels/read-label.ts";
import { readImage } from "./read-image.ts";
import type { Dataset } from "./sample.ts";
import { encodePng, fixture, withRightChecksums } from "./test-support.ts";
import { readWeights } from "./weights.ts";

/** What happens to a file on its way: cut short, or some bytes changed. */
type Damage = { cut: number } | { flips: [number, number][] };
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ cut: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }) }),
  fc.record({
    flips: fc.array(
      fc.tuple(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.integer({ min: 1, max: 255 }),
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    ) as fc.Arbitrary<[number, number][]>,
  }),
);

function damaged(bytes: Uint8Array, how: Damage): Uint8Array {
  if ("cut" in how) return bytes.subarray(0, Math.floor(how.cut * bytes.length));
  const out = Uint8Array.from(bytes);
  for (const [at, mask] of how.flips) out[Math.floor(at * bytes.length)]! ^= mask;
  return out;
}

let folder: string;

/** Damaged or not, a file is read as a valid image or refused by an error that names it. */
async function survives(
  name: string,
  original: Uint8Array,
  read: (path: string) => Promise<void>,
  numRuns: number,
  repair: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Promise<void> {
  const path = join(folder, name);
  await fc.assert(
    fc.asyncProperty(damage, async (how) => {
      writeFileSync(path, repair(damaged(original, how)));
      try {
        await read(path);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        expect((error as DataError).message).toContain(folder);
      }
    }),
    { numRuns },
  );
}

function isValid(image: { height: number; width: number; data: ArrayLike<number> }, channels: number): void {
  expect(image.data.length).toBe(image.height * image.width * channels);
}

const values = {
  encoding: "values",
  classes: Object.fromEntries(Array.from({ length: 256 }, (_, i) => [i, i])),
} as const;

async function readMask(path: string): Promise<void> {
  isValid(await readLabel({ kind: "mask", path, labelMap: values }), 1);
}
async function readPicture(path: string): Promise<void> {
  isValid(await readImage(path, { maxPixels: 1e7 }), 3);
}
async function readAll(dataset: Dataset): Promise<void> {
  for (const { annotation } of dataset.samples) isValid(await readLabel(annotation!), 1);
}

const ring = [3, 3, 40, 5, 30, 40];
const points = [
  [3, 3],
  [40, 5],
  [30, 40],
];

describe("damaged files", () => {
  beforeAll(async () => {
    folder = await fixture({ "picture.jpg": "", "shapes/picture.jpg": "" });
  });

  const smooth = Uint8Array.from({ length: 48 * 64 }, (_, i) => ((i >> 3) + (i >> 8)) & 255);
  const palette = { type: "PLTE", body: new Uint8Array(768) };

  test("grey, palette, 16-bit and RGB PNG labels", async () => {
    await survives("grey.png", encodePng(0, 8, 48, 64, smooth), readMask, 150);
    await survives(
      "palette.png",
      encodePng(
        3,
        4,
        48,
        64,
        smooth.map((v) => v & 15),
        [palette],
      ),
      readMask,
      100,
    );
    await survives("deep.png", encodePng(0, 16, 48, 64, smooth), readMask, 75);
    await survives("rgb.png", encodePng(2, 8, 32, 32, smooth), readMask, 75);
  });

  test("interlaced PNG labels", async () => {
    const png = await sharp(smooth, { raw: { height: 48, width: 64, channels: 1 } })
      .png({ progressive: true })
      .toBuffer();
    await survives("interlaced.png", png, readMask, 100);
  });

  test("PNG labels whose checksums are right all the same", async () => {
    const formats = [
      encodePng(0, 8, 48, 64, smooth),
      encodePng(3, 8, 48, 64, smooth, [palette]),
      encodePng(2, 16, 24, 32, smooth),
    ];
    for (const png of formats) await survives("repaired.png", png, readMask, 150, withRightChecksums);
  });

  test("JPEG and PNG pictures", async () => {
    const picture = sharp(smooth, { raw: { height: 32, width: 32, channels: 3 } });
    await survives("picture-a.jpg", await picture.clone().jpeg().toBuffer(), readPicture, 150);
    await survives("picture-b.png", await picture.clone().png().toBuffer(), readPicture, 75);
  });

  test("polygon JSON: Cityscapes, LabelMe, COCO", async () => {
    const city = { imgHeight: 48, imgWidth: 64, objects: [{ label: "road", polygon: points }] };
    await survives(
      "city.json",
      Buffer.from(JSON.stringify(city)),
      async (path) => isValid(await readLabel(cityscapesAnnotation(path, "polygons")), 1),
      100,
    );
    const shapes = {
      shapes: [{ label: "a", points, shape_type: "polygon" }],
      imagePath: "picture.jpg",
      imageHeight: 48,
      imageWidth: 64,
    };
    const readShapes = async (path: string): Promise<void> =>
      readAll(await labelme(join(path, ".."), { split: "train" }));
    await survives("shapes/a.json", Buffer.from(JSON.stringify(shapes)), readShapes, 50);
    const runs = { image_id: 1, category_id: 1, segmentation: { size: [48, 64], counts: "0P`0P]2" } };
    const things = { image_id: 1, category_id: 1, segmentation: [ring] };
    const file = {
      images: [{ id: 1, file_name: "picture.jpg", height: 48, width: 64 }],
      categories: [{ id: 1, name: "a" }],
      annotations: [things, runs],
    };
    await survives(
      "coco.json",
      Buffer.from(JSON.stringify(file)),
      async (path) => readAll(await coco(path, { split: "train", images: folder })),
      100,
    );
  });

  test("CVAT XML", async () => {
    const xml = `<?xml version="1.0"?><annotations><meta><task><labels><label><name>a</name></label></labels></task></meta><image id="0" name="picture.jpg" width="64" height="48"><polygon label="a" points="3,3;40,5;30,40" z_order="1"/><mask label="a" rle="3, 5, 7, 10" left="7" top="8" width="5" height="5" z_order="0"/><box label="a" xtl="1" ytl="2" xbr="9" ybr="9"/></image></annotations>`;
    await survives(
      "cvat.xml",
      Buffer.from(xml),
      async (path) => readAll(await cvat(path, { split: "train", images: folder })),
      150,
    );
    const video = `<annotations><meta><task><frame_filter>step=3</frame_filter><labels><label><name>a</name></label></labels><original_size><width>64</width><height>48</height></original_size></task></meta><track id="0" label="a"><box frame="1" outside="0" xtl="1" ytl="2" xbr="9" ybr="9"/><box frame="7" outside="0" xtl="3" ytl="2" xbr="9" ybr="9"/></track></annotations>`;
    await survives(
      "video.xml",
      Buffer.from(video),
      async (path) => readAll(await cvat(path, { split: "train", images: folder })),
      50,
    );
  });

  test("weight maps", async () => {
    const npy = Buffer.concat([
      Buffer.from("\x93NUMPY\x01\x00", "latin1"),
      Buffer.from([118, 0]),
      Buffer.from(`${"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".padEnd(117)}\n`),
      Buffer.alloc(48),
    ]);
    await survives("weights.npy", npy, async (path) => isValid(await readWeights(path), 1), 75);
  });
});
