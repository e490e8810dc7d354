/**
 * Trains as one process of several, or on its own, and writes a hash of all that changed, the first gradients and loss, as JSON:
 * `distributed-run.ts <folder> <iterations> <batchSize> <process|all> <isolatedFraction>`.
 */
import { createHash } from "node:crypto";
import { manualSeed, setThreads } from "@armseg/torch";
import { buildTraining } from "../../config/build.ts";
import { prepareData } from "../../config/build-data.ts";
import { buildLoader } from "../../config/build-loaders.ts";
import { checkConfig } from "../../config/read-config.ts";
import { distributedContext } from "../../distributed/context.ts";
import { trainStep } from "../../training/step.ts";
import { smallConfig } from "./small-run.ts";

const [folder, iterations, batchSize, sumsOver, isolatedFraction] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
setThreads(1);
const context = distributedContext();
const device = "cpu"; // Gloo's
const small = smallConfig(folder, { iterations: Number(iterations), checkpointEvery: 20, device });
const config = checkConfig(
  {
    ...small,
    model: { ...small.model, backbone: "resnet18", stem: "v1", dropout: 0 },
    loss: { ...small.loss, sumsOver },
    reweighting: { ...small.reweighting, isolatedFraction: Number(isolatedFraction) },
    training: { ...small.training, batchSize: Number(batchSize) },
  },
  "the test",
);
manualSeed(0);
const data = await prepareData(config, { cacheFolder: `${folder}/cache-${context.rank}`, say: () => {} });
const training = buildTraining(
  config,
  { classes: data.train.classes.length, classWeights: data.classWeights },
  context,
);
await using loader = buildLoader(config, data, 0, context);
const phase = Number(isolatedFraction) > 0 ? "isolated" : "joint";
let loss = 0;
let gradients: number[] = [];
for (let i = 0; i < Number(iterations); i++) {
  using batch = (await loader.next())!;
  const result = trainStep(training, [batch], phase);
  if (i > 0) continue;
  loss = result.loss;
  gradients = [...training.network.parameters(), ...training.curve!.parameters()].map(({ grad }) =>
    grad!.norm().item(),
  );
}
const hash = createHash("sha256");
for (const [name, tensor] of [...training.network.stateDict(), ...training.curve!.stateDict()]) {
  using host = tensor.detach().to("cpu", "float64").contiguous();
  hash.update(name).update(host.toTypedArray() as Float64Array);
}
process.stdout.write(JSON.stringify({ hash: hash.digest("hex"), loss, gradients }));
