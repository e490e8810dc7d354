import { fromTypedArray, manualSeed, ops, tidy } from "@armseg/torch";
import { onTestDevice } from "@armseg/torch/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfusionMatrix } from "./confusion-matrix.ts";
import { adeScore, computeMetrics, metricsTable, nanMean } from "./metrics.ts";
import { golden } from "./testing/golden.ts";

const NAN = Number.NaN;

describe("metrics against numpy", () => {
  test.each(golden.metrics)("$classes classes, to 1e-12", (expected) => {
    const confusion = new ConfusionMatrix(expected.classes).addMaps(
      Uint8Array.from(expected.labels),
      Uint8Array.from(expected.predictions),
    );
    expect(confusion.toArray()).toEqual(expected.confusion);
    const metrics = computeMetrics(confusion);
    for (const key of ["aAcc", "mAcc", "mIoU"] as const)
      expect(Math.abs(metrics[key] - expected[key])).toBeLessThan(1e-12);
    for (const key of ["iou", "accuracy"] as const)
      metrics[key].forEach((value, c) => {
        const wanted = expected[key][c] ?? NAN;
        if (Number.isNaN(wanted)) expect(value).toBeNaN();
        else expect(Math.abs(value - wanted)).toBeLessThan(1e-12);
      });
  });
});

