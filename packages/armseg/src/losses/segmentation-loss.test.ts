import { readLossReport } from "@armseg/kernels";
import {
  amp,
  fromTypedArray,
  gradients,
  manualSeed,
  memory,
  nn,
  ops,
  type Tensor,
  tensor,
  tidy,
} from "@armseg/torch";
import { isOnCpu, onTestDevice, testDevice } from "@armseg/torch/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { ArmCurve } from "../reweighting/arm-curve.ts";
import { LinearCurve } from "../reweighting/linear-curve.ts";
import { numbers, relativeError } from "../reweighting/testing/numbers.ts";
import type { SegmentationLossOptions } from "./segmentation-loss.ts";
import { SegmentationLoss } from "./segmentation-loss.ts";
import { isFusedOnTestDevice } from "./testing/fused-device.ts";

beforeEach(() => manualSeed(0));

const IMPLEMENTATIONS = isFusedOnTestDevice ? (["composed", "fused"] as const) : (["composed"] as const);

/** Shared by the tests that only need some curve. */
const arm = new ArmCurve().to({ device: testDevice });

const composed = (options: SegmentationLossOptions = {}) =>
  new SegmentationLoss({ ...options, implementation: "composed" });

function batch() {
  return {
    logits: onTestDevice(ops.randn([2, 3, 4, 4])).requiresGrad_(),
    labels: onTestDevice(ops.randint(0, 3, [2, 7, 9], { dtype: "int64" })),
  };
}

