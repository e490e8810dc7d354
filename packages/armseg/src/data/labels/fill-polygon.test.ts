import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { golden } from "../test-support.ts";
import { type Canvas, fillPolygon } from "./fill-polygon.ts";
import { readLabel } from "./read-label.ts";
import { decompressCounts, fillRunLengths, runLengthsOf } from "./run-length.ts";

// Made by golden/make-polygon-goldens.py with PIL and pycocotools.
const { height, width, cases, shapes } = golden<{
  height: number;
  width: number;
  cases: { ring: number[]; pil: number[]; coco?: number[]; compressed?: string }[];
  shapes: { shape_type: string; points: [number, number][]; runs: number[] }[];
}>("polygons.json");

function canvas(): Canvas {
  return { height, width, data: new Uint8Array(height * width) };
}

function painted(paint: (target: Canvas) => void): Uint8Array {
  const target = canvas();
  paint(target);
  return target.data;
}

function fromRuns(counts: number[]): Uint8Array {
  return painted((target) =>
    fillRunLengths(target, { kind: "rle", height, width, counts, isRowMajor: true }, 1),
  );
}

function differing(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Number(value !== b[i]), 0);
}

/** Pixels of `a` outside `b` grown by one pixel, and the reverse: none if they agree within a pixel. */
function farApart(a: Uint8Array, b: Uint8Array): number {
  const near = (mask: Uint8Array, i: number): boolean =>
    [-1, 0, 1].some((dy) => [-1, 0, 1].some((dx) => mask[i + dy * width + dx] === 1));
  return a.reduce(
    (sum, value, i) => sum + Number(value === 1 && !near(b, i)) + Number(b[i] === 1 && !near(a, i)),
    0,
  );
}

describe("fillPolygon() and the tools it follows", () => {
  test("a square with its border, and with pixel centres only", () => {
    const square = [[1, 1, 3, 1, 3, 3, 1, 3]];
    const paint = (rule: "closed" | "centres"): number[] => {
      const target = { height: 5, width: 5, data: new Uint8Array(25) };
      fillPolygon(target, square, 1, rule);
      return [...target.data];
    };
    expect(paint("closed")).toEqual([
      0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0,
    ]);
    expect(paint("centres")).toEqual([
      0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
  });

  test("a ring within a ring is a hole", () => {
    const target = { height: 8, width: 8, data: new Uint8Array(64) };
    fillPolygon(
      target,
      [
        [0, 0, 8, 0, 8, 8, 0, 8],
        [2, 2, 6, 2, 6, 6, 2, 6],
      ],
      1,
      "centres",
    );
    expect(target.data.reduce((a, b) => a + b)).toBe(64 - 16);
  });

  test("PIL's polygons: 99.3 % of all pixels equal, none further than a pixel away", () => {
    let wrong = 0;
    for (const { ring, pil } of cases) {
      const ours = painted((target) => fillPolygon(target, [ring], 1));
      expect(farApart(ours, fromRuns(pil))).toBe(0);
      wrong += differing(ours, fromRuns(pil));
    }
    expect(wrong / (cases.length * height * width)).toBeLessThan(0.007);
  });

  test("COCO's polygons: the same", () => {
    const stars = cases.filter(({ coco }) => coco);
    let wrong = 0;
    for (const { ring, coco } of stars) {
      const ours = painted((target) => fillPolygon(target, [ring], 1, "centres"));
      expect(farApart(ours, fromRuns(coco!))).toBe(0);
      wrong += differing(ours, fromRuns(coco!));
    }
    expect(wrong / (stars.length * height * width)).toBeLessThan(0.007);
  });

  test("LabelMe's shapes: the same", async () => {
    const folder = mkdtempSync(join(tmpdir(), "armseg-"));
    const labelMap = { encoding: "names", classes: { thing: 1 } } as const;
    let wrong = 0;
    for (const [i, { runs, ...shape }] of shapes.entries()) {
      const path = join(folder, `${i}.json`);
      writeFileSync(
        path,
        JSON.stringify({ shapes: [{ label: "thing", ...shape }], imageHeight: height, imageWidth: width }),
      );
      const ours = await readLabel({ kind: "regions", path, format: "labelme", labelMap, background: 0 });
      expect([shape.shape_type, farApart(ours.data, fromRuns(runs))]).toEqual([shape.shape_type, 0]);
      wrong += differing(ours.data, fromRuns(runs));
    }
    expect(wrong / (shapes.length * height * width)).toBeLessThan(0.007);
  });

  test("coordinates beyond all reason paint nothing or the whole row, and end", () => {
    for (const rule of ["closed", "centres"] as const) {
      const far = painted((target) =>
        fillPolygon(target, [[1e300, 1e300, -1e300, 1e300, 0, 2e300]], 1, rule),
      );
      expect(differing(far, canvas().data)).toBe(0);
      const wide = painted((target) =>
        fillPolygon(target, [[-1e9, -1e9, 1e9, -1e9, 1e9, 1e9, -1e9, 1e9]], 1, rule),
      );
      expect(wide.every((value) => value === 1)).toBe(true);
    }
  });
});

describe("run lengths", () => {
  test("COCO's compressed form, exactly", () => {
    for (const { coco, compressed } of cases.filter((item) => item.compressed))
      expect(
        painted((target) => fillRunLengths(target, { kind: "rle", height, width, counts: compressed! }, 1)),
      ).toEqual(fromRuns(coco!));
  });

  test("runs that do not add up are an error", () => {
    const fill = (counts: number[]) => () =>
      fillRunLengths(canvas(), { kind: "rle", height: 2, width: 2, counts, top: 0, left: 0 }, 1);
    expect(fill([1, 2])).toThrow("runs of 3 pixels in a run-length mask of 4 pixels");
    expect(fill([5, -1])).toThrow("a run of -1 pixels");
    expect(fill([1.5, 2.5])).toThrow("a run of 1.5 pixels");
    expect(() => decompressCounts("~~")).toThrow("damaged at character 1");
    expect(() =>
      fillRunLengths(canvas(), { kind: "rle", height: 1e6, width: 1e6, counts: [0, 1e12] }, 1),
    ).toThrow("too large");
  });

  test("of a mask, and back", () => {
    const mask = [0, 1, 1, 0, 1, 1];
    expect(runLengthsOf(mask)).toEqual([1, 2, 1, 2]);
    const target = { height: 2, width: 3, data: new Uint8Array(6) };
    fillRunLengths(
      target,
      { kind: "rle", height: 2, width: 3, counts: runLengthsOf(mask), isRowMajor: true },
      1,
    );
    expect([...target.data]).toEqual(mask);
  });
});
