import { spawnSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import * as fc from "fast-check";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readConfig } from "../config/read-config.ts";
import { openImageFile } from "../pipeline/image-file.ts";
import { coco } from "./formats/coco.ts";
import { cvat } from "./formats/cvat.ts";
import { labelme } from "./formats/labelme.ts";
import { readLabel } from "./labels/read-label.ts";
import { fillRunLengths, type RunLengths, runLengthsOf } from "./labels/run-length.ts";
import { imageSize, readImage } from "./read-image.ts";
import type { Annotation } from "./sample.ts";
import { fixture } from "./test-support.ts";
import { readWeights } from "./weights.ts";

/** Files that take far more memory or time than they are worth, or that lead elsewhere. */

const mask = (path: string): Annotation => ({
  kind: "mask",
  path,
  labelMap: { encoding: "values", classes: { 0: 0 } },
});

let folder: string;
beforeAll(async () => {
  folder = await fixture({ "outside.png": await pixel(), "in/x.png": await pixel() });
});

function pixel(): Promise<Buffer> {
  return sharp({ create: { width: 4, height: 4, channels: 3, background: "red" } })
    .png()
    .toBuffer();
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function chunk(type: string, body: Uint8Array): Buffer {
  const whole = Buffer.alloc(body.length + 12);
  whole.writeUInt32BE(body.length);
  whole.write(type, 4, "latin1");
  whole.set(body, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, body.length + 8)), body.length + 8);
  return whole;
}

function png(width: number, height: number, depth: number, color: number, ...chunks: Buffer[]): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([depth, color], 8);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", header), ...chunks, chunk("IEND", Buffer.alloc(0))]);
}

describe.skipIf(process.platform === "win32")("pipes and devices are named, not waited for", () => {
  let places: string[];
  beforeAll(() => {
    places = ["pipe.png", "endless.png"].map((name) => join(folder, name));
    spawnSync("mkfifo", [places[0]!]);
    symlinkSync("/dev/zero", places[1]!);
  });

  test.each([
    ["readImage", (path: string) => readImage(path)],
    ["imageSize", (path: string) => imageSize(path)],
    ["openImageFile", (path: string) => openImageFile(path)],
    ["readLabel", (path: string) => readLabel(mask(path))],
    ["readConfig", async (path: string) => readConfig(path)],
  ])("%s", async (_, read) => {
    for (const path of places) {
      await expect(read(path)).rejects.toThrow(/regular file/);
      await expect(read(path)).rejects.toThrow(path);
    }
  });
});

