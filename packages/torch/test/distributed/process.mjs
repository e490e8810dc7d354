/**
 * One process of a training step on its share of a batch, with synchronised normalisation and reduced gradients. Writes
 * its gradients and running statistics as JSON. Without a process group around it: the same step on the whole batch.
 */
import { distributed, fromTypedArray, manualSeed, nn, ops, setThreads, tidy } from "@armseg/torch";

const IMAGES = 8;
const SIZE = 6;

setThreads(1);
manualSeed(5);
const rendezvous = distributed.rendezvousFromEnvironment();
const group = rendezvous && distributed.ProcessGroup.join(rendezvous, { timeoutMinutes: 1 });
const norm = (channels) =>
  group ? new distributed.SyncBatchNorm2d(channels, group) : new nn.BatchNorm2d(channels);

class Net extends nn.Module {
  // No bias in front of a normalisation: its gradient is 0, and what is computed for it is rounding alone.
  conv1 = new nn.Conv2d(3, 4, 3, { padding: 1, bias: false }).to({ memoryFormat: "channels_last" });
  bn1 = norm(4);
  conv2 = new nn.Conv2d(4, 4, 3, { bias: false });
  bn2 = norm(4);
  conv3 = new nn.Conv2d(4, 2, 1);

  forward(x) {
    const y = this.bn1.call(this.conv1.call(x)).relu();
    return this.conv3.call(this.bn2.call(this.conv2.call(y)).relu());
  }
}

const net = new Net();
const reducer = group && new distributed.Reducer(group, net.parameters());
const random = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1)) * 3);
const images = fromTypedArray(random(IMAGES * 3 * SIZE * SIZE), [IMAGES, 3, SIZE, SIZE]);
const share = IMAGES / (rendezvous?.worldSize ?? 1);
const mine = images.narrow(0, (rendezvous?.rank ?? 0) * share, share);

const state = {};
const keepNumbers = (name, tensor) => {
  state[name] = Array.from(tensor.contiguous().toTypedArray(), Number);
};
const backward = () => tidy(() => net.call(mine).square().mean().backward());

// Half of the loss stays local first, as in gradient accumulation; the reduced pass then averages the sum.
backward();
reducer?.prepareForBackward();
backward();
for (const [name, parameter] of net.namedParameters()) keepNumbers(name, parameter.grad);
for (const [name, buffer] of net.namedBuffers()) keepNumbers(name, buffer);

if (group) {
  const value = ops.full([2], rendezvous.rank + 1, { dtype: "float64" });
  keepNumbers("gathered", group.allGather(value));
  group.broadcast_(value, rendezvous.worldSize - 1);
  keepNumbers("broadcast", value);
  group.allReduce_(value, "max");
  keepNumbers("reduced", value);
}
process.stdout.write(JSON.stringify(state), () => {
  group?.dispose();
  process.exit(0);
});
