import { expect, test } from "vitest";
import { manualSeed, memory, nn, ops, optim, setThreads, tidy } from "../index.ts";
import { isOnCpu, onTestDevice, testDevice } from "../testing/test-device.ts";

test("200 steps of training leave no tensor behind, hold the memory and lower the loss", () => {
  manualSeed(0);
  setThreads(1); // so small a network is faster so, on a busy machine above all
  using network = new nn.Sequential(
    new nn.Conv2d(3, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU({ inPlace: true }),
    new nn.Dropout2d(0.1),
    new nn.Conv2d(16, 3, 1),
  ).to({ device: testDevice });
  using optimizer = new optim.SGD(network, { learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 });
  using images = onTestDevice(ops.randn([2, 3, 48, 48]));
  using labels = images.argmax(1);

  const step = (): number =>
    tidy(() => {
      optimizer.zeroGrad();
      const loss = network.call(images).crossEntropyLoss(labels);
      loss.backward();
      optim.clipGradNorm(network.parameters(), 5);
      optimizer.step();
      return loss.item();
    });

  const first = step();
  for (let i = 0; i < 50; i++) step();
  const { tensors, collected } = memory();
  const residentBytes = process.memoryUsage().rss;
  const growth: number[] = [];
  for (let i = 0; i < 150; i++) {
    step();
    growth.push(memory().tensors - tensors);
  }
  expect(new Set(growth)).toEqual(new Set([0]));
  expect(memory().collected).toBe(collected);
  // One leaked activation a step would be 150 · 0.3 MB. Those of another device are not in the process's memory.
  if (isOnCpu) expect(process.memoryUsage().rss - residentBytes).toBeLessThan(15e6);
  expect(step()).toBeLessThan(first * 0.5);
});
