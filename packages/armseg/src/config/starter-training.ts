import { stringify } from "yaml";
import type { FittedTraining, Machine } from "./fit-training.ts";

/** A map on one line. */
function flow(value: unknown): string {
  return stringify(value, { collectionStyle: "flow" }).trimEnd();
}

/** A map of a section, a key a line. */
function lines(section: object): string[] {
  return Object.entries(section).map(([key, value]) => `  ${key}: ${flow(value)}`);
}

/** Returns the sections of a configuration that `init` writes behind `data`. */
export function starterTraining(fitted: FittedTraining, machine: Machine, weights: string): string {
  const { base, crop, accumulate, batchSize, evaluateEvery } = fitted;
  const model = lines(fitted.model);
  const optimizer = [
    ...lines(fitted.optimizer),
    ...(accumulate > 1
      ? [`  accumulate: ${accumulate} # batches per update: ${accumulate * batchSize} images`]
      : []),
  ];
  const loss =
    fitted.classWeights === "none"
      ? ""
      : `loss:\n  classWeights: ${fitted.classWeights} # so that rare classes are learned too; none for the plain loss\n\n`;
  return `model:
${model.join("\n")}
  weights: imagenet # \`armseg weights fetch ${weights}\` brings them, once; a file of your own; null for none, which is far worse

${loss}reweighting:
  curve: arm # none for plain training, linear for the fixed line
  learningRateMultiplier: ${fitted.curveMultiplier}${fitted.curveMultiplier > 1 ? " # a short training's curve would hardly move at the network's rate" : ""}

optimizer:
${optimizer.join("\n")}

schedule:
  iterations: ${fitted.iterations} # about ${fitted.iterationSeconds.toPrecision(2)} s each
  type: ${fitted.schedule}

augmentation:
${base ? `  base: ${flow(base)} # height, width: images are shrunk to it before they are scaled at random\n` : ""}  crop: ${flow(crop)} # height, width

training:
  batchSize: ${batchSize}
  device: ${machine.device}${machine.device === "cpu" ? " # cuda where there is one" : ""}
  precision: ${machine.precision}
  evaluateEvery: ${evaluateEvery}
${base ? `\nevaluation:\n  base: ${flow(base)} # as in training; scores are at the size of the labels\n` : ""}`;
}
