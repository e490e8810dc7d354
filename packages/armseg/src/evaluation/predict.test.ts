import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromTypedArray, tensor } from "@armseg/torch";
import { testDevice } from "@armseg/torch/testing";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Network } from "./maps.ts";
import { predictImage, writePrediction } from "./predict.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-predict-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Each channel is the logit of a class, at the image's resolution. */
const identity: Network = (images) => images;
// Two pixels: certainly class 2, and anything.
const image = Float32Array.of(0, 1, 0, 1, 60, 1);
const classes = [
  { name: "road", color: [128, 64, 128] },
  { name: "car", color: [0, 0, 142] },
  { name: "sky", color: [70, 130, 180] },
] as const;

describe("predictImage()", () => {
  test("class and confidence, at the size on disk", () => {
    const { label, confidence } = predictImage(identity, { image, size: [1, 2] }, { device: testDevice });
    expect(label).toEqual({ height: 1, width: 2, data: Uint8Array.of(2, 0) });
    expect(confidence.data[0]).toBeCloseTo(1, 5);
    expect(confidence.data[1]).toBeCloseTo(-1, 5);
    const larger = predictImage(
      identity,
      { image, size: [1, 2] },
      { originalSize: [3, 4], augmentation: "openseg", device: testDevice },
    );
    expect(larger.label.data).toHaveLength(12);
    expect(larger.confidence).toMatchObject({ height: 3, width: 4 });
    expect(larger.label.data[0]).toBe(2);
  });

  test("from a tensor as from an array", () => {
    const asTensor = { image: fromTypedArray(image, [3, 1, 2]), size: [1, 2] as const };
    expect(predictImage(identity, asTensor, { device: testDevice })).toEqual(
      predictImage(identity, { image, size: [1, 2] }, { device: testDevice }),
    );
    expect(() => predictImage(identity, { image: tensor([1, 2]), size: [1, 2] })).toThrow(
      /expected 3 × 1 × 2 numbers, got 2/,
    );
  });
});

describe("writePrediction()", () => {
  const prediction = () => predictImage(identity, { image, size: [1, 2] }, { device: testDevice });
  const shown = { height: 1, width: 2, data: Uint8Array.of(10, 20, 30, 40, 50, 60) };

  test("label PNG with indices and palette, overlay, confidence", async () => {
    const files = await writePrediction(folder, "sub/a", prediction(), {
      classes,
      image: shown,
      confidence: true,
    });
    expect(files).toEqual(
      ["", "_overlay", "_confidence"].map((ending) => join(folder, `sub/a${ending}.png`)),
    );
    const pixels = (file: string) => sharp(file).removeAlpha().raw().toBuffer();
    expect(await sharp(files[0]).metadata()).toMatchObject({ isPalette: true });
    expect([...(await pixels(files[0]!))]).toEqual([70, 130, 180, 128, 64, 128]);
    expect([...(await pixels(files[1]!))]).toEqual([40, 75, 105, 84, 57, 94]);
    const viridis = { yellow: [253, 231, 37], darkBlue: [68, 1, 84] };
    expect([...(await pixels(files[2]!))]).toEqual([...viridis.yellow, ...viridis.darkBlue]);
  });

  test("an existing file stays, unless told otherwise", async () => {
    await writePrediction(folder, "b", prediction(), { classes });
    expect(existsSync(join(folder, "b_overlay.png"))).toBe(false);
    await expect(writePrediction(folder, "b", prediction(), { classes })).rejects.toThrow(
      /b\.png exists and is not overwritten/,
    );
    await writePrediction(folder, "b", prediction(), { classes, overwrite: true });
  });
});
