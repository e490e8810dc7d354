import { ops, optim, type Tensor, tidy } from "@armseg/torch";
import type { Training } from "../config/build.ts";
import type { Config } from "../config/schema.ts";
import type { Batch } from "../pipeline/index.ts";
import type { Phase } from "../reweighting/index.ts";
import { batchLosses, type Weigh } from "./batch-losses.ts";

/** What one update did; numbers only, so that they may leave the scope. */
export interface IterationResult {
  /** What was minimised: Q, or the plain mean in the isolated phase, plus the weighted auxiliary loss. */
  readonly loss: number;
  readonly meanLoss: number;
  readonly auxLoss: number | undefined;
  /** Before clipping, where there is clipping. */
  readonly gradientNorm: number | undefined;
  /** False where the loss or a gradient was not finite: the weights are as before. */
  readonly hasStepped: boolean;
  /** No pixel was labelled, or each had weight 0: the main loss is 0. */
  readonly isEmpty: boolean;
  /** Rows as `bins` of the loss, summed over the batches of this update: `4 x (K + 1)`, or empty. */
  readonly bins: Float64Array | null;
}

/** The norm of all gradients, or of the network's before it clips them: `[]`, on the device, and finite if they are. */
function gradientNorm({ network, optimizer, scaler }: Training, clipNorm: number | null): Tensor {
  if (clipNorm === null) return optim.gradNorm(optimizer.parameters());
  scaler.unscale_(optimizer);
  return optim.clipGradNorm(network.parameters(), clipNorm);
}

/** Applies the gradients; false where the scaler refuses them. */
function step({ optimizer, scaler }: Training): boolean {
  const hasStepped = scaler.step(optimizer);
  scaler.update();
  return hasStepped;
}

/**
 * Sends all batches forward and backward, and leaves the mean gradients of all processes.
 *
 * @returns The sums of what {@link batchLosses} reports, over batches and processes; `null` where a loss was not finite.
 */
function gradients(
  training: Training,
  batches: readonly Batch[],
  phase: Phase,
  config: Config,
  weigh: Weigh | null,
): Tensor | null {
  const { scaler, joint, curve } = training;
  let sum: Tensor | null = null;
  for (const [i, batch] of batches.entries()) {
    const numbers: Tensor | null = tidy(() => {
      const found = batchLosses(training, batch, phase, config, weigh);
      if (!found) return null;
      // Earlier batches are added up on this process alone.
      if (i === batches.length - 1) joint?.reducer.prepareForBackward();
      scaler.scale(found.total.div(batches.length)).backward();
      return sum ? found.numbers.add(sum) : found.numbers;
    });
    if (!numbers) return null;
    sum = numbers;
  }
  const { world } = joint ?? {};
  if (world && curve && config.loss.sumsOver === "process") world.averageGradients(curve.parameters());
  if (sum) world?.group.allReduce_(sum);
  return sum;
}

/** Two tensors' numbers in one transfer. */
function readTogether(first: Tensor, second: Tensor): Float64Array {
  const all = ops.cat([first.reshape([-1]).to(second.device, second.dtype), second]);
  return all.cpu().toTypedArray() as Float64Array;
}

const NOT_FINITE = {
  loss: Number.NaN,
  meanLoss: Number.NaN,
  auxLoss: undefined,
  gradientNorm: undefined,
  hasStepped: false,
  isEmpty: false,
  bins: null,
};

/**
 * One update of network and curve from one or more batches whose gradients are averaged.
 *
 * A loss that is not finite leaves weights, curve and optimiser as they were.
 *
 * @param weigh - Weighs the pixels anew, in place of the data's own weights.
 */
export function trainIteration(
  training: Training,
  batches: readonly Batch[],
  phase: Phase,
  config: Config,
  weigh: Weigh | null = null,
): IterationResult {
  return tidy(() => {
    training.optimizer.zeroGrad();
    const sums = gradients(training, batches, phase, config, weigh);
    if (!sums) return NOT_FINITE;
    const { clipNorm } = config.optimizer;
    // Scaled gradients may overflow for all that the loss is sound: the scaler looks at them, and waits for the device.
    const isScaled = config.training.precision === "float16";
    // Else the only time that an iteration waits, after all but the update was sent to the device.
    const numbers = readTogether(isScaled ? ops.zeros([]) : gradientNorm(training, clipNorm), sums);
    const [ownNorm, main, meanLoss, auxLoss, weight] = [...numbers.subarray(0, 5)] as [
      number,
      number,
      number,
      number,
      number,
    ];
    const count = batches.length * (training.joint?.world.size ?? 1);
    const hasAuxiliary = !Number.isNaN(auxLoss);
    const loss = (main + (hasAuxiliary ? config.loss.auxiliaryWeight * auxLoss : 0)) / count;
    const canStep = Number.isFinite(loss) && Number.isFinite(ownNorm);
    const norm = canStep && isScaled && clipNorm !== null ? gradientNorm(training, clipNorm).item() : ownNorm;
    const hasStepped = canStep && step(training);
    if (hasStepped) training.ema?.update(training.network);
    return {
      loss,
      meanLoss: meanLoss / count,
      auxLoss: hasAuxiliary ? auxLoss / count : undefined,
      gradientNorm: clipNorm === null ? undefined : norm,
      hasStepped,
      isEmpty: weight === 0,
      bins: training.curve ? numbers.slice(5) : null,
    };
  });
}
