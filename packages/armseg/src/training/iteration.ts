import { amp, type Device, fromTypedArray, optim, type Tensor, tidy } from "@armseg/torch";
import { NonFiniteLossError, readLossStatistics } from "../losses/index.ts";
import type { SegmenterOutput } from "../networks/index.ts";
import type { Batch } from "../pipeline/index.ts";
import type { Phase } from "../reweighting/index.ts";
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

interface Losses {
  readonly total: Tensor;
  readonly main: number;
  readonly meanLoss: number;
  readonly auxLoss: number | undefined;
  readonly isEmpty: boolean;
  readonly bins: Float64Array | null;
}

/** Weights of a batch's pixels, `[N, H, W]`, from its images and labels. */
export type Weigh = (images: Tensor, labels: Tensor) => Tensor;

/** The batch on the device: images float32 `[N, 3, H, W]`, labels uint8 `[N, H, W]`, weights float32 `[N, H, W]`. */
export function toTensors(
  batch: Batch,
  device: Device,
): { images: Tensor; labels: Tensor; weights: Tensor | null } {
  const { batchSize, size, layout } = batch.format;
  const [height, width] = size;
  const last = layout === "channelsLast";
  const raw = fromTypedArray(
    batch.images,
    last ? [batchSize, height, width, 3] : [batchSize, 3, height, width],
  );
  const images = last ? raw.permute([0, 3, 1, 2]) : raw;
  const labels = fromTypedArray(batch.labels, [batchSize, height, width]);
  const weights = batch.weights ? fromTypedArray(batch.weights, [batchSize, height, width]) : null;
  return {
    images: images.to(device, "float32"),
    labels: labels.to(device, "uint8"),
    weights: weights?.to(device, "float32") ?? null,
  };
}

/** The network's outputs, in the precision of the configuration. */
export function forward(
  training: Training,
  images: Tensor,
  { device, precision }: Config["training"],
): SegmenterOutput {
  if (precision === "float32") return training.network.call(images);
  return amp.autocast(device as Device, { dtype: precision }, () => training.network.call(images));
}

function losses(training: Training, batch: Batch, phase: Phase, config: Config, weigh: Weigh | null): Losses {
  const { images, labels, weights } = toTensors(batch, config.training.device as Device);
  const pixelWeights = weigh ? weigh(images, labels) : weights;
  const output = forward(training, images, config.training);
  const result = training.criterion.call(
    { logits: output.logits, labels, logS: output.logScale ?? null, pixelWeights },
    { phase, statistics: training.curve !== null },
  );
  const auxiliary = output.auxiliary
    ? training.auxiliaryCriterion.call(
        { logits: output.auxiliary, labels, pixelWeights: weights },
        { statistics: false },
      )
    : null;
  const total = auxiliary ? result.loss.add(auxiliary.loss.mul(config.loss.auxiliaryWeight)) : result.loss;
  const isIsolated = phase === "isolated";
  return {
    total,
    main: (isIsolated ? result.meanLoss : result.objective).item(),
    meanLoss: result.meanLoss.item(),
    auxLoss: auxiliary?.loss.item(),
    isEmpty: batch.validPixels === 0 || readLossStatistics(result.statistics).isEmpty,
    bins: training.curve ? (result.bins.to("float64").toTypedArray() as Float64Array) : null,
  };
}

function addInto(sum: Float64Array | null, term: Float64Array | null): Float64Array | null {
  if (!sum || !term) return sum ?? term;
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (term[i] as number);
  return sum;
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

const NOT_STEPPED = { hasStepped: false, gradientNorm: undefined };

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
    let sum = { loss: 0, meanLoss: 0, auxLoss: 0 };
    let hasAuxiliary = false;
    let isEmpty = true;
    let bins: Float64Array | null = null;
    try {
      for (const batch of batches) {
        const part = tidy(() => {
          const found = losses(training, batch, phase, config, weigh);
          training.scaler.scale(found.total.div(batches.length)).backward();
          const { total: _, ...numbers } = found;
          return numbers;
        });
        const auxLoss = part.auxLoss ?? 0;
        hasAuxiliary ||= part.auxLoss !== undefined;
        sum = {
          loss: sum.loss + (part.main + config.loss.auxiliaryWeight * auxLoss) / batches.length,
          meanLoss: sum.meanLoss + part.meanLoss / batches.length,
          auxLoss: sum.auxLoss + auxLoss / batches.length,
        };
        isEmpty &&= part.isEmpty;
        bins = addInto(bins, part.bins);
      }
    } catch (error) {
      if (!(error instanceof NonFiniteLossError)) throw error;
      return {
        loss: Number.NaN,
        meanLoss: Number.NaN,
        auxLoss: undefined,
        ...NOT_STEPPED,
        isEmpty: false,
        bins: null,
      };
    }
    const stepped = Number.isFinite(sum.loss) ? step(training, config) : NOT_STEPPED;
    if (stepped.hasStepped) training.ema?.update(training.network);
    return { ...sum, auxLoss: hasAuxiliary ? sum.auxLoss : undefined, ...stepped, isEmpty, bins };
  });
}
