// A worker thread for tests: it dies or falls silent on samples of that name, and answers every other.
import { parentPort, workerData } from "node:worker_threads";

const stage = new Int32Array(workerData.stage);

parentPort.on("message", ({ sample }) => {
  Atomics.store(stage, 0, 2);
  if (sample.name === "exit") process.exit(3);
  if (sample.name === "throw") throw new Error("out of luck");
  if (sample.name === "silent") return;
  if (sample.name === "busy") for (;;);
  parentPort.postMessage({ result: { validPixels: sample.name.length } });
});
