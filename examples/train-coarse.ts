/** Trains a small DeepLabv3+ with ARM on coarse labels of generated street scenes: the whole method in one file. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromTypedArray, manualSeed, optim, tidy } from "@armseg/torch";
import { config, losses, networks, pipeline, reweighting } from "armseg";

const iterations = Number(process.argv[2] ?? 200);
manualSeed(0);

const { data } = config.checkConfig(
  {
    data: {
      format: "scenes",
      annotations: "coarse",
      scenes: {
        folder: join(mkdtempSync(join(tmpdir(), "armseg-")), "scenes"),
        count: { train: 32, val: 4 },
        size: [96, 192],
      },
    },
  },
  "the example",
);
const coarse = await config.openData(data, "train");
const network = networks
  .segmenter({
    backbone: "resnet18",
    stem: "v1",
    outputStride: 16,
    channels: 64,
    classes: coarse.classes.length,
  })
  .train();
const curve = new reweighting.ArmCurve(); // 53 parameters: confidence to weight
const criterion = new losses.SegmentationLoss({ curve });
const auxiliaryLoss = new losses.SegmentationLoss();

const rate = 0.02;
const sgd = new optim.SGD([{ parameters: network }, reweighting.adversaryGroup(curve, rate)], {
  learningRate: rate,
  momentum: 0.9,
});

const size = [64, 96] as const;
const augmentation = {
  ...pipeline.augmentationPresets.camvid,
  resize: { base: [96, 192], ratioRange: [0.75, 1.5] },
  crop: { size, maxCategoryRatio: 0.75 },
} as const;
await using loader = pipeline.createLoader({
  sources: [coarse.samples],
  augmentation,
  seed: 0,
  batchSize: 4,
  endIteration: iterations,
});
for await (using batch of loader) {
  const loss = tidy(() => {
    const images = fromTypedArray(batch.images, [4, 3, ...size]);
    const labels = fromTypedArray(batch.labels, [4, ...size]);
    const output = network.call(images); // logits at a quarter of the size: the loss resizes them
    const phase = reweighting.phaseAt(batch.iteration, iterations);
    const main = criterion.call({ logits: output.logits, labels }, { phase });
    const total = main.loss.add(auxiliaryLoss.call({ logits: output.auxiliary!, labels }).loss.mul(0.4));
    sgd.zeroGrad();
    total.backward(); // the network descends, the curve climbs
    sgd.step();
    return main.meanLoss.item();
  });
  if (batch.iteration % 10 === 0) console.log(`iteration ${batch.iteration}: loss ${loss.toFixed(3)}`);
}
