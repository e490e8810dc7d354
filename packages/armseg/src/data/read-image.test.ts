import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { openImageFile } from "../pipeline/image-file.ts";
import { readImage } from "./read-image.ts";
import { scan } from "./scan/scan.ts";
import { encodeTiff, fixture } from "./test-support.ts";

/** 64 columns of 0, 4, … 252. */
const RAMP = Array.from({ length: 64 }, (_, x) => 4 * x);
const ROWS = 4;
const rows = (level: (v: number) => number): number[] =>
  Array.from({ length: ROWS }, () => RAMP.map(level)).flat();

const grey16 = (level: (v: number) => number): Promise<Uint8Array> =>
  sharp(Uint16Array.from(rows(level)), { raw: { height: ROWS, width: 64, channels: 1 } })
    .toColourspace("grey16")
    .png()
    .toBuffer();

const interleaved = (values: number[], bands: number): number[] =>
  values.flatMap((v) => Array.from({ length: bands }, () => v));

describe("values that are not of 8 bits", () => {
  test.each([
    ["12 bits in a grey PNG of 16", () => grey16((v) => 16 * v), [0, 4080]],
    [
      "16-bit RGB TIFF",
      async () =>
        encodeTiff(
          Uint16Array.from(
            interleaved(
              rows((v) => 16 * v),
              3,
            ),
          ),
          [ROWS, 64, 3],
        ),
      [0, 4080],
    ],
    ["float TIFF", async () => encodeTiff(Float32Array.from(rows((v) => v / 255)), [ROWS, 64, 1]), [0, 1]],
    [
      "float RGB TIFF",
      async () =>
        encodeTiff(
          Float32Array.from(
            interleaved(
              rows((v) => v / 255),
              3,
            ),
          ),
          [ROWS, 64, 3],
        ),
      [0, 1],
    ],
    [
      "signed 16-bit TIFF",
      async () =>
        encodeTiff(
          Int16Array.from(
            interleaved(
              rows((v) => 16 * v - 1024),
              3,
            ),
          ),
          [ROWS, 64, 3],
        ),
      [-1024, 3056],
    ],
    [
      "signed 32-bit TIFF",
      async () => encodeTiff(Int32Array.from(rows((v) => 16 * v - 1024)), [ROWS, 64, 1]),
      [-1024, 3056],
    ],
  ] as const)("%s: the range is spread over 0 to 255, wholly and in part", async (_, make, range) => {
    const root = await fixture({ file: await make() });
    const path = join(root, "file");
    const { data, height, width } = await readImage(path, { range });
    expect([height, width]).toEqual([ROWS, 64]);
    expect([...data]).toEqual(
      interleaved(
        rows((v) => v),
        3,
      ),
    );
    const part = await (await openImageFile(path, range)).read({ left: 10, top: 1, width: 3, height: 2 });
    const wanted = [40, 44, 48, 40, 44, 48];
    expect([...part.data]).toEqual(interleaved(wanted, 3));
  });

  test("what lies beyond the range is clipped, holes are black, 8-bit images stay as they are", async () => {
    const values = Float32Array.of(-5, 0, 50, 100, 999, Number.NaN, Number.POSITIVE_INFINITY, 25);
    const grey8 = await sharp(Uint8Array.of(7, 9), { raw: { height: 1, width: 2, channels: 1 } })
      .png()
      .toBuffer();
    const root = await fixture({ file: encodeTiff(values, [1, 8, 1]), grey8 });
    const { data } = await readImage(join(root, "file"), { range: [0, 100] });
    expect([...data]).toEqual(interleaved([0, 0, 128, 255, 255, 0, 255, 64], 3));
    expect([...(await readImage(join(root, "grey8"), { range: [0, 100] })).data]).toEqual(
      interleaved([7, 9], 3),
    );
  });

  test.each([
    ["32-bit float", encodeTiff(Float32Array.of(0.5), [1, 1, 1])],
    ["signed 16-bit", encodeTiff(Int16Array.of(-5), [1, 1, 1])],
    ["signed 32-bit", encodeTiff(Int32Array.of(-5), [1, 1, 1])],
  ])("%s samples without a range are refused with the remedy", async (kind, bytes) => {
    const root = await fixture({ "ct.tif": bytes });
    const text = new RegExp(
      `cannot read .*ct\\.tif: .*got ${kind} ones.*set data\\.imageRange: \\[low, high\\]`,
    );
    await expect(readImage(join(root, "ct.tif"))).rejects.toThrow(text);
    await expect(openImageFile(join(root, "ct.tif"))).rejects.toThrow(text);
  });
});

describe("the scan of 16-bit images", () => {
  async function problems(files: Record<string, Uint8Array>, imageRange?: readonly [number, number]) {
    const root = await fixture(files);
    const samples = Object.keys(files).map((name) => ({
      name,
      image: join(root, name),
      ...(imageRange && { imageRange }),
    }));
    const classes = ["a", "b"].map((name) => ({ name, color: [0, 0, 0] as const }));
    const result = await scan({ name: "x", split: "train", classes, samples, notes: [] });
    return result.problems.filter(({ kind }) => kind !== "no valid pixel in the whole split");
  }

  test("tells those that fill less than an eighth of their range, and the range of all", async () => {
    const files = { dark: await grey16((v) => 16 * v), bright: await grey16((v) => 4000 + 8 * v) };
    const [problem] = await problems(files);
    expect(problem).toMatchObject({
      kind: "16-bit image that fills little of its range",
      severity: "warning",
      count: 2,
    });
    expect(problem!.examples[0]).toMatch(
      /dark has values of 0 to 4032 of 65535, which leaves 16 of 256 levels; set data\.imageRange: \[0, 8191\]/,
    );
    expect(await problems(files, [0, 6016])).toEqual([]);
  });

  test("is silent about those that fill it, and about 8-bit ones", async () => {
    const grey8 = await sharp(Uint8Array.of(7, 9), { raw: { height: 1, width: 2, channels: 1 } })
      .png()
      .toBuffer();
    expect(await problems({ full: await grey16((v) => 257 * v), grey8 })).toEqual([]);
  });

  test("tells bands that are left out", async () => {
    const five = encodeTiff(
      Uint8Array.from(
        interleaved(
          rows((v) => v),
          5,
        ),
      ),
      [ROWS, 64, 5],
    );
    const [problem] = await problems({ five });
    expect(problem).toMatchObject({ kind: "image of more than three bands", severity: "warning" });
    expect(problem!.examples[0]).toContain("has 5 bands; the first three");
  });
});

test.each([
  ["a HEIC", Buffer.from(`\0\0\0\x1cftypheic\0\0\0\0heicmif1${"x".repeat(300)}`, "latin1")],
  ["a Git LFS pointer", Buffer.from("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")],
  ["a text in HTML or XML", Buffer.from("<!DOCTYPE html><p>404")],
  ["a NumPy array", Buffer.from("\x93NUMPY\x01\0v\0", "latin1")],
])("%s under the name of a JPEG is called what it is", async (kind, bytes) => {
  const root = await fixture({ "a.jpg": bytes });
  await expect(readImage(join(root, "a.jpg"))).rejects.toThrow(`a.jpg: it is ${kind}`);
});
