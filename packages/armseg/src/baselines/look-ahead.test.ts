import type { Tensor } from "@armseg/torch";
import { getThreads, gradients, manualSeed, ops, optim, parameter, setThreads, tidy } from "@armseg/torch";
import { onTestDevice, testDevice } from "@armseg/torch/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { numbers, relativeError } from "../reweighting/testing/numbers.ts";
import { learningToReweight } from "./learning-to-reweight.ts";
import type { LookAhead } from "./look-ahead.ts";
import { lossWeights, MetaWeightNet, metaWeightNetStep, weightGradient } from "./meta-weight-net.ts";

const threads = getThreads();
beforeAll(() => setThreads(1));
afterAll(() => setThreads(threads));

const kept: Tensor[] = [];
beforeEach(() => manualSeed(0));
afterEach(() => {
  for (const tensor of kept.splice(0)) tensor.dispose();
});

function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return logits.logSoftmax(1).gather(1, labels.unsqueeze(1)).squeeze(1).neg();
}

/** Pixels of three classes under a linear classifier; the first `noisy` of 64 training labels are wrong. */
function problem(noisy: number) {
  const [x, meta] = [0, 1].map(() => onTestDevice(ops.randn([1, 6, 8, 8], { dtype: "float64" }))) as [
    Tensor,
    Tensor,
  ];
  const truth = x.narrow(1, 0, 3).argmax(1);
  const isNoisy = ops.arange(64, { device: testDevice }).lt(noisy).reshape([1, 8, 8]);
  const labels = truth.add(isNoisy.to("int64")).remainder(3);
  const metaLabels = meta.narrow(1, 0, 3).argmax(1);
  const weight = parameter(onTestDevice(ops.randn([3, 6, 1, 1], { dtype: "float64" })).mul(0.3));
  kept.push(weight);
  const trainingLossAt = (w: Tensor) => crossEntropy(ops.conv2d(x, w), labels);
  const metaLossAt = (w: Tensor) => crossEntropy(ops.conv2d(meta, w), metaLabels).mean();
  const ahead: LookAhead = {
    parameters: [weight],
    trainingLoss: () => trainingLossAt(weight),
    metaLoss: () => metaLossAt(weight),
    valid: labels.ge(0),
    learningRate: 0.5,
  };
  return { ahead, weight, isNoisy, trainingLossAt, metaLossAt };
}

describe("one-step look-ahead", () => {
  test("dL_meta/dw is that of differentiating twice, and the parameters come back to the last bit", () => {
    const { ahead, weight, trainingLossAt, metaLossAt } = problem(20);
    const before = numbers(weight);
    const weights = onTestDevice(ops.rand([1, 8, 8], { dtype: "float64" })).requiresGrad_();
    const [step] = gradients([trainingLossAt(weight).mul(weights).mean()], [weight], { createGraph: true });
    const ahead2 = weight.sub((step as Tensor).mul(0.5));
    const [exact] = gradients([metaLossAt(ahead2)], [weights]);
    const found = weightGradient(ahead, ahead.trainingLoss(), weights);
    expect(relativeError(numbers(found), numbers(exact as Tensor))).toBeLessThan(1e-4); // O(ε²), ε = 0.01/‖g‖
    expect(numbers(weight)).toEqual(before);
  });

  test("every pass sees the same dropout", () => {
    const { ahead } = problem(20);
    const dropping: LookAhead = {
      ...ahead,
      trainingLoss: () => ops.dropout(ahead.trainingLoss(), 0.5, true),
    };
    const agreement = learningToReweight(dropping);
    // A dropped pixel is dropped on both sides of the difference: its weight is exactly 0.
    expect(numbers(agreement).filter((w) => w === 0).length).toBeGreaterThan(20);
  });
});

describe("Learning-to-Reweight", () => {
  test("gives pixels of wrong labels less weight, and weights of mean 1", () => {
    const { ahead, isNoisy } = problem(24);
    const weights = learningToReweight(ahead);
    const mean = (of: Tensor) => weights.maskedSelect(of).mean().item();
    expect(weights.mean().item()).toBeCloseTo(1, 10);
    expect(mean(isNoisy)).toBeLessThan(0.5 * mean(isNoisy.logicalNot()));
  });

  test("is 0 where ignored, and everywhere if nothing agrees", () => {
    const { ahead, weight } = problem(24);
    const valid = ops.arange(64, { device: testDevice }).ge(30).reshape([1, 8, 8]);
    expect(numbers(learningToReweight({ ...ahead, valid })).slice(0, 30)).toEqual(new Array(30).fill(0));
    const nothing = learningToReweight({ ...ahead, metaLoss: () => weight.mul(0).sum() });
    expect(numbers(nothing)).toEqual(new Array(64).fill(0));
  });
});

describe("Meta-Weight-Net", () => {
  test("is 1-100-1, and its knots are within 1e-4 of the perceptron", () => {
    using net = new MetaWeightNet().to({ dtype: "float64", device: testDevice });
    expect([...net.parameters()].reduce((sum, p) => sum + p.numel, 0)).toBe(301);
    const loss = onTestDevice(ops.rand([1, 8, 8], { dtype: "float64" })).mul(9);
    expect(relativeError(numbers(lossWeights(net, loss)), numbers(net.call(loss)))).toBeLessThan(1e-4);
  });

  test("learns to give pixels of wrong labels less weight", () => {
    const { ahead, weight, isNoisy } = problem(24);
    using net = new MetaWeightNet().to({ dtype: "float64", device: testDevice });
    using optimizer = new optim.Adam(net, { learningRate: 0.01 });
    using descent = new optim.SGD([["weight", weight]], { learningRate: 0.5 });
    const descend = (weights: Tensor) => {
      descent.zeroGrad();
      ahead.trainingLoss().mul(weights).mean().backward();
      descent.step();
      return weights;
    };
    // At a random start every label helps; what the wrong ones do shows once the others are learned.
    for (let i = 0; i < 100; i++) tidy(() => descend(ahead.valid));
    for (let i = 0; i < 80; i++) tidy(() => descend(metaWeightNetStep(net, optimizer, ahead)));
    const weights = lossWeights(net, ahead.trainingLoss());
    const mean = (of: Tensor) => weights.maskedSelect(of).mean().item();
    expect(mean(isNoisy)).toBeLessThan(0.7 * mean(isNoisy.logicalNot()));
  });

  test("leaves the network's gradients alone", () => {
    const { ahead, weight } = problem(10);
    using net = new MetaWeightNet().to({ dtype: "float64", device: testDevice });
    using optimizer = new optim.SGD(net, { learningRate: 1 });
    metaWeightNetStep(net, optimizer, ahead);
    expect(weight.grad).toBeNull();
  });
});
