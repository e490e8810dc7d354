import { type Device, Generator, noGrad, optim, type Tensor, tensor, tidy } from "@armseg/torch";
import { augmentationOf } from "../config/augmentation-of.ts";
import type { Training } from "../config/build.ts";
import type { TrainingData } from "../config/prepare-data.ts";
import { ConfigError } from "../config/read-config.ts";
import type { Config } from "../config/schema.ts";
import { logLikelihoods } from "../losses/class-likelihoods.ts";
import { SegmentationLoss } from "../losses/index.ts";
import { checkLabels } from "../losses/labels.ts";
import { crossEntropy, labelLogLikelihood } from "../losses/pixel-losses.ts";
import { type Batch, createLoader, type Loader } from "../pipeline/index.ts";
import { forward, toTensors, type Weigh } from "../training/batch-losses.ts";
import { learningToReweight } from "./learning-to-reweight.ts";
import type { LookAhead } from "./look-ahead.ts";
import { MetaWeightNet, metaWeightNetStep } from "./meta-weight-net.ts";

/** Adam's rate of the perceptron (Shu et al. 2019). */
const META_LEARNING_RATE = 1e-3;
/** Adam's two means of each parameter. */
const SLOTS = ["exp_avg", "exp_avg_sq"] as const;

/**
 * A reweighting of the related work that learns from a batch with clean labels each iteration: Meta-Weight-Net or
 * Learning-to-Reweight.
 */
export class Comparator implements AsyncDisposable {
  readonly #training: Training;
  readonly #config: Config;
  readonly #loader: Loader;
  readonly #net: MetaWeightNet | null;
  readonly #optimizer: optim.AdamW | null;
  readonly #plain = new SegmentationLoss();

  constructor(training: Training, config: Config, loader: Loader) {
    this.#training = training;
    this.#config = config;
    this.#loader = loader;
    const isLearned = config.reweighting.comparator === "metaWeightNet";
    this.#net = isLearned ? freshNet(config.training.device as Device) : null;
    this.#optimizer =
      this.#net && new optim.AdamW(this.#net, { learningRate: META_LEARNING_RATE, weightDecay: 0 });
  }

