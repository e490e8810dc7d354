import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { viridis } from "../../core/viridis.ts";
import type { ClassInfo, RgbImage } from "../sample.ts";
import { encodeRgbPng, heatmap, imageThumbnail, labelThumbnail, overlay } from "./index.ts";

const classes: ClassInfo[] = [
  { name: "road", color: [100, 0, 200] },
  { name: "sky", color: [0, 50, 0] },
];
const grey = (height: number, width: number, value: number): RgbImage => ({
  height,
  width,
  data: new Uint8Array(height * width * 3).fill(value),
});

describe("overlay", () => {
  const label = { height: 1, width: 3, data: Uint8Array.of(0, 1, 255) };
  test("mixes image and colour, and shows the image where labels are ignored", () => {
    const { data } = overlay(grey(1, 3, 40), label, classes, 0.25);
    expect([...data]).toEqual([55, 30, 80, 30, 43, 30, 40, 40, 40]);
  });
  test("names sizes, opacity and labels that do not fit", () => {
    expect(() => overlay(grey(2, 3, 0), label, classes)).toThrow(/2×3, got 1×3/);
    expect(() => overlay(grey(1, 3, 0), label, classes, 2)).toThrow(/alpha from 0 to 1, got 2/);
    expect(() => overlay(grey(1, 3, 0), label, classes.slice(1))).toThrow(/below 1 or 255, got 1/);
  });
});

describe("heatmap", () => {
  test("runs from dark blue to yellow; not a number is grey", () => {
    const map = { height: 1, width: 4, data: Float32Array.of(0, 5, 10, Number.NaN) };
    expect([...heatmap(map).data]).toEqual([68, 1, 84, 33, 144, 141, 253, 231, 37, 128, 128, 128]);
    expect([...heatmap(map, [10, 20]).data.subarray(0, 3)]).toEqual([68, 1, 84]);
    expect(viridis(7)).toEqual([253, 231, 37]);
  });
  test("a map without any spread or number is still an image", () => {
    expect(heatmap({ height: 1, width: 1, data: Float32Array.of(Number.NaN) }).data).toHaveLength(3);
    expect(heatmap({ height: 1, width: 1, data: Float32Array.of(3) }).data).toHaveLength(3);
    expect(() => heatmap({ height: 1, width: 1, data: Float32Array.of(3) }, [0, Infinity])).toThrow(
      /Infinity/,
    );
    expect(() => heatmap({ height: 2, width: 1, data: Float32Array.of(3) })).toThrow(/2×1/);
  });
});

test("an RGB PNG keeps every byte", async () => {
  const image = { height: 3, width: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i * 13) };
  const { data } = await sharp(await encodeRgbPng(image))
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(Uint8Array.from(data)).toEqual(image.data);
});

describe("thumbnails", () => {
  const pixels = async (file: Uint8Array): Promise<(x: number, y: number) => number[]> => {
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    return (x, y) => [...data.subarray((y * info.width + x) * info.channels).subarray(0, info.channels)];
  };

  test("no side is longer than 480 pixels, small labels are at least 240 wide", async () => {
    const sizes = async (height: number, width: number): Promise<number[]> => {
      const image = await imageThumbnail(grey(height, width, 9));
      const label = await labelThumbnail({ height, width, data: new Uint8Array(height * width) }, classes);
      const files = await Promise.all([image, label].map(({ file }) => sharp(file).metadata()));
      expect(files.map((found) => [found.format, found.height, found.width])).toEqual([
        ["jpeg", image.height, image.width],
        ["png", label.height, label.width],
      ]);
      return [image.height, image.width, label.height, label.width];
    };
    expect(await sizes(512, 1024)).toEqual([240, 480, 240, 480]);
    expect(await sizes(1000, 250)).toEqual([480, 120, 480, 120]);
    expect(await sizes(1, 3000)).toEqual([1, 480, 1, 480]);
    expect(await sizes(10, 20)).toEqual([10, 20, 120, 240]);
  });

  test("labels have their colours, brighter at borders; ignored pixels are hatched", async () => {
    const label = { height: 2, width: 3, data: Uint8Array.of(0, 1, 255, 0, 1, 255) };
    const at = await pixels((await labelThumbnail(label, classes)).file);
    expect([at(0, 0), at(79, 159), at(100, 5)]).toEqual([
      [100, 0, 200, 255],
      [100, 0, 200, 255],
      [0, 50, 0, 255],
    ]);
    // 0.35 of the class and 0.65 of 240.
    expect(at(80, 7)).toEqual([156, 173, 156, 255]);
    const stripe = Array.from({ length: 14 }, (_, i) => at(168 + i, 0)[3]! && at(168 + i, 0)[0]);
    expect(stripe).toEqual([240, 240, 240, 40, 40, 40, 0, 0, 0, 0, 0, 0, 0, 0]);
    await expect(labelThumbnail(label, classes.slice(1))).rejects.toThrow(/below 1 or 255, got 1/);
  });
});
