/**
 * Trains as one process of a world, or on its own, and writes a hash of all that changed, the first gradients and loss, as JSON:
 * `joint-run.ts <folder> <iterations> <batchSize> <process|all> <isolatedFraction>`.
 */
import { createHash } from "node:crypto";
import { manualSeed, setThreads } from "@armseg/torch";
import { buildTraining } from "../../config/build.ts";
import { openLoader } from "../../config/open-loader.ts";
import { prepareData } from "../../config/prepare-data.ts";
import { checkConfig } from "../../config/read-config.ts";
import { World } from "../../distributed/world.ts";
import { trainIteration } from "../../training/step.ts";
import { smallConfig } from "./small-run.ts";

const [folder, iterations, batchSize, sumsOver, isolatedFraction] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];
setThreads(1);
const world = World.ofThisProcess();
const device = "cpu"; // Gloo's
const small = smallConfig(folder, { iterations: Number(iterations), checkpointEvery: 20, device });
const config = checkConfig(
  {
    ...small,
    model: { ...small.model, dropout: 0 },
    loss: { ...small.loss, sumsOver },
    reweighting: { ...small.reweighting, isolatedFraction: Number(isolatedFraction) },
    training: { ...small.training, batchSize: Number(batchSize) },
  },
  "the test",
);
manualSeed(0);
const data = await prepareData(config, { cacheFolder: `${folder}/cache-${world?.rank ?? 0}`, say: () => {} });
const training = buildTraining(config, data.train.classes.length, data.classWeights, world);
await using loader = openLoader(config, data, 0, world);
const phase = Number(isolatedFraction) > 0 ? "isolated" : "joint";
let loss = 0;
let gradients: number[] = [];
for (let i = 0; i < Number(iterations); i++) {
  using batch = (await loader.next())!;
  const result = trainIteration(training, [batch], phase, config);
  if (i > 0) continue;
  loss = result.loss;
  gradients = [...training.network.parameters(), ...training.curve!.parameters()].map(({ grad }) =>
    grad!.norm().item(),
  );
}
const hash = createHash("sha256");
for (const [name, tensor] of [...training.network.stateDict(), ...training.curve!.stateDict()])
  hash
    .update(name)
    .update(
      Buffer.from(
        new Float64Array(Array.from(tensor.to("cpu", "float64").contiguous().toTypedArray() as Float64Array))
          .buffer,
      ),
    );
process.stdout.write(JSON.stringify({ hash: hash.digest("hex"), loss, gradients }));
