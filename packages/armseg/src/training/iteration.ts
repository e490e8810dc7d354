import { optim, type Tensor, tidy } from "@armseg/torch";
import type { Batch } from "../pipeline/index.ts";
import type { Phase } from "../reweighting/index.ts";
import { batchLosses, type Weigh } from "./batch-losses.ts";
import type { Training } from "./build.ts";
import type { Config } from "./config/schema.ts";

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
  readonly isEmpty: boolean;
  /** Rows as `bins` of the loss, summed over the batches of this update: `4 x (K + 1)`, or empty. */
  readonly bins: Float64Array | null;
}

function areFinite(training: Training): Tensor {
  const parameters = [...training.optimizer.parameters()].flatMap((parameter) => parameter.grad ?? []);
  return parameters
    .map((gradient) => gradient.sum())
    .reduce((sum, term) => sum.add(term.to(sum.device, sum.dtype)));
}

/** Applies the gradients, unless one is not finite. */
function step(training: Training, config: Config): { hasStepped: boolean; gradientNorm: number | undefined } {
  const { optimizer, scaler, network } = training;
  const { clipNorm } = config.optimizer;
  if (clipNorm !== null) scaler.unscale_(optimizer);
  const norm = clipNorm === null ? undefined : optim.clipGradNorm(network.parameters(), clipNorm).item();
  if (config.training.precision !== "float16" && !Number.isFinite(norm ?? areFinite(training).item())) {
    return { hasStepped: false, gradientNorm: norm };
  }
  const hasStepped = scaler.step(optimizer);
  scaler.update();
  return { hasStepped, gradientNorm: norm };
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
): Float64Array | null {
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
  world?.group.allReduce_(sum as unknown as Tensor);
  // The first time that this iteration waits for the device, after all its work was sent there.
  return (sum as unknown as Tensor).cpu().toTypedArray() as Float64Array;
}

const NOT_STEPPED = { hasStepped: false, gradientNorm: undefined };
const NOT_FINITE = {
  loss: Number.NaN,
  meanLoss: Number.NaN,
  auxLoss: undefined,
  ...NOT_STEPPED,
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
    const count = batches.length * (training.joint?.world.size ?? 1);
    const [main, meanLoss, auxLoss, weight] = Array.from(sums.subarray(0, 4)) as [
      number,
      number,
      number,
      number,
    ];
    const hasAuxiliary = !Number.isNaN(auxLoss);
    const loss = (main + (hasAuxiliary ? config.loss.auxiliaryWeight * auxLoss : 0)) / count;
    const stepped = Number.isFinite(loss) ? step(training, config) : NOT_STEPPED;
    if (stepped.hasStepped) training.ema?.update(training.network);
    return {
      loss,
      meanLoss: meanLoss / count,
      auxLoss: hasAuxiliary ? auxLoss / count : undefined,
      ...stepped,
      isEmpty: weight === 0,
      bins: training.curve ? sums.slice(4) : null,
    };
  });
}