describe("JPEGs", () => {
  const noise = (seed: number) =>
    Buffer.from({ length: 3 * 64 * 64 }).map((_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 255);
  const jpeg = (seed: number) =>
    sharp(noise(seed), { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg()
      .toBuffer();

  test("with a damaged scan are refused, intact ones read", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const bytes = await jpeg(seed);
      const intact = write("intact.jpg", bytes);
      expect((await readImage(intact)).data).toHaveLength(3 * 64 * 64);
      // A marker in the middle of the scan: what follows it is lost.
      const damaged = Buffer.from(bytes);
      damaged.set([0xff, 0xd9], (bytes.length >> 1) + seed);
      const path = write("damaged.jpg", damaged);
      await expect(readImage(path), `seed ${seed}`).rejects.toThrow(path);
      const whole = { left: 0, top: 0, width: 64, height: 64 };
      await expect((await openImageFile(path)).read(whole), `seed ${seed}`).rejects.toThrow(path);
    }
  });

  test("that promise more than they can hold are refused before they are decoded", async () => {
    const bytes = await sharp(noise(0), { raw: { width: 64, height: 64, channels: 3 } })
      .jpeg({ progressive: true })
      .toBuffer();
    const start = bytes.indexOf(Buffer.from([0xff, 0xc2])); // SOF2
    bytes.writeUInt16BE(16383, start + 5);
    bytes.writeUInt16BE(16383, start + 7);
    const path = write("promise.jpg", bytes);
    for (const read of [readImage, openImageFile]) {
      await expect(read(path)).rejects.toThrow(/cannot hold the 16383x16383 pixels that it promises/);
    }
  });
});

describe("PNG labels", () => {
  const garbage = chunk("IDAT", Buffer.from("these are no pixels"));

  test("with 16 bits per channel are refused before they are decompressed", async () => {
    const path = write("deep.png", png(64, 64, 16, 6, garbage));
    await expect(readLabel(mask(path))).rejects.toThrow(/deep\.png is an RGB PNG with 16 bits per channel/);
  });

  test("whose pixels would take more memory than any label are refused", async () => {
    const path = write("wide.png", png(16000, 16000, 8, 6, garbage));
    await expect(readLabel(mask(path))).rejects.toThrow(
      /wide\.png is a PNG of 16000x16000 pixels whose pixels take/,
    );
    const larger = write("larger.png", png(60_000, 60_000, 8, 0, garbage));
    await expect(readLabel(mask(larger))).rejects.toThrow(/exceeds the limit/);
  });

  test("of empty chunks without end are refused", async () => {
    const empty = Array.from({ length: 20_000 }, () => chunk("tEXt", Buffer.alloc(0)));
    const pixels = chunk("IDAT", deflateSync(Buffer.alloc(2)));
    const path = write("chunks.png", png(1, 1, 8, 0, ...empty, pixels));
    await expect(readLabel(mask(path))).rejects.toThrow(/chunks\.png is a PNG of so many small chunks/);
    const few = write("few.png", png(1, 1, 8, 0, ...empty.slice(0, 5000), pixels));
    expect((await readLabel(mask(few))).data).toEqual(Uint8Array.of(0));
  });
});

describe("run lengths", () => {
  test("of a mask far larger than its image are filled within it", () => {
    const canvas = { height: 1, width: 1, data: new Uint8Array(1) };
    const side = 16_383;
    const runs: RunLengths = {
      kind: "rle",
      height: side,
      width: side,
      counts: [0, side * side],
      top: 0,
      left: -7,
    };
    for (const isRowMajor of [false, true]) {
      canvas.data.fill(0);
      fillRunLengths(canvas, { ...runs, isRowMajor }, 5);
      expect(canvas.data[0]).toBe(5);
    }
  });

  test("in any box, in either order, are painted pixel by pixel", () => {
    const side = fc.integer({ min: 1, max: 7 });
    const place = fc.integer({ min: -5, max: 9 });
    fc.assert(
      fc.property(
        side,
        side,
        place,
        place,
        fc.boolean(),
        fc.nat(2 ** 30),
        (height, width, top, left, isRowMajor, bits) => {
          const inside = Array.from(
            { length: height * width },
            (_, i) => (Math.imul(bits + i, 2654435761) >>> 16) & 1,
          );
          const counts = runLengthsOf(inside);
          const canvas = { height: 6, width: 8, data: new Uint8Array(48) };
          const expected = new Uint8Array(48);
          for (const [i, isSet] of inside.entries()) {
            const y = top + (isRowMajor ? Math.floor(i / width) : i % height);
            const x = left + (isRowMajor ? i % width : Math.floor(i / height));
            if (isSet && y >= 0 && y < 6 && x >= 0 && x < 8) expected[y * 8 + x] = 3;
          }
          fillRunLengths(canvas, { kind: "rle", height, width, counts, top, left, isRowMajor }, 3);
          expect(canvas.data).toEqual(expected);
        },
      ),
    );
  });
});

test("an NPY file whose shape is no number is refused", async () => {
  const header = `${"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 90\n71), }".padEnd(117)}\n`;
  const start = Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), Buffer.from([118, 0])]);
  const path = write("shape.npy", Buffer.concat([start, Buffer.from(header), Buffer.alloc(48)]));
  await expect(readWeights(path)).rejects.toThrow(/shape\.npy: an NPY file with a damaged header/);
});

test("CVAT tracks are interpolated for the frames that there are, however far apart their key frames are", async () => {
  const root = await fixture({ "images/frame_000500.png": await pixel() });
  const track = `<track id="0" label="a"><box frame="0" outside="0" xtl="0" ytl="0" xbr="2" ybr="2"/><box frame="999999000" outside="0" xtl="0" ytl="0" xbr="2" ybr="2"/></track>`;
  const meta =
    "<meta><task><labels><label><name>a</name></label></labels><original_size><width>4</width><height>4</height></original_size></task></meta>";
  const path = join(root, "video.xml");
  writeFileSync(path, `<annotations>${meta}${track.repeat(20)}</annotations>`);
  const { samples } = await cvat(path, { split: "train", images: join(root, "images") });
  expect(samples).toHaveLength(1);
  const { data } = await readLabel(samples[0]!.annotation!);
  expect([...data].filter((value) => value === 0)).toHaveLength(4);
});

