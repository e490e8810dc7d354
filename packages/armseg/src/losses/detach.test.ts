import { readLossReport } from "@armseg/kernels";
import type { Tensor } from "@armseg/torch";
import { getThreads, manualSeed, nn, ops, optim, setThreads, tidy } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Curve } from "../reweighting/curve.ts";
import { LINES, LinearCurve } from "../reweighting/linear-curve.ts";
import { SegmentationLoss } from "./segmentation-loss.ts";

const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

class Perceptron extends nn.Module {
  readonly hidden = new nn.Conv2d(8, 64, 1);
  readonly last = new nn.Conv2d(64, 4, 1);
  forward(x: Tensor): Tensor {
    return this.last.call(this.hidden.call(x).relu());
  }
}

/** 256 pixels of four classes, a fifth of them labelled at random. */
function noisyPixels() {
  const pixels = onTestDevice(ops.randn([1, 8, 16, 16]));
  const truth = pixels.narrow(1, 0, 4).argmax(1);
  const isNoisy = onTestDevice(ops.rand([1, 16, 16])).lt(0.2);
  const noise = onTestDevice(ops.randint(0, 4, [1, 16, 16], { dtype: "int64" }));
  return { pixels, truth, labels: ops.where(isNoisy, noise, truth) };
}

interface Outcome {
  readonly confidence: number;
  readonly accuracy: number;
  readonly meanLoss: number;
}

function train(curve: Curve, detach: boolean): Outcome {
  using network = new Perceptron().to({ device: testDevice });
  const { pixels, truth, labels } = noisyPixels();
  using optimizer = new optim.SGD(network, { learningRate: 0.1, momentum: 0.9 });
  const criterion = new SegmentationLoss({ curve, detach, implementation: "composed" });
  for (let i = 0; i < 300; i++) {
    tidy(() => {
      optimizer.zeroGrad();
      criterion.call({ logits: network.call(pixels), labels }, { statistics: false }).loss.backward();
      optimizer.step();
    });
  }
  const logits = network.call(pixels);
  const result = criterion.call({ logits, labels });
  return {
    confidence: readLossReport(result.report!).meanConfidence,
    meanLoss: result.meanLoss.item(),
    accuracy: logits.argmax(1).eq(truth).to("float32").mean().item(),
  };
}

test("without detaching, a network under the focusing line gives up its confidence and with it the task", () => {
  const curve = new LinearCurve(LINES.focus);
  manualSeed(0);
  const detached = train(curve, true);
  manualSeed(0);
  const attached = train(curve, false);
  expect(detached.confidence).toBeGreaterThan(0.3);
  expect(detached.accuracy).toBeGreaterThan(0.8);
  expect(attached.confidence).toBeLessThan(-0.5);
  expect(attached.accuracy).toBeLessThan(0.5);
});

test("without detaching, under the suppressing line, it turns confident where it is wrong: the mean loss doubles", () => {
  const curve = new LinearCurve();
  manualSeed(0);
  const detached = train(curve, true);
  manualSeed(0);
  const attached = train(curve, false);
  expect(attached.confidence).toBeGreaterThan(detached.confidence);
  expect(attached.meanLoss).toBeGreaterThan(2 * detached.meanLoss);
});
