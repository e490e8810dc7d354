import { amp, type Device, ops, optim, type Tensor, tidy } from "@armseg/torch";
import type { Affinity } from "../correction/affinity.ts";
import type { CoverageOffset } from "../correction/coverage-offset.ts";
import type { DistributedContext, GradientReducer } from "../distributed/context.ts";
import {
  InvalidCurveError,
  NonFiniteLossError,
  type SegmentationLoss,
  type SegmentationLossResult,
} from "../losses/index.ts";
import type { SegmenterOutput } from "../networks/index.ts";
import type { Batch } from "../pipeline/index.ts";
import { type Curve, isLearnable, type Phase } from "../reweighting/index.ts";
import { type BatchTensors, toTensors } from "./batch-tensors.ts";
import type { TrainingState } from "./checkpoint.ts";
import { packNumbers, readNumbers, type StepNumbers } from "./step-numbers.ts";
import { SumsOverProcesses } from "./sums-over-processes.ts";

/** The losses of a network's outputs. */
export interface TrainingLosses {
  /** Of the logits, weighted by the curve. */
  readonly main: SegmentationLoss;
  /** Of the auxiliary head's logits: the plain cross entropy. */
  readonly auxiliary: SegmentationLoss;
  readonly auxiliaryWeight: number;
  /** With several processes: over whose pixels the weights are normalised. */
  readonly sumsOver: "process" | "all";
}

export interface StepSettings {
  readonly device: Device;
  /** Of the forward pass; losses are float32 or wider. */
  readonly precision: "float32" | "bfloat16" | "float16";
  /** Largest L2 norm of the network's gradient; `null`: no clipping. */
  readonly clipNorm: number | null;
}

/** What a training step works with. */
export interface Training extends TrainingState {
  readonly losses: TrainingLosses;
  /** Corrects the losses for what annotators leave out; `null` corrects nothing. */
  readonly coverage: CoverageOffset | null;
  /** Asks like neighbours for like classes where nothing is labelled; `null` asks nothing. */
  readonly affinity: Affinity | null;
  /** The processes that train this network together. */
  readonly context: DistributedContext;
  /** Averages the network's gradients over them. */
  readonly reducer: GradientReducer;
  readonly settings: StepSettings;
}

/** Weighs a batch's pixels, `[N, H, W]`, in place of the data's own weights. */
export type Weigh = (images: Tensor, labels: Tensor) => Tensor;

/** What one step did; numbers only, so that they may leave the scope. */
export interface StepResult {
  /** What was minimised: Q, or the plain mean in the isolated phase, plus the weighted auxiliary loss and affinity. */
  readonly loss: number;
  readonly meanLoss: number;
  readonly auxLoss: number | undefined;
  /** The affinity's energy before its weight. */
  readonly affinity: number | undefined;
  /** Before clipping, where there is clipping. */
  readonly gradientNorm: number | undefined;
  /** False where the loss or a gradient was not finite: the weights are as before. */
  readonly hasStepped: boolean;
  /** No pixel was labelled, or each had weight 0: the main loss is 0. */
  readonly isEmpty: boolean;
  /** Sums by confidence over the batches of this step, as `bins` of the loss; `null` without a curve. */
  readonly bins: Float64Array | null;
}

/**
 * One update of network and curve, from one or more batches whose gradients are averaged.
 *
 * A loss that is not finite leaves weights, curve and optimiser as they were.
 */
export function trainStep(
  training: Training,
  batches: readonly Batch[],
  phase: Phase,
  weigh: Weigh | null = null,
): StepResult {
  return tidy(() => {
    training.optimizer.zeroGrad();
    const sums = accumulateGradients(training, batches, phase, weigh);
    if (!sums) return NOT_FINITE;
    return update(training, sums, batches.length * training.context.worldSize);
  });
}

const NOT_FINITE: StepResult = {
  loss: Number.NaN,
  meanLoss: Number.NaN,
  auxLoss: undefined,
  affinity: undefined,
  gradientNorm: undefined,
  hasStepped: false,
  isEmpty: false,
  bins: null,
};

/**
 * Sends all batches forward and backward, and leaves the mean gradients of all processes.
 *
 * @returns The packed numbers, summed over batches and processes; `null` where a loss was not finite.
 */
function accumulateGradients(
  training: Training,
  batches: readonly Batch[],
  phase: Phase,
  weigh: Weigh | null,
): Tensor | null {
  const { scaler, reducer, context, curve, losses } = training;
  let sums: Tensor | null = null;
  for (const [i, batch] of batches.entries()) {
    const numbers: Tensor | null = tidy(() => {
      const found = batchLoss(training, batch, phase, weigh);
      if (!found) return null;
      if (i === batches.length - 1) reducer.prepareForBackward(); // earlier gradients add up on this process alone
      scaler.scale(found.loss.div(batches.length)).backward();
      return sums ? found.numbers.add(sums) : found.numbers;
    });
    if (!numbers) return null;
    sums = numbers;
  }
  if (curve && losses.sumsOver === "process") context.averageGradients(curve.parameters());
  if (sums) context.allReduce_(sums);
  return sums;
}

/** The loss of one batch. */
interface BatchLoss {
  /** To call `backward` on. `[]`. */
  readonly loss: Tensor;
  /** What is reported, as {@link packNumbers} packs it. */
  readonly numbers: Tensor;
}

/** Sends one batch forward; `null` where the loss of any process is not finite: then on all of them. */
function batchLoss(training: Training, batch: Batch, phase: Phase, weigh: Weigh | null): BatchLoss | null {
  const tensors = toTensors(batch, training.settings.device);
  const pixelWeights = weigh ? weigh(tensors.images, tensors.labels) : tensors.weights;
  const output = forward(training, tensors.images);
  const results = lossesOf(training, output, tensors, pixelWeights, phase);
  if (training.context.any(results === null)) return null;
  const energy = training.affinity?.call({ ...tensors, logits: output.logits }) ?? null;
  return combine(training, results as LossResults, energy, batch.validPixels, phase);
}

