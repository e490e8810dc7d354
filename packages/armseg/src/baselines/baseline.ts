import { type Device, Generator, noGrad, optim, type Tensor, tensor, tidy } from "@armseg/torch";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { logLikelihoods } from "../losses/class-likelihoods.ts";
import { SegmentationLoss } from "../losses/index.ts";
import { checkLabels } from "../losses/labels.ts";
import { crossEntropy, labelLogLikelihood } from "../losses/pixel-losses.ts";
import type { Segmenter } from "../networks/index.ts";
import type { Batch, Loader } from "../pipeline/index.ts";
import { learningToReweight } from "./learning-to-reweight.ts";
import type { LookAhead } from "./look-ahead.ts";
import { MetaWeightNet, metaWeightNetStep } from "./meta-weight-net.ts";

/** Adam of the perceptron, as in the authors' code (Shu et al. 2019). */
const META_ADAM = { learningRate: 1e-3, weightDecay: 1e-4 } as const;
/** Adam's two means of each parameter. */
const SLOTS = ["exp_avg", "exp_avg_sq"] as const;

/** What a baseline looks ahead with: the training's own network, data and rate. */
export interface BaselineParts {
  readonly kind: "metaWeightNet" | "learningToReweight";
  readonly network: Segmenter;
  /** Logits of images, `[N, 3, H, W]`, in the training's precision. */
  readonly logits: (images: Tensor) => Tensor;
  /** Returns the network's learning rate at present. */
  readonly learningRate: () => number;
  /** Batches with fine labels that the training set does not hold; disposed of with the baseline. */
  readonly metaBatches: Pick<Loader, "next" | "dispose">;
  /** Brings a meta batch to the network's device. */
  readonly toTensors: (batch: Batch) => { readonly images: Tensor; readonly labels: Tensor };
  readonly device: Device;
}

/** A reweighting of the related work that learns from a meta batch each iteration: Meta-Weight-Net or Learning-to-Reweight. */
export class Baseline implements AsyncDisposable {
  readonly #parts: BaselineParts;
  readonly #net: MetaWeightNet | null;
  readonly #optimizer: optim.Adam | null;
  readonly #plain = new SegmentationLoss();

  constructor(parts: BaselineParts) {
    this.#parts = parts;
    this.#net = parts.kind === "metaWeightNet" ? freshNet(parts.device) : null;
    this.#optimizer = this.#net && new optim.Adam(this.#net, META_ADAM);
  }

  /**
   * Runs an iteration with the next meta batch.
   *
   * @param iterate - Is given what weighs the pixels of a training batch, `[N, H, W]`.
   */
  async withMetaBatch<T>(iterate: (weigh: (images: Tensor, labels: Tensor) => Tensor) => T): Promise<T> {
    using meta = await this.#parts.metaBatches.next();
    if (!meta) throw new Error("Baseline: the loader of meta batches ended before the training");
    return iterate((images, labels) => this.#weigh(images, labels, meta));
  }

  /** Weights of the batch's pixels, `[N, H, W]`; the network is as before afterwards. */
  #weigh(images: Tensor, labels: Tensor, meta: Batch): Tensor {
    const { network } = this.#parts;
    return tidy(() => {
      // Put back at the end and not after each pass: in between, the gradient of a batch normalisation would find its means changed.
      const buffers = [...network.namedBuffers()].map(([, buffer]) => [buffer, buffer.clone()] as const);
      const ahead = this.#lookAhead(images, labels, meta);
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
    const { network, logits, learningRate, toTensors } = this.#parts;
    const meta = toTensors(batch);
    return {
      parameters: [...network.parameters()].filter(({ requiresGrad }) => requiresGrad),
      valid: labels.ne(IGNORE_INDEX),
      trainingLoss: () => lossMap(logits(images), labels),
      metaLoss: () => this.#plain.call({ logits: logits(meta.images), labels: meta.labels }).loss,
      learningRate: learningRate(),
    };
  }

  /**
   * Returns what a checkpoint keeps, float64: of each parameter Adam's steps, its values and Adam's two means; then Adam's weight decay. `null`
   * if nothing is learned.
   */
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
    const { weightDecay } = this.#optimizer.groups[0]!;
    return tensor([...values, weightDecay], { dtype: "float64" });
  }

  /** Goes on from what {@link state} held. Where it ends without a weight decay, it was saved when there was none. */
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
      const [weightDecay = 0] = left;
      state.numbers["groups.0.weightDecay"] = weightDecay;
      this.#net!.loadStateDict(weights);
      this.#optimizer!.loadStateDict(state);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#net?.dispose();
    this.#optimizer?.dispose();
    await this.#parts.metaBatches.dispose();
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
