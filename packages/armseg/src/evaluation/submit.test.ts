import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabelImage } from "./maps.ts";
import { ade20kSubmission, cityscapesSubmission, encodeSubmission, writeSubmission } from "./submit.ts";

/** Label ids of the 19 classes, from cityscapesScripts' `helpers/labels.py`. */
const LABEL_IDS = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-submit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The values of a PNG, as Pillow and cv2 read them: one grey channel, 8 bits, no palette. */
async function greyValues(png: string | Uint8Array): Promise<LabelImage> {
  const image = sharp(png);
  expect(await image.metadata()).toMatchObject({
    format: "png",
    space: "b-w",
    channels: 1,
    depth: "uchar",
  });
  const { data, info } = await image.toColourspace("b-w").raw().toBuffer({ resolveWithObject: true });
  return { height: info.height, width: info.width, data: new Uint8Array(data) };
}

describe("Cityscapes", () => {
  const format = cityscapesSubmission(LABEL_IDS);
  const prediction = {
    height: 1024,
    width: 2048,
    data: Uint8Array.from({ length: 1024 * 2048 }, (_, i) => (i * 7 + (i >> 9)) % 19),
  };

  test("round trip: label ids in the file, back to train ids by the table", async () => {
    const path = await writeSubmission(folder, format, "berlin_000123_000019", prediction);
    expect(path).toBe(join(folder, "berlin_000123_000019_leftImg8bit.png"));
    const { data, ...size } = await greyValues(path);
    expect(size).toEqual({ height: 1024, width: 2048 });
    expect([...data.subarray(0, 4)]).toEqual([7, 20, 27, 11]);
    expect([...new Set(data)].sort((x, y) => x - y)).toEqual(LABEL_IDS);
    const back = data.map((id) => LABEL_IDS.indexOf(id));
    expect(Buffer.compare(back, prediction.data)).toBe(0);
  });

  test("the name is that of the image, whatever it is given as", () => {
    for (const name of [
      "berlin_000123_000019",
      "berlin_000123_000019_leftImg8bit",
      "leftImg8bit/test/berlin/berlin_000123_000019_leftImg8bit.png",
    ])
      expect(format.fileName(name)).toBe("berlin_000123_000019_leftImg8bit.png");
    expect(() => format.fileName("holiday.jpg")).toThrow(
      /a frame's name such as berlin_000123_000019, got holiday.jpg/,
    );
  });

  test("other sizes are refused", async () => {
    const small = { height: 2, width: 2, data: new Uint8Array(4) };
    await expect(encodeSubmission(format, small)).rejects.toThrow(
      /expected predictions of 1024×2048 pixels for Cityscapes, got 2×2/,
    );
  });
});

describe("ADE20K", () => {
  const format = ade20kSubmission();

  test("round trip: every class plus 1", async () => {
    const size = fc.integer({ min: 1, max: 20 });
    const maps = fc
      .tuple(size, size)
      .chain(([height, width]) =>
        fc
          .uint8Array({ min: 0, max: 149, minLength: height * width, maxLength: height * width })
          .map((data) => ({ height, width, data })),
      );
    await fc.assert(
      fc.asyncProperty(maps, async (map) => {
        const { data, ...sizes } = await greyValues(await encodeSubmission(format, map));
        expect({ ...sizes, data: data.map((value) => value - 1) }).toEqual(map);
      }),
      { numRuns: 30 },
    );
  });

  test("an existing file stays, unless told otherwise", async () => {
    const map = (value: number) => ({ height: 1, width: 2, data: Uint8Array.of(value, value) });
    const path = await writeSubmission(folder, format, "images/validation/ADE_val_00000001.jpg", map(3));
    expect(path).toBe(join(folder, "ADE_val_00000001.png"));
    const before = readFileSync(path);
    await expect(writeSubmission(folder, format, "ADE_val_00000001", map(4))).rejects.toThrow(
      /exists and is not overwritten/,
    );
    expect(readFileSync(path)).toEqual(before);
    await writeSubmission(folder, format, "ADE_val_00000001", map(4), { overwrite: true });
    expect((await greyValues(path)).data).toEqual(Uint8Array.of(5, 5));
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  test("an ignored pixel is no prediction", async () => {
    const map = { height: 1, width: 2, data: Uint8Array.of(0, 255) };
    await expect(encodeSubmission(format, map)).rejects.toThrow(
      /classes 0\.\.149 of ADE20K, got 255 at row 0, column 1/,
    );
  });
});
