import { statSync } from "node:fs";
import { noGrad, type Tensor, tidy } from "@armseg/torch";
import { chooseCheckpoint } from "../runs/choose-checkpoint.ts";
import { loadCurveWeights, loadModelWeights } from "../training/checkpoint.ts";
import type { Training } from "../training/step.ts";
import { ConfigError } from "./read-config.ts";

/** The layers whose size is the number of classes. */
const CLASSIFIER = /(^|\.)conv_seg\./;

/**
 * Puts the network of another run, and its curve where both learn one, into a training that begins.
 *
 * Classifiers of another number of classes stay as they are.
 *
 * @param from - A run, whose best checkpoint is taken, or a checkpoint file.
 * @param say - Told what was taken.
 * @throws {ConfigError} If the network is another one.
 */
export function loadFromRun(
  { network, curve, ema }: Pick<Training, "network" | "curve" | "ema">,
  from: string,
  say: (text: string) => void,
): void {
  const isFolder = statSync(from, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const file = isFolder ? chooseCheckpoint(from) : from;
  const left = tidy(() => {
    const state = loadModelWeights(file);
    const own = network.stateDict();
    const others = [...own]
      .filter(([name, tensor]) => !isAlike(tensor, state.get(name)))
      .map(([name]) => name);
    const wrong = others.filter((name) => !(CLASSIFIER.test(name) && state.has(name)));
    if (wrong.length > 0) throw otherNetwork(file, wrong);
    noGrad(() => {
      for (const [name, tensor] of own) if (!others.includes(name)) tensor.copy_(state.get(name) as Tensor);
    });
    const learned = loadCurveWeights(file);
    if (curve && learned.size > 0 && curve.stateDict().size > 0) curve.loadStateDict(learned);
    return others;
  });
  ema?.loadStateDict(network.stateDict()); // the average begins where the weights do
  const rest = left.length > 0 ? `; of another number of classes and so at random: ${left.join(", ")}` : "";
  say(`begins with the weights of ${file}${rest}`);
}

function isAlike(own: Tensor, other: Tensor | undefined): boolean {
  return other !== undefined && own.shape.join() === other.shape.join();
}

function otherNetwork(file: string, wrong: readonly string[]): ConfigError {
  return new ConfigError(
    `training.from: expected the network of ${file}, got another one, which differs in ${wrong.length} tensors, e.g. ${wrong[0]}; set model as in that run`,
  );
}
