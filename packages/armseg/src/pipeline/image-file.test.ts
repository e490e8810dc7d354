import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateScene } from "@armseg/scenes";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CounterRandom } from "../core/random.ts";
import { readImage } from "../data/read-image.ts";
import { openImageFile } from "./image-file.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-image-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const [HEIGHT, WIDTH] = [60, 90];

function noise(channels: 1 | 3 | 4): Sharp {
  const data = Uint8Array.from(
    { length: HEIGHT * WIDTH * channels },
    (_, i) => Math.imul(i + 1, 2654435761) >>> 21,
  );
  return sharp(data, { raw: { height: HEIGHT, width: WIDTH, channels } });
}

const kinds: Record<string, () => Sharp> = {
  "rgb.png": () => noise(3).png(),
  "alpha.png": () => noise(4).png(),
  "interlaced.png": () => noise(3).png({ progressive: true }),
  "palette.png": () => noise(3).png({ palette: true, colours: 16 }),
  "sixteen-bit.png": () => noise(3).toColourspace("rgb16").png(),
  "grey.png": () => noise(1).toColourspace("b-w").png(),
  "plain.jpg": () => noise(3).jpeg(),
  "progressive.jpg": () => noise(3).jpeg({ progressive: true }),
  "lossy.webp": () => noise(3).webp(),
  ...Object.fromEntries(
    [2, 3, 4, 5, 6, 7, 8].map((orientation) => [
      `turned-${orientation}.jpg`,
      () => noise(3).withMetadata({ orientation }).jpeg(),
    ]),
  ),
};

test.each(Object.keys(kinds))("parts of %s equal the whole image's", async (name) => {
  const path = join(folder, name);
  await kinds[name]!().toFile(path);
  const whole = await readImage(path);
  const opened = await openImageFile(path);
  expect(opened.size).toEqual([whole.height, whole.width]);
  for (const [top, left, height, width] of [
    [0, 0, whole.height, whole.width],
    [0, 3, 20, 31],
    [17, 0, 9, 40],
    [whole.height - 12, whole.width - 25, 12, 25],
  ] as const) {
    const part = await opened.read({ top, left, height, width });
    expect([part.height, part.width]).toEqual([height, width]);
    const rows = Array.from({ length: height }, (_, y) => {
      const start = ((top + y) * whole.width + left) * 3;
      return whole.data.subarray(start, start + width * 3);
    });
    expect(Buffer.compare(part.data, Buffer.concat(rows))).toBe(0);
  }
});

test("a JPEG is reduced by 4 and 8 where both divide its sides; what is turned, odd or no JPEG is not", async () => {
  const reductions = async (name: string, image: Sharp) => {
    await image.toFile(join(folder, name));
    return (await openImageFile(join(folder, name))).reductions;
  };
  const blank = (height: number, width: number) =>
    sharp({ create: { height, width, channels: 3, background: "red" } });
  expect(await reductions("64x96.jpg", blank(64, 96).jpeg())).toEqual([1, 4, 8]);
  expect(await reductions("60x96.jpg", blank(60, 96).jpeg())).toEqual([1, 4]);
  expect(await reductions("62x96.jpg", blank(62, 96).jpeg())).toEqual([1]);
  expect(await reductions("turned.jpg", blank(64, 96).withMetadata({ orientation: 6 }).jpeg())).toEqual([1]);
  expect(await reductions("64x96.png", blank(64, 96).png())).toEqual([1]);
});

test.each([4, 8])(
  "a street reduced by %i is the mean of the pixels, to 1.5 levels, and the same every time",
  async (by) => {
    const [height, width] = [256, 512];
    const scene = generateScene({ seed: 1, index: 0, height, width }).image;
    const path = join(folder, "scene.jpg");
    await sharp(scene.data, { raw: { height, width, channels: 3 } })
      .jpeg({ quality: 90 })
      .toFile(path);
    const { data: full } = await readImage(path);
    const opened = await openImageFile(path);
    const whole = { top: 0, left: 0, height: height / by, width: width / by };
    const { data } = await opened.read(whole, by);
    expect(Buffer.compare((await opened.read(whole, by)).data, data)).toBe(0);
    const errors = Array.from(data, (value, i) => {
      const [pixel, c] = [Math.floor(i / 3), i % 3];
      const start = (Math.floor(pixel / whole.width) * by * width + (pixel % whole.width) * by) * 3 + c;
      let sum = 0;
      for (let y = 0; y < by; y++) for (let x = 0; x < by; x++) sum += full[start + (y * width + x) * 3]!;
      return Math.abs(value - sum / by / by);
    });
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(1.5);
  },
);

test("damage below the part that is read is found all the same, and named", async () => {
  const path = join(folder, "damaged.png");
  await kinds["rgb.png"]!().toFile(path);
  const intact = readFileSync(path);
  const flipped = Buffer.from(intact);
  flipped[intact.length - 40]! ^= 1;
  writeFileSync(path, flipped);
  await expect(openImageFile(path)).rejects.toMatchObject({ name: "DataError", path });
  await expect(openImageFile(path)).rejects.toThrow(/damaged\.png.*checksum/);
  writeFileSync(path, intact);
  truncateSync(path, intact.length - 6);
  await expect(openImageFile(path)).rejects.toThrow(/damaged\.png.*truncated/);
});

test.each(["rgb.png", "plain.jpg", "progressive.jpg"])(
  "mutilated %s give a named error or pixels",
  async (name) => {
    const path = join(folder, name);
    await kinds[name]!().toFile(path);
    const intact = readFileSync(path);
    const mutilated = join(folder, `mutilated-${name}`);
    const random = new CounterRandom({ seed: 1, iteration: 0, index: 0, stream: 0 });
    for (let i = 0; i < 100; i++) {
      const bytes = Buffer.from(intact);
      const at = random.integer(0, bytes.length);
      bytes[at]! ^= 1 << random.integer(0, 8);
      writeFileSync(mutilated, i % 2 === 0 ? bytes : bytes.subarray(0, at));
      try {
        const opened = await openImageFile(mutilated);
        const part = await opened.read({ top: 5, left: 7, height: 30, width: 40 });
        expect(part.data).toHaveLength(30 * 40 * 3);
      } catch (error) {
        expect(error).toMatchObject({ name: "DataError", path: mutilated });
      }
    }
  },
);

test("what is missing or no image is a named error", async () => {
  await expect(openImageFile(join(folder, "none.png"))).rejects.toThrow("none.png");
  writeFileSync(join(folder, "text.png"), "not an image");
  await expect(openImageFile(join(folder, "text.png"))).rejects.toMatchObject({ name: "DataError" });
});
