import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";

// Worker threads run plain JavaScript, so they use the built package.
const built = fileURLToPath(new URL("../dist/index.js", import.meta.url));

const PROGRAM = `
  const { parentPort, workerData } = require("node:worker_threads");
  import(workerData.built).then(({ tensor, tidy, noGrad, memory, manualSeed, ops }) => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    for (let i = 0; i < 2000; i++) {
      tidy(() => {
        x.grad = null;
        x.mul(workerData.factor).sum().backward();
      });
      noGrad(() => x.add(1)).dispose();
    }
    const grad = tidy(() => x.grad.toArray());
    parentPort.postMessage({ grad, tensors: memory().tensors });
  });
`;

function runWorker(factor: number): Promise<{ grad: number[]; tensors: number }> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(PROGRAM, { eval: true, workerData: { built, factor } });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

test("two worker threads compute at once, each with its own tensors and scopes", async () => {
  expect(existsSync(built), "npm run build:ts makes packages/torch/dist").toBe(true);
  const results = await Promise.all([runWorker(2), runWorker(5)]);
  expect(results).toEqual([
    { grad: [2, 2, 2], tensors: 1 },
    { grad: [5, 5, 5], tensors: 1 },
  ]);
});

test("a worker that is stopped in the middle leaves the process standing", async () => {
  const worker = new Worker(PROGRAM.replace("i < 2000", "i < 1e9"), {
    eval: true,
    workerData: { built, factor: 2 },
  });
  await new Promise((resolve) => setTimeout(resolve, 700));
  await worker.terminate();
  expect((await runWorker(3)).grad).toEqual([3, 3, 3]);
});