describe("metrics by hand", () => {
  // Class 0: 3 right of 4; class 1: 1 right of 2; class 2 is predicted once, never labelled; class 3 neither.
  const confusion = ConfusionMatrix.fromArray([
    [3, 1, 0, 0],
    [0, 1, 1, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);

  test("a class that is never labelled but predicted has IoU 0, an absent one NaN", () => {
    const metrics = computeMetrics(confusion);
    expect(metrics.iou).toEqual([3 / 4, 1 / 3, 0, NAN]);
    expect(metrics.accuracy).toEqual([3 / 4, 1 / 2, NAN, NAN]);
    expect(metrics).toMatchObject({
      aAcc: 4 / 6,
      mAcc: 5 / 8,
      mIoU: (3 / 4 + 1 / 3) / 3,
      pixels: 6,
      labelPixels: [4, 2, 0, 0],
    });
    expect(adeScore(metrics)).toBe((4 / 6 + (3 / 4 + 1 / 3) / 3) / 2);
  });

  test("nothing counted: NaN, not 0", () => {
    const { aAcc, mAcc, mIoU } = computeMetrics(new ConfusionMatrix(2));
    expect([aAcc, mAcc, mIoU]).toEqual([NAN, NAN, NAN]);
    expect(nanMean([])).toBeNaN();
  });

  test("the table says where there were no pixels", () => {
    const metrics = computeMetrics(confusion);
    expect(
      metricsTable(metrics, ["road", "car", "sky", "bus"], { mean: 0.5, iou: [0.5, 0.5, 0.5, NAN] }),
    ).toBe(`class        IoU   accuracy  boundary IoU  share of pixels
road       75.00      75.00         50.00            66.67
car        33.33      50.00         50.00            33.33
sky         0.00  no pixels         50.00             0.00
bus    no pixels  no pixels     no pixels             0.00
mean       36.11      62.50         50.00
Pixel accuracy (aAcc) 66.67, 6 pixels; all in percent.
`);
    expect(() => metricsTable(metrics, ["road"])).toThrow(/expected 4 class names, got 1/);
  });
});

describe("the confusion matrix", () => {
  const cases = fc.record({
    classes: fc.integer({ min: 2, max: 21 }),
    low: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 })),
    high: fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 })),
    dtype: fc.constantFrom("float32" as const, "float64" as const),
    seed: fc.nat(1e6),
  });

  test("from logits equals upsampling, arg-max and counting, by kernel and by bands", () => {
    fc.assert(
      fc.property(cases, ({ classes, low, high, dtype, seed }) => {
        tidy(() => {
          manualSeed(seed);
          const logits = onTestDevice(ops.randn([2, classes, ...low], { dtype }));
          const all = onTestDevice(ops.randint(0, classes, [2, ...high], { dtype: "int64" }));
          const labels = all.maskedFill(onTestDevice(ops.rand([2, ...high])).lt(0.2), 255);
          const full = ops.upsampleBilinear2d(logits.to("cpu", "float64"), high, false, null);
          const expected = new ConfusionMatrix(classes).addMaps(
            labels.to("cpu", "uint8").toTypedArray() as Uint8Array,
            full.argmax(1).to("cpu", "uint8").toTypedArray() as Uint8Array,
          );
          const confusion = new ConfusionMatrix(classes);
          confusion.add(logits, labels);
          const moved =
            confusion.counts.reduce((sum, n, i) => sum + Math.abs(n - expected.counts[i]!), 0) / 2;
          // Two classes may differ by less than float32 tells apart: one pixel in thousands.
          expect(moved).toBeLessThanOrEqual(dtype === "float64" ? 0 : 1);
          expect(confusion.counts.reduce((a, b) => a + b)).toBe(expected.counts.reduce((a, b) => a + b));
        });
      }),
      { numRuns: 40 },
    );
  });

  test("add() returns the image's own counts, merge() adds parts in any order", () => {
    manualSeed(3);
    const [first, second] = [0, 1].map(() => ({
      logits: onTestDevice(ops.randn([1, 4, 5, 6])),
      labels: onTestDevice(ops.randint(0, 4, [1, 20, 24], { dtype: "uint8" })),
    }));
    const whole = new ConfusionMatrix(4);
    const parts = [first!, second!].map(({ logits, labels }) => whole.add(logits, labels));
    const merged = new ConfusionMatrix(4).merge(parts[1]!).merge(parts[0]!);
    expect(merged.counts).toEqual(whole.counts);
    expect(parts[0]!.counts.reduce((a, b) => a + b)).toBe(480);
    expect(ConfusionMatrix.fromArray(whole.toArray()).counts).toEqual(whole.counts);
  });

  test("counts beyond 2^32 stay exact", () => {
    const large = ConfusionMatrix.fromArray([
      [2 ** 52, 0],
      [0, 1],
    ]);
    large.merge(
      ConfusionMatrix.fromArray([
        [1, 0],
        [0, 0],
      ]),
    );
    expect(large.at(0, 0)).toBe(2 ** 52 + 1);
  });

  test("a label that is no class is an error with its place", () => {
    const logits = ops.zeros([1, 3, 2, 2]);
    const labels = fromTypedArray(Uint8Array.of(0, 1, 2, 34), [1, 2, 2]);
    expect(() => new ConfusionMatrix(3).add(logits, labels)).toThrow(/label 34 at image 0, row 1, column 1/);
    const maps = [Uint8Array.of(0, 34), Uint8Array.of(0, 0)] as const;
    expect(() => new ConfusionMatrix(3).addMaps(...maps)).toThrow(
      /expected every label in 0\.\.2.*got label 34 at pixel 1/,
    );
    expect(() => new ConfusionMatrix(3).addMaps(maps[1], maps[0])).toThrow(/prediction 34 at pixel 1/);
    expect(() => new ConfusionMatrix(3).addMaps(maps[1], Uint8Array.of(0))).toThrow(/got 1 for 2/);
    expect(() => new ConfusionMatrix(4).add(logits, labels)).toThrow(/expected logits of 4 classes/);
    expect(() => new ConfusionMatrix(256)).toThrow(/2 to 255 classes, got 256/);
    expect(() => new ConfusionMatrix(3).merge(new ConfusionMatrix(4))).toThrow(/expected 3 classes, got 4/);
    expect(() => ConfusionMatrix.fromArray([[1], [2]])).toThrow(/expected 2 columns, got 1/);
  });
});
