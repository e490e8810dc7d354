import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { Annotation, LabelMap } from "../sample.ts";
import { encodePng, fixture } from "../test-support.ts";
import { readLabel } from "./read-label.ts";

/** Bounds what each property takes. */
const SETTINGS = { interruptAfterTimeLimit: 2500, numRuns: 150 };

const size = { height: fc.integer({ min: 1, max: 19 }), width: fc.integer({ min: 1, max: 19 }) };
const seed = fc.nat();
const interlaced = fc.boolean();

function random(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * below);
  };
}

/** A random label map and an image of its values: distinct keys, each sent to a class or to ignored. */
function draw(seed: number, pixels: number, keys: number) {
  const next = random(seed);
  const distinct = new Set<number>();
  while (distinct.size < Math.min(keys, 1 + next(12))) distinct.add(next(keys));
  const values = [...distinct];
  const classOf = new Map(values.map((value) => [value, next(4) === 0 ? IGNORE_INDEX : next(255)]));
  // Runs and noise: masks have the one, filters are tried by the other.
  let last = values[0]!;
  const image = Array.from({ length: pixels }, () => {
    if (next(3) === 0) last = values[next(values.length)]!;
    return last;
  });
  return { next, values, classOf, image, expected: image.map((value) => classOf.get(value)!) };
}

let root: string;
beforeAll(async () => {
  root = await fixture({});
});

async function read(png: Uint8Array, labelMap: LabelMap, rest: Partial<Annotation> = {}): Promise<number[]> {
  writeFileSync(join(root, "a.png"), png);
  const annotation = { kind: "mask", path: join(root, "a.png"), labelMap, ...rest } as Annotation;
  return [...(await readLabel(annotation)).data];
}

const key = (color: number): string => `${color >> 16},${(color >> 8) & 255},${color & 255}`;
const rgb = (color: number): number[] => [color >> 16, (color >> 8) & 255, color & 255];

describe("random labels are read back without one wrong pixel", () => {
  test("grey of 1, 2, 4, 8 and 16 bits", async () => {
    const bits = fc.constantFrom(1, 2, 4, 8, 16);
    await fc.assert(
      fc.asyncProperty(fc.record({ ...size, bits, seed, interlaced }), async (it) => {
        const { image, classOf, expected } = draw(it.seed, it.height * it.width, 2 ** it.bits);
        const png = encodePng(0, it.bits, it.height, it.width, image, [], it.interlaced);
        const classes = Object.fromEntries(classOf);
        expect(await read(png, { encoding: "values", classes })).toEqual(expected);
      }),
      SETTINGS,
    );
  });

  test("indexed of 1 to 8 bits with random palettes, by index and by colour", async () => {
    const bits = fc.constantFrom(1, 2, 4, 8);
    await fc.assert(
      fc.asyncProperty(fc.record({ ...size, bits, seed, interlaced }), async (it) => {
        const { next, image, classOf, expected } = draw(it.seed, it.height * it.width, 2 ** it.bits);
        const colors = new Set<number>();
        while (colors.size < 2 ** it.bits) colors.add(next(2 ** 24));
        const palette = [...colors];
        const body = Uint8Array.from(palette.flatMap(rgb));
        const png = encodePng(
          3,
          it.bits,
          it.height,
          it.width,
          image,
          [{ type: "PLTE", body }],
          it.interlaced,
        );
        const byIndex = Object.fromEntries(classOf);
        expect(await read(png, { encoding: "values", classes: byIndex })).toEqual(expected);
        const byColor = Object.fromEntries(
          [...classOf].map(([value, label]) => [key(palette[value]!), label]),
        );
        expect(await read(png, { encoding: "colors", classes: byColor })).toEqual(expected);
      }),
      SETTINGS,
    );
  });

  test("RGB, and RGBA with any alpha: as it is, or ignored where that is 0", async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ ...size, seed, interlaced, hasAlpha: fc.boolean() }), async (it) => {
        const { next, image, classOf, expected } = draw(it.seed, it.height * it.width, 2 ** 24);
        const alpha = image.map(() => (next(2) === 0 ? 0 : next(256)));
        const samples = image.flatMap((color, i) => [...rgb(color), ...(it.hasAlpha ? [alpha[i]!] : [])]);
        const type = it.hasAlpha ? 6 : 2;
        const png = encodePng(type, 8, it.height, it.width, samples, [], it.interlaced);
        const classes = Object.fromEntries([...classOf].map(([color, label]) => [key(color), label]));
        const labelMap = { encoding: "colors", classes } as const;
        expect(await read(png, labelMap)).toEqual(expected);
        const seen = expected.map((label, i) => (it.hasAlpha && alpha[i] === 0 ? IGNORE_INDEX : label));
        expect(await read(png, labelMap, { transparent: "ignore" })).toEqual(seen);
      }),
      SETTINGS,
    );
  });

  test("grey with alpha", async () => {
    await fc.assert(
      fc.asyncProperty(fc.record({ ...size, seed, interlaced }), async (it) => {
        const { next, image, classOf, expected } = draw(it.seed, it.height * it.width, 256);
        const alpha = image.map(() => next(3) * 100);
        const samples = image.flatMap((value, i) => [value, alpha[i]!]);
        const png = encodePng(4, 8, it.height, it.width, samples, [], it.interlaced);
        const labelMap = { encoding: "values", classes: Object.fromEntries(classOf) } as const;
        expect(await read(png, labelMap)).toEqual(expected);
        const seen = expected.map((label, i) => (alpha[i] === 0 ? IGNORE_INDEX : label));
        expect(await read(png, labelMap, { transparent: "ignore" })).toEqual(seen);
      }),
      SETTINGS,
    );
  });
});