/** The network's outputs, computed in the precision of the settings. */
export function forward(
  { network, settings: { device, precision } }: Pick<Training, "network" | "settings">,
  images: Tensor,
): SegmenterOutput {
  if (precision === "float32") return network.call(images);
  return amp.autocast(device, { dtype: precision }, () => network.call(images));
}

interface LossResults {
  readonly main: SegmentationLossResult;
  /** `null` without an auxiliary head. */
  readonly auxiliary: SegmentationLossResult | null;
}

/** The main and the auxiliary loss; `null` where one is not finite, or the curve's weights are none. */
function lossesOf(
  { losses, coverage, curve, context }: Training,
  { logits, logScale, auxiliary }: SegmenterOutput,
  { labels, weights }: BatchTensors,
  pixelWeights: Tensor | null,
  phase: Phase,
): LossResults | null {
  const isShared = areSumsShared(losses, context);
  const statistics = curve !== null || isShared;
  const logitOffset = coverage?.offset ?? null;
  if (isShared) curve?.requiresGrad_(false); // its gradient comes from the sums over all processes
  try {
    const main = losses.main.call(
      { logits, labels, logScale: logScale ?? null, pixelWeights, logitOffset },
      { phase, statistics },
    );
    if (!auxiliary) return { main, auxiliary: null };
    const inputs = { logits: auxiliary, labels, pixelWeights: weights, logitOffset };
    return { main, auxiliary: losses.auxiliary.call(inputs, { statistics: false }) };
  } catch (error) {
    if (error instanceof NonFiniteLossError || error instanceof InvalidCurveError) return null;
    throw error;
  } finally {
    if (isShared) curve?.requiresGrad_(true);
  }
}

/** Whether the sums of the loss run over the batches of several processes. */
function areSumsShared({ sumsOver }: TrainingLosses, { worldSize }: DistributedContext): boolean {
  return sumsOver === "all" && worldSize > 1;
}

/** Adds the losses up, each with its factor. */
function combine(
  { losses, affinity, curve, context }: Training,
  { main, auxiliary }: LossResults,
  energy: Tensor | null,
  validPixels: number,
  phase: Phase,
): BatchLoss {
  const isShared = areSumsShared(losses, context);
  const sums = isShared && main.report ? new SumsOverProcesses(main.report, context) : null;
  const factor = sums?.lossFactor(curve !== null, phase) ?? null;
  let loss = times(main.loss, factor);
  if (auxiliary) {
    loss = loss.add(times(auxiliary.loss, sums?.auxiliaryFactor() ?? null).mul(losses.auxiliaryWeight));
  }
  if (energy && affinity) loss = loss.add(energy.mul(affinity.weight));
  if (sums && isLearnable(curve)) loss = loss.add(sums.curveObjective(curve as Curve));
  const numbers = packNumbers({
    objective: times(phase === "isolated" ? main.meanLoss : main.objective, factor),
    meanLoss: main.meanLoss,
    auxiliaryLoss: auxiliary?.loss ?? null,
    affinity: energy,
    weight: (curve && main.report?.weightSum) ?? validPixels,
    bins: main.report?.bins?.sums ?? null,
  });
  return { loss, numbers };
}

function times(loss: Tensor, factor: Tensor | null): Tensor {
  return factor ? loss.mul(factor.to(loss.dtype)) : loss;
}

/**
 * Clips the gradients and applies them, unless the loss or a gradient is not finite.
 *
 * @param count - Batches that the numbers are sums over.
 */
function update(training: Training, sums: Tensor, count: number): StepResult {
  const { network, curve, settings, scaler, optimizer, ema } = training;
  // Scaled gradients may overflow for all that the loss is sound: the scaler looks at them, and waits for the device.
  const isScaled = scaler.isEnabled;
  // Else the only time that a step waits, after all but the update was sent to the device.
  const numbers = readNumbers(sums, isScaled ? ops.zeros([]) : clippedNorm(training));
  const loss = totalLoss(numbers, training) / count;
  const isSound = Number.isFinite(loss) && Number.isFinite(numbers.gradientNorm);
  const hasNorm = settings.clipNorm !== null;
  const norm = isSound && isScaled && hasNorm ? clippedNorm(training).item() : numbers.gradientNorm;
  const mean = (sum: number | null) => (sum === null ? undefined : sum / count);
  const hasStepped = isSound && scaler.step(optimizer);
  if (isSound) scaler.update();
  if (hasStepped) ema?.update(network);
  return {
    loss,
    meanLoss: numbers.meanLoss / count,
    auxLoss: mean(numbers.auxiliaryLoss),
    affinity: mean(numbers.affinity),
    gradientNorm: hasNorm ? norm : undefined,
    hasStepped,
    isEmpty: numbers.weight === 0,
    bins: curve ? numbers.bins : null,
  };
}

function totalLoss(numbers: StepNumbers, { losses, affinity }: Training): number {
  const auxiliary = losses.auxiliaryWeight * (numbers.auxiliaryLoss ?? 0);
  return numbers.objective + auxiliary + (affinity?.weight ?? 0) * (numbers.affinity ?? 0);
}

/** The norm of all gradients, or of the network's before it clips them: `[]`, on the device, and finite if they are. */
function clippedNorm({ network, optimizer, scaler, settings: { clipNorm } }: Training): Tensor {
  if (clipNorm === null) return optim.gradNorm(optimizer.parameters());
  scaler.unscale_(optimizer);
  return optim.clipGradNorm(network.parameters(), clipNorm);
}