  /** Runs an iteration with the next clean batch. */
  async withCleanBatch<T>(iterate: (weigh: Weigh) => T): Promise<T> {
    using clean = await this.#loader.next();
    if (!clean) throw new Error("Comparator: the loader of clean batches ended before the training");
    return iterate((images, labels) => this.#weigh(images, labels, clean));
  }

  /** Weights of the batch's pixels, `[N, H, W]`; the network is as before afterwards. */
  #weigh(images: Tensor, labels: Tensor, clean: Batch): Tensor {
    const { network } = this.#training;
    return tidy(() => {
      // Put back at the end and not after each pass: in between, the gradient of a batch normalisation would find its means changed.
      const buffers = [...network.namedBuffers()].map(([, buffer]) => [buffer, buffer.clone()] as const);
      const ahead = this.#lookAhead(images, labels, clean);
      const weights =
        this.#net && this.#optimizer
          ? metaWeightNetStep(this.#net, this.#optimizer, ahead)
          : learningToReweight(ahead);
      noGrad(() => {
        for (const [buffer, before] of buffers) buffer.copy_(before);
      });
      return weights;
    });
  }

  #lookAhead(images: Tensor, labels: Tensor, batch: Batch): LookAhead {
    const { network, optimizer } = this.#training;
    const clean = toTensors(batch, this.#config.training.device as Device);
    const logits = (of: Tensor) => forward(this.#training, of, this.#config.training).logits;
    return {
      parameters: [...network.parameters()],
      valid: labels.ne(255),
      trainingLoss: () => lossMap(logits(images), labels),
      cleanLoss: () => this.#plain.call({ logits: logits(clean.images), labels: clean.labels }).loss,
      learningRate: optimizer.groups[0]!.learningRate,
    };
  }

  /** What a checkpoint keeps, float64: of each parameter Adam's steps, its values and Adam's two means. `null` if nothing is learned. */
  state(): Tensor | null {
    if (!this.#net || !this.#optimizer) return null;
    const { tensors, numbers } = this.#optimizer.stateDict();
    const values = [...this.#net.namedParameters()].flatMap(([name, parameter]) => [
      numbers[`steps.${name}`] ?? 0,
      ...numbersOf(parameter),
      ...SLOTS.flatMap((slot) => {
        const mean = tensors.get(`${name}.${slot}`);
        return mean ? numbersOf(mean) : new Array<number>(parameter.numel).fill(0);
      }),
    ]);
    return tensor(values, { dtype: "float64" });
  }

  /** Goes on from what {@link state} held. */
  loadState(values: readonly number[]): void {
    if (!this.#net || !this.#optimizer) return;
    const left = [...values];
    tidy(() => {
      const weights = new Map<string, Tensor>();
      const state = { tensors: new Map<string, Tensor>(), numbers: {} as Record<string, number> };
      for (const [name, { numel, shape }] of this.#net!.namedParameters()) {
        const [steps = 0] = left.splice(0, 1);
        const next = () => tensor(left.splice(0, numel), { dtype: "float32" }).reshape(shape);
        weights.set(name, next());
        for (const slot of SLOTS) state.tensors.set(`${name}.${slot}`, next());
        state.numbers[`steps.${name}`] = steps;
      }
      this.#net!.loadStateDict(weights);
      this.#optimizer!.loadStateDict(state);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#net?.dispose();
    this.#optimizer?.dispose();
    await this.#loader.dispose();
  }
}

/** Leaves the generators as they were: a resumed training makes a net too, and the same dropout must follow. */
function freshNet(device: Device): MetaWeightNet {
  return tidy(() => {
    const generator = new Generator("cpu");
    const before = generator.getState();
    const net = new MetaWeightNet();
    generator.setState(before);
    return net.to({ device });
  });
}

function numbersOf(part: Tensor): number[] {
  return Array.from(part.detach().cpu().contiguous().toTypedArray() as Float32Array);
}

/** Cross entropy of each pixel, `[N, H, W]`, 0 where ignored. */
function lossMap(logits: Tensor, labels: Tensor): Tensor {
  const { classes, valid } = checkLabels(labels, logits.size(1));
  const likelihoods = logLikelihoods(logits, valid);
  return crossEntropy(labelLogLikelihood(likelihoods, classes)).maskedFill(valid.logicalNot(), 0);
}

/**
 * The comparator that a configuration asks for, if it does, from an iteration on.
 *
 * @throws {ConfigError} If it does not go with the rest of the configuration.
 */
export function openComparator(
  config: Config,
  data: TrainingData,
  training: Training,
  startIteration: number,
): Comparator | null {
  const { reweighting, loss, training: settings, schedule } = config;
  if (reweighting.comparator === "none" || !data.clean) return null;
  if (training.joint) {
    throw new ConfigError(
      `reweighting.comparator ${reweighting.comparator}: it looks ahead with one process's network; train it on one process`,
    );
  }
  if (reweighting.curve !== "none" || loss.pixel !== "ce" || loss.ohem) {
    throw new ConfigError(
      `reweighting.comparator ${reweighting.comparator}: it weighs the cross entropy alone; set reweighting.curve none, loss.pixel ce, loss.ohem null`,
    );
  }
  const loader = createLoader({
    sources: [data.clean.samples],
    augmentation: augmentationOf(config.augmentation, data.imageSize),
    seed: settings.seed,
    batchSize: settings.batchSize,
    startIteration,
    endIteration: schedule.iterations,
    onBadFile: settings.onBadFile,
    ...(settings.workers !== undefined && { workers: Math.min(1, settings.workers) }),
  });
  return new Comparator(training, config, loader);
}