describe("labels.threshold", () => {
  const labelMap = { encoding: "values", classes: { 0: 3, 255: 7 } } as const;

  test.each([
    ["8 bits", encodePng(0, 8, 1, 4, [0, 127, 128, 255]), [3, 3, 7, 7]],
    ["1 bit", encodePng(0, 1, 1, 4, [0, 1, 1, 0]), [3, 7, 7, 3]],
    ["16 bits", encodePng(0, 16, 1, 4, [0, 0x7fff, 0x8000, 0xffff]), [3, 3, 7, 7]],
    ["RGB of grey", encodePng(2, 8, 1, 2, [9, 9, 9, 200, 200, 200]), [3, 7]],
  ])("of %s is on the scale of 0 to 255", async (_, png, expected) => {
    expect(await read(png, labelMap, { threshold: 128 })).toEqual(expected);
  });

  test("what has no order is refused", async () => {
    const palette = { type: "PLTE", body: new Uint8Array(6) };
    await expect(read(encodePng(3, 8, 1, 1, [1], [palette]), labelMap, { threshold: 1 })).rejects.toThrow(
      "a.png, which is indexed; save it as grey",
    );
    await expect(read(encodePng(2, 8, 1, 1, [1, 2, 3]), labelMap, { threshold: 1 })).rejects.toThrow(
      "got the colour 1,2,3 in",
    );
  });
});

test("a colour map sees a 1-bit mask in black and white, as a viewer does", async () => {
  const classes = { "0,0,0": 0, "255,255,255": 1 };
  expect(await read(encodePng(0, 1, 1, 3, [0, 1, 0]), { encoding: "colors", classes })).toEqual([0, 1, 0]);
});

test("transparent pixels need no entry in the label map, nor do those of a wholly transparent mask", async () => {
  const labelMap = { encoding: "colors", classes: { "1,2,3": 5 } } as const;
  const half = encodePng(6, 8, 1, 2, [9, 9, 9, 0, 1, 2, 3, 255]);
  expect(await read(half, labelMap, { transparent: "ignore" })).toEqual([IGNORE_INDEX, 5]);
  const whole = encodePng(6, 8, 1, 1, [9, 9, 9, 0]);
  expect(await read(whole, labelMap, { transparent: "ignore" })).toEqual([IGNORE_INDEX]);
});

test.each([
  ["an index of the palette", 3, [0, 1], [Uint8Array.of(0, 0, 0, 9, 9, 9), Uint8Array.of(0)], { 0: 0, 1: 1 }],
  ["a grey value", 0, [7, 1], [undefined, Uint8Array.of(0, 7)], { 7: 0, 1: 1 }],
] as const)("tRNS makes %s transparent", async (_, type, samples, [palette, transparency], classes) => {
  const chunks = [
    ...(palette ? [{ type: "PLTE", body: palette }] : []),
    { type: "tRNS", body: transparency },
  ];
  const png = encodePng(type, 8, 1, 2, samples, chunks);
  expect(await read(png, { encoding: "values", classes })).toEqual([0, 1]);
  expect(await read(png, { encoding: "values", classes }, { transparent: "ignore" })).toEqual([255, 1]);
});