describe("names that lead out of their folder", () => {
  const images = () => join(folder, "in");

  test("COCO", async () => {
    const file = (file_name: string) =>
      JSON.stringify({
        images: [{ id: 1, file_name, height: 4, width: 4 }],
        categories: [{ id: 1, name: "a" }],
        annotations: [{ image_id: 1, category_id: 1, segmentation: [[0, 0, 4, 0, 4, 4]] }],
      });
    for (const name of ["../outside.png", "..\\outside.png", "x/../../outside.png", "%2e%2e/outside.png"]) {
      const path = write("coco.json", file(name));
      await expect(coco(path, { split: "train", images: images() }), name).rejects.toThrow(
        /which leads out of it/,
      );
    }
    const path = write("coco.json", file("a/../x.png"));
    expect((await coco(path, { split: "train", images: images() })).samples).toHaveLength(1);
  });

  test("CVAT", async () => {
    const path = write(
      "cvat.xml",
      `<annotations><meta><task><labels><label><name>a</name></label></labels></task></meta><image id="0" name="../outside.png" width="4" height="4"><box label="a" xtl="0" ytl="0" xbr="2" ybr="2"/></image></annotations>`,
    );
    await expect(cvat(path, { split: "train", images: images() })).rejects.toThrow(/which leads out of it/);
  });

  test("LabelMe: beside its own folder is right, further out is not looked at", async () => {
    const shape = {
      label: "a",
      shape_type: "polygon",
      points: [
        [0, 0],
        [4, 0],
        [4, 4],
      ],
    };
    const file = (imagePath: string) =>
      JSON.stringify({ shapes: [shape], imagePath, imageHeight: 4, imageWidth: 4 });
    const root = await fixture({
      "set/json/a.json": file("../images/x.png"),
      "set/images/x.png": await pixel(),
      "outside.png": await pixel(),
    });
    const json = join(root, "set", "json");
    const { samples } = await labelme(json, { split: "train" });
    expect(samples.map(({ image }) => image)).toEqual([join(root, "set", "images", "x.png")]);
    writeFileSync(join(json, "a.json"), file("../../outside.png"));
    await expect(labelme(json, { split: "train" })).rejects.toThrow(/none leads to an image/);
  });
});

describe("configurations", () => {
  test("with an endless key are refused with its beginning", () => {
    const path = write("long.yaml", `? ${"k".repeat(300_000)}\n: 1\n`);
    expect(() => readConfig(path)).toThrow(
      /long\.yaml is not a valid configuration:(.|\n)*\n {2}k{64}\.\.\.: there is no such key/,
    );
  });

  test("with aliases without end, or nested without end, are named", () => {
    const lines = ["a: &a0 [x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 10; i++) lines.push(`b${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
    const aliases = write("aliases.yaml", lines.join("\n"));
    expect(() => readConfig(aliases)).toThrow(/aliases\.yaml: Excessive alias count/);
    const ladder = Array.from({ length: 700 }, (_, i) => `${" ".repeat(i)}a:`).join("\n");
    for (const text of [`a: ${"[".repeat(50_000)}`, "- ".repeat(50_000), "? ".repeat(50_000), ladder]) {
      const nested = write("nested.yaml", text);
      expect(() => readConfig(nested)).toThrow(
        /nested\.yaml: (nested deeper than 100 levels|indented by more)/,
      );
    }
    expect(() => readConfig(write("fine.yaml", ""), [`name=${"[".repeat(50_000)}`])).toThrow(
      "--set name: nested deeper than 100 levels",
    );
  });

  test("in XML, tags nested without end are named", async () => {
    const path = write("deep.xml", `<annotations>${"<a>".repeat(5000)}${"</a>".repeat(5000)}</annotations>`);
    await expect(cvat(path, { split: "train", images: folder })).rejects.toThrow(
      /deep\.xml is not valid XML: Maximum nested tags exceeded/,
    );
  });
});