/** The curve that always returns one number. */
class Constant extends nn.Module {
  readonly #value: number;
  constructor(value: number) {
    super();
    this.#value = value;
  }
  forward(u: Tensor): Tensor {
    return u.mul(0).add(this.#value);
  }
}

describe("SegmentationLoss", () => {
  test("without options is PyTorch's cross entropy over the valid pixels", () => {
    const logits = onTestDevice(ops.randn([2, 3, 5, 6], { dtype: "float64" }));
    const labels = onTestDevice(ops.randint(0, 3, [2, 5, 6], { dtype: "int64" })).maskedFill(
      onTestDevice(ops.rand([2, 5, 6])).lt(0.3),
      255,
    );
    const expected = logits.crossEntropyLoss(labels, { ignoreIndex: 255 }).item();
    expect(composed().call({ logits, labels }).loss.item()).toBeCloseTo(expected, 12);
    const all = composed({ normalise: "all" }).call({ logits, labels }).loss.item();
    expect(all).toBeCloseTo((expected * labels.ne(255).sum().item()) / 60, 12);
  });

  test("by hand: one likely and one unlikely pixel under Linear ARM", () => {
    // likelihoods (3/4, 1/4) and (1/2, 1/2): u = 2·(2·10/16 − 1) − 1 = −1/2 and −1, W = 3/4 and 1
    const logits = tensor([[[[Math.log(3), 0]], [[0, 0]]]], { dtype: "float64", device: testDevice });
    const labels = onTestDevice(fromTypedArray(Uint8Array.from([0, 1]), [1, 1, 2]));
    const { objective, meanLoss } = composed({ curve: new LinearCurve() }).call({ logits, labels });
    expect(objective.item()).toBeCloseTo((0.75 * Math.log(4 / 3) + Math.log(2)) / 1.75, 14);
    expect(meanLoss.item()).toBeCloseTo((Math.log(4 / 3) + Math.log(2)) / 2, 14);
  });

  test("isolated: the network descends the mean, the curve climbs Q, neither sees the other", () => {
    using curve = new ArmCurve().to({ device: testDevice });
    const { logits, labels } = batch();
    const criterion = composed({ curve });
    const isolated = criterion.call({ logits, labels }, { phase: "isolated" });
    const joint = criterion.call({ logits, labels });
    const plain = composed().call({ logits, labels });
    expect(isolated.loss.item()).toBeCloseTo(isolated.meanLoss.item() + isolated.objective.item(), 6);
    const leaves = [logits, curve.conv1.weight];
    const [byLogits, byCurve] = gradients([isolated.loss], leaves) as Tensor[];
    const [plainByLogits] = gradients([plain.loss], [logits]) as Tensor[];
    const [, jointByCurve] = gradients([joint.loss], leaves) as Tensor[];
    for (const [found, expected] of [
      [byLogits, plainByLogits],
      [byCurve, jointByCurve],
    ].map((pair) => pair.map((gradient) => numbers(gradient as Tensor))) as [number[], number[]][]) {
      // CUDA may add up a gradient in another order each time.
      if (isOnCpu) expect(found).toEqual(expected);
      else expect(relativeError(found, expected)).toBeLessThan(1e-5);
    }
  });

  test("accepts uint8 and int64 labels, and half precision logits in float32", () => {
    const { logits, labels } = batch();
    const criterion = composed({ curve: arm });
    const expected = criterion.call({ logits, labels }).loss;
    expect(criterion.call({ logits, labels: labels.to("uint8") }).loss.item()).toBe(expected.item());
    const half = logits.to("bfloat16");
    const narrow = criterion.call({ logits: half, labels }).loss;
    expect([narrow.dtype, narrow.item()]).toEqual([
      "float32",
      criterion.call({ logits: half.to("float32"), labels }).loss.item(),
    ]);
  });

  test("is the same number under autocast", () => {
    const { logits, labels } = batch();
    const criterion = composed({ curve: arm });
    const expected = criterion.call({ logits, labels }).loss.item();
    const mixed = amp.autocast(
      testDevice,
      { dtype: "bfloat16" },
      () => criterion.call({ logits, labels }).loss,
    );
    expect(mixed.item()).toBe(expected);
  });

  test("statistics and bins add up", () => {
    const { logits, labels } = batch();
    const result = composed({ curve: arm, p: 3 }).call({ logits, labels });
    const { bins } = result.report!;
    const figures = readLossReport(result.report!);
    expect([figures.validPixels, figures.keptPixels]).toEqual([126, 126]);
    expect(bins?.count.sum().item()).toBeCloseTo(126, 9);
    expect(bins?.weightSum.sum().item()).toBeCloseTo(figures.weightSum, 9);
    expect(bins?.lossSum.sum().item()).toBeCloseTo(figures.lossSum, 9);
    expect(figures.lossSum / 126).toBeCloseTo(result.meanLoss.item(), 5);
    expect(figures.weightedLossSum / figures.weightSum).toBeCloseTo(result.objective.item(), 5);
    expect(result.knots?.shape).toEqual([1025]);
  });

  test("dQ/dknots follows from the bins: (Σl − SL/Sp·Σw^(p−1))/S1", () => {
    const { logits, labels } = batch();
    const knots = onTestDevice(ops.rand([9]))
      .add(0.1)
      .requiresGrad_();
    class Table extends nn.Module {
      forward(u: Tensor): Tensor {
        const x = u.add(1).mul(4).clamp(0, 8);
        const k = x.detach().floor().clampMax(7);
        const at = (i: Tensor) => knots.indexSelect(0, i.to("int64").reshape([-1])).reshape(u.shape);
        return at(k).add(at(k.add(1)).sub(at(k)).mul(x.sub(k)));
      }
    }
    const result = composed({ curve: new Table(), p: 3, curveIntervals: 8 }).call({ logits, labels });
    const [gradient] = gradients([result.loss], [knots]);
    const { weightSum, weightPowerSum, weightedLossSum, bins } = result.report!;
    const level = weightedLossSum.div(weightPowerSum);
    const expected = bins!.lossSum.sub(bins!.weightPowerSum.mul(level)).div(weightSum);
    expect(relativeError(numbers(gradient as Tensor), numbers(expected))).toBeLessThan(1e-5);
  });

  test.each(IMPLEMENTATIONS)("%s leaves no tensor behind", (implementation) => {
    const { logits, labels } = batch();
    const criterion = new SegmentationLoss({ curve: arm, implementation });
    const before = memory().tensors;
    for (let i = 0; i < 20; i++)
      tidy(() => gradients([criterion.call({ logits, labels }).loss], [logits]).length);
    expect(memory().tensors).toBe(before);
  });
});

describe("SegmentationLoss, degenerate batches", () => {
  const curves = { none: null, arm, line: new LinearCurve() };

  test.each(["none", "arm", "line"] as const)(
    "no valid pixel: 0 with zero gradient, counted (%s)",
    (name) => {
      const { logits, labels } = batch();
      for (const phase of ["joint", "isolated"] as const) {
        const criterion = composed({ curve: curves[name] });
        const { loss, report } = criterion.call({ logits, labels: labels.fill_(255) }, { phase });
        expect(loss.item()).toBe(0);
        expect(numbers(gradients([loss], [logits])[0] as Tensor).every((g) => g === 0)).toBe(true);
        expect(readLossReport(report!).isEmpty).toBe(true);
      }
    },
  );

  test("all weights 0: 0 with zero gradient, counted", () => {
    const { logits, labels } = batch();
    const { loss, report } = composed({ curve: new Constant(0) }).call({ logits, labels });
    expect(loss.item()).toBe(0);
    expect(numbers(gradients([loss], [logits])[0] as Tensor).every((g) => g === 0)).toBe(true);
    expect(readLossReport(report!)).toMatchObject({ validPixels: 126, isEmpty: true });
  });

  test("a constant curve is no curve", () => {
    const { logits, labels } = batch();
    const { objective, meanLoss } = composed({ curve: new Constant(0.3) }).call({ logits, labels });
    expect(objective.item()).toBeCloseTo(meanLoss.item(), 6);
  });

  test("one class present, saturated logits: finite", () => {
    for (const indicator of ["var", "std", "logVar", "entropy"] as const) {
      for (const pixelLoss of ["ce", "gce", "focal"] as const) {
        for (const sign of [1e4, -1e4]) {
          const logits = tensor([[[[sign, 0]], [[0, -sign]]]], { device: testDevice }).requiresGrad_();
          const labels = onTestDevice(fromTypedArray(Uint8Array.from([1, 1]), [1, 1, 2]));
          const criterion = composed({ curve: arm, indicator, pixelLoss, detach: false });
          const { loss } = criterion.call({ logits, labels });
          const gradient = numbers(gradients([loss], [logits])[0] as Tensor);
          expect([loss.item(), ...gradient].every(Number.isFinite), `${indicator} ${pixelLoss}`).toBe(true);
        }
      }
    }
  });
});

describe("SegmentationLoss, errors", () => {
  test("NaN at a valid pixel is an error that says so", () => {
    const { logits, labels } = batch();
    const broken = logits.detach().clone();
    broken.select(0, 1).select(0, 0).select(0, 2).fill_(Number.NaN);
    expect(() => composed().call({ logits: broken, labels })).toThrow(
      /expected finite losses, got NaN or infinity at \d+ valid pixels/,
    );
  });

  test("a label outside of the classes is named", () => {
    const { logits, labels } = batch();
    labels.select(0, 0).select(0, 1).fill_(34);
    expect(() => composed().call({ logits, labels })).toThrow(
      "expected labels 0 to 2 or the ignore index 255, got 34 (9 such pixels)",
    );
    labels.fill_(-1);
    expect(() => composed().call({ logits, labels })).toThrow("got -1");
    expect(composed({ ignoreIndex: -1 }).call({ logits, labels }).loss.item()).toBe(0);
  });

  test("a curve that returns negative weights or NaN is named", () => {
    const { logits, labels } = batch();
    for (const value of [-0.5, Number.NaN]) {
      expect(() => composed({ curve: new Constant(value) }).call({ logits, labels })).toThrow(
        `expected a curve of weights that are finite and not negative, got ${value}`,
      );
    }
  });

  test("shapes and dtypes that do not fit are named", () => {
    const { logits, labels } = batch();
    const call = (more: object) => () => composed().call({ logits, labels, ...more });
    expect(call({ labels: labels.select(0, 0) })).toThrow("got [2, 3, 4, 4] and [7, 9]");
    expect(call({ labels: labels.to("float32") })).toThrow("labels of dtype uint8 or int64, got float32");
    expect(call({ pixelWeights: ops.ones([2, 7, 8]) })).toThrow(
      "pixelWeights of the labels' shape [2, 7, 9], got [2, 7, 8]",
    );
    expect(call({ logScale: ops.ones([2, 1, 7, 9]) })).toThrow(
      "expected logScale [2, 1, 4, 4], of the logits' resolution",
    );
    expect(() => composed({ classWeights: ops.ones([4]) }).call({ logits, labels })).toThrow(
      "expected 3 classWeights",
    );
  });

  test("options out of range are named", () => {
    expect(() => composed({ p: 0.5 })).toThrow("expected p of at least 1, got 0.5");
    expect(() => composed({ q: 0 })).toThrow("expected q in (0, 1], got 0");
    expect(() => composed({ gamma: -1 })).toThrow("expected gamma of at least 0, got -1");
    expect(() => composed({ curveIntervals: 2.5 })).toThrow(
      "curveIntervals that is whole and positive, got 2.5",
    );
  });

  test("fused says why it does not apply", () => {
    const { logits, labels } = batch();
    const criterion = new SegmentationLoss({ implementation: "fused", detach: false });
    expect(() => criterion.call({ logits, labels })).toThrow(
      "implementation fused supports, got detach: false needs",
    );
  });
});
