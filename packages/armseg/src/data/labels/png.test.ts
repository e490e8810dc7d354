import * as fc from "fast-check";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { encodePng } from "../test-support.ts";
import { exifOrientation } from "./orientation.ts";
import { decodePng } from "./png.ts";

const FORMATS = [
  [0, 1],
  [0, 2],
  [0, 4],
  [0, 8],
  [0, 16],
  [2, 8],
  [2, 16],
  [3, 1],
  [3, 2],
  [3, 4],
  [3, 8],
  [4, 8],
  [4, 16],
  [6, 8],
  [6, 16],
] as const;
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 } as const;
const palette = { type: "PLTE", body: Uint8Array.from({ length: 768 }, (_, i) => i & 255) };

function noise(length: number, levels: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % levels;
  });
}

describe("decodePng()", () => {
  test.each(FORMATS)(
    "colour type %i, %i bits: the numbers in the file, all filters",
    (colorType, bitDepth) => {
      for (const [height, width] of [
        [11, 13],
        [1, 1],
        [5, 8],
      ] as const) {
        const samples = noise(height * width * CHANNELS[colorType], 2 ** bitDepth);
        const image = decodePng(
          encodePng(colorType, bitDepth, height, width, samples, colorType === 3 ? [palette] : []),
        );
        expect([image.height, image.width, image.channels]).toEqual([height, width, CHANNELS[colorType]]);
        expect([...image.data]).toEqual(samples);
        if (colorType === 3) expect([...image.palette!]).toEqual([...palette.body]);
      }
    },
  );

  test("any image that libpng wrote, interlaced or not, with any filters", async () => {
    const image = fc.record({
      height: fc.integer({ min: 1, max: 21 }),
      width: fc.integer({ min: 1, max: 21 }),
      channels: fc.constantFrom(1, 3, 4),
      progressive: fc.boolean(),
      adaptiveFiltering: fc.boolean(),
      palette: fc.boolean(),
      seed: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(image, async ({ height, width, channels, seed, ...options }) => {
        const raw = Uint8Array.from(noise(height * width * channels, 256, seed));
        const colors = channels as 1 | 3 | 4;
        const png = await sharp(raw, { raw: { height, width, channels: colors } })
          .png(options)
          .toBuffer();
        const ours = decodePng(png);
        if (ours.colorType === 3) {
          const theirs = await sharp(png).removeAlpha().raw().toBuffer();
          const colored = [...ours.data].flatMap((index) => [
            ...ours.palette!.subarray(3 * index, 3 * index + 3),
          ]);
          expect(colored).toEqual([...theirs]);
        } else
          expect(
            Buffer.from(ours.data.buffer, ours.data.byteOffset, ours.data.byteLength).equals(
              await sharp(png).raw().toBuffer(),
            ),
          ).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  test("a header that claims too many pixels costs no memory", () => {
    const bytes = Buffer.from(encodePng(0, 8, 4, 4, noise(16, 256)));
    expect(() => decodePng(bytes, { maxPixels: 15 })).toThrow("4x4 pixels exceeds the limit of 15");
    const huge = encodePng(0, 8, 4, 4, noise(16, 256), [{ type: "PLTE", body: new Uint8Array(4) }]);
    expect(() => decodePng(huge)).toThrow("palette of 4 bytes");
    const lying = Buffer.from(encodePng(6, 16, 1, 1, [1, 2, 3, 4]));
    lying.writeUInt32BE(16000, 16);
    lying.writeUInt32BE(16000, 20);
    expect(() => decodePng(lying)).toThrow("the checksum of chunk IHDR");
  });

  test.each([
    ["not a PNG", Buffer.from("hello world, no picture")],
    ["a truncated PNG", encodePng(0, 8, 9, 9, noise(81, 256)).subarray(0, 60)],
    ["a palette PNG without a palette", encodePng(3, 8, 2, 2, [0, 1, 2, 3])],
    [
      "an unknown critical chunk ABCD",
      encodePng(0, 8, 1, 1, [0], [{ type: "ABCD", body: new Uint8Array(1) }]),
    ],
    ["bit depth 4, which do not exist together", encodePng(2, 4, 1, 1, [0, 0, 0])],
  ])("%s is an error", (message, bytes) => {
    expect(() => decodePng(bytes)).toThrow(message);
  });
});

test("exifOrientation() reads both byte orders and survives nonsense", () => {
  const little = Buffer.from("49492a0008000000010012010300010000000600000000000000", "hex");
  const big = Buffer.from("4d4d002a00000008000101120003000000010003000000000000", "hex");
  expect([exifOrientation(little), exifOrientation(big), exifOrientation(undefined)]).toEqual([6, 3, 1]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const orientation = exifOrientation(bytes);
      return orientation >= 1 && orientation <= 8;
    }),
  );
});
