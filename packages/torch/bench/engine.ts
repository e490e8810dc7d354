/**
 * What the native binding costs: a small operator, and a training step of 16 blocks, beside Python's PyTorch on the same libtorch.
 *
 * Run with `npm run bench -w packages/torch`.
 */
import { fileURLToPath } from "node:url";
import { medianMs, runPeer } from "../src/bench.ts";
import { getThreads, keepFreedMemory, libtorchVersion, nn, ops, optim, tidy } from "../src/index.ts";

const CALLS = 20_000;
const RUNS = 5;

interface Figures {
  readonly version: string;
  readonly addMicroseconds: number;
  readonly stepMs: number;
  readonly stepChannelsLastMs: number;
}

function addMicroseconds(): number {
  using one = ops.ones([1]);
  const adds = (): void =>
    tidy(() => {
      for (let i = 0; i < CALLS; i++) one.add(one);
    });
  return (medianMs(adds, { runs: RUNS }) * 1e3) / CALLS;
}

function block(): nn.Module {
  return new nn.Sequential(
    new nn.Conv2d(256, 256, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(256),
    new nn.ReLU({ inPlace: true }),
  );
}

function stepMs(memoryFormat: "contiguous" | "channels_last"): number {
  const net = new nn.Sequential(...Array.from({ length: 16 }, block)).to({ memoryFormat });
  const sgd = new optim.SGD(net, { learningRate: 0.01, momentum: 0.9, weightDecay: 1e-4 });
  using x = tidy(() => ops.randn([2, 256, 32, 64]).contiguous({ memoryFormat }));
  const step = (): void =>
    tidy(() => {
      sgd.zeroGrad();
      net.call(x).mean().backward();
      sgd.step();
    });
  return medianMs(step, { runs: RUNS });
}

keepFreedMemory();
const ours: Figures = {
  version: libtorchVersion(),
  addMicroseconds: addMicroseconds(),
  stepMs: stepMs("contiguous"),
  stepChannelsLastMs: stepMs("channels_last"),
};
const peer = runPeer<Figures>(
  fileURLToPath(new URL("./peer.py", import.meta.url)),
  [String(CALLS), String(RUNS)],
  { threads: getThreads() },
);

const rows: [string, number, number | undefined, string][] = [
  ["add of one element, µs", ours.addMicroseconds, peer?.addMicroseconds, "at most 2.5"],
  ["16 conv-BN-ReLU, step, ms", ours.stepMs, peer?.stepMs, "at most 1"],
  ["the same in channels_last, ms", ours.stepChannelsLastMs, peer?.stepChannelsLastMs, "at most 1"],
];
console.log(
  `libtorch ${ours.version}, Python's PyTorch ${peer?.version ?? "not found"}, ${getThreads()} threads, medians of ${RUNS}`,
);
console.log(`${"".padEnd(32)}${"ours/peer".padStart(10)}${"ours".padStart(10)}${"peer".padStart(10)}   goal`);
for (const [name, own, other, goal] of rows) {
  const ratio = other === undefined ? "-" : (own / other).toFixed(2);
  console.log(
    `${name.padEnd(32)}${ratio.padStart(10)}${own.toFixed(2).padStart(10)}${(other?.toFixed(2) ?? "-").padStart(10)}   ${goal}`,
  );
}
