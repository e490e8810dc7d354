import type { TrainingData } from "../config/build-data.ts";
import type { Config } from "../config/schema.ts";
import { textTable } from "../core/text-table.ts";

/** Returns what a run is, in rows for the head of its report and for the banner. @param config - As it is kept in the folder. */
export function runFacts(config: Config, data: TrainingData, worldSize: number): Record<string, string> {
  const { model, loss, reweighting, optimizer, schedule, training } = config;
  const curve =
    reweighting.curve === "none"
      ? reweighting.baseline
      : `${reweighting.curve}, ${reweighting.indicator}, p = ${reweighting.p}`;
  return {
    data: `${data.train.name}: ${data.train.samples.length} to train on (${data.train.split}), ${data.val.samples.length} to validate on`,
    ...(isCoarselyValidated(config, data) && { validation: coarseText(data) }),
    network: `${model.head} on ${model.backbone}, output stride ${model.outputStride}`,
    weights: training.from ?? model.weights ?? "none: it begins at random",
    loss: `${loss.pixelLoss}${loss.ohem ? ", OHEM" : ""}, auxiliary ${model.auxiliaryHead ? loss.auxiliaryWeight : "none"}`,
    reweighting: curve,
    ...(reweighting.curve === "arm" && {
      "curve's learning rate": `${-reweighting.learningRateMultiplier} x the network's`,
    }),
    training: `${schedule.iterations} iterations, ${training.batchSize * optimizer.accumulate * worldSize} samples per update, ${optimizer.type} ${optimizer.learningRate}, seed ${training.seed}`,
    device: `${training.device}, ${training.precision}${worldSize > 1 ? `, ${worldSize} processes` : ""}`,
  };
}

/** With less of its pixels labelled, a split leaves out more than a fringe that nobody could decide. */
const FULLY_LABELLED = 0.9;

function isCoarselyValidated({ data: { val } }: Config, { valLabelledShare }: TrainingData): boolean {
  return (val.annotations ?? "fine") !== "fine" || valLabelledShare < FULLY_LABELLED;
}

function coarseText({ valLabelledShare }: TrainingData): string {
  return `on labels of ${(100 * valLabelledShare).toFixed(0)} % of the pixels; what coarse labels leave out, borders most of all, is not scored`;
}

/** Returns the banner of a training. @param folder - Of the run. */
export function banner(folder: string, facts: Readonly<Record<string, string>>): string {
  return textTable([["run", folder], ...Object.entries(facts)], { left: [0, 1] }).join("\n");
}
