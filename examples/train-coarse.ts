/** Trains a small DeepLabv3+ with ARM on coarse labels of generated street scenes: the whole method in one file. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, optim, tidy } from "@armseg/torch";
import { losses, networks, pipeline, reweighting, scenes, training } from "armseg";

const iterations = Number(process.argv[2] ?? 200);
manualSeed(0);
const folder = mkdtempSync(join(tmpdir(), "armseg-"));
const coarse = await scenes({ folder, annotations: "coarse", count: { train: 32, val: 4 }, size: [96, 192] });
const augmentation = {
  ...pipeline.augmentationPresets.camvid,
  resize: { base: [96, 192], ratioRange: [0.75, 1.5] },
  crop: { size: [64, 96], maxCategoryRatio: 0.75 },
} as const;
const options = { sources: [coarse.samples], augmentation, seed: 0, batchSize: 4, endIteration: iterations };
await using loader = pipeline.createLoader(options);

const classes = coarse.classes.length;
const network = networks.segmenter({ backbone: "resnet18", headChannels: 64, classes }).train();
const curve = new reweighting.ArmCurve(); // 53 parameters: confidence to weight
const criterion = new losses.SegmentationLoss({ curve });
const auxiliaryLoss = new losses.SegmentationLoss();
const groups = [{ parameters: network }, reweighting.adversaryGroup(curve, 0.02)];
const sgd = new optim.SGD(groups, { learningRate: 0.02, momentum: 0.9 });

for await (using batch of loader) {
  const loss = tidy(() => {
    const { images, labels } = training.toTensors(batch);
    const { logits, auxiliary } = network.call(images); // logits at a quarter of the size: the loss resizes them
    const phase = reweighting.phaseAt(batch.iteration, iterations);
    const main = criterion.call({ logits, labels }, { phase });
    const side = auxiliaryLoss.call({ logits: auxiliary!, labels });
    sgd.zeroGrad();
    main.loss.add(side.loss.mul(0.4)).backward(); // the network descends, the curve climbs
    sgd.step();
    return main.meanLoss.item();
  });
  if (batch.iteration % 10 === 0) console.log(`iteration ${batch.iteration}: loss ${loss.toFixed(3)}`);
}
