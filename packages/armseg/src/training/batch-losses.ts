import { amp, type Device, type DType, fromTypedArray, noGrad, ops, type Tensor } from "@armseg/torch";
import type { Training } from "../config/build.ts";
import type { Config } from "../config/schema.ts";
import type { World } from "../distributed/world.ts";
import { NonFiniteLossError, type SegmentationLossResult } from "../losses/index.ts";
import type { SegmenterOutput } from "../networks/index.ts";
import type { Batch } from "../pipeline/index.ts";
import { isLearnable, type Phase } from "../reweighting/index.ts";
import { JointSums } from "./joint-sums.ts";

/** Weights of a batch's pixels, `[N, H, W]`, from its images and labels. */
export type Weigh = (images: Tensor, labels: Tensor) => Tensor;

/**
 * A batch's array on the device. A GPU fetches it from page-locked memory, behind the work that it still has, while the
 * processor goes on; libtorch keeps that memory from being used again before then.
 */
function send(values: Tensor, device: Device, dtype: DType): Tensor {
  if (!device.startsWith("cuda")) return values.to(device, dtype);
  return values.pinMemory().to(device, dtype, { nonBlocking: true });
}

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
    images: send(images, device, "float32"),
    labels: send(labels, device, "uint8"),
    weights: weights && send(weights, device, "float32"),
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

/** The losses of one batch. */
export interface BatchLosses {
  /** To call `backward` on. `[]`. */
  readonly total: Tensor;
  /** What is reported, float64, on the device: main loss, mean loss, auxiliary loss (NaN where there is none), weight that counts, bins. */
  readonly numbers: Tensor;
}

interface Terms {
  readonly main: SegmentationLossResult;
  readonly side: SegmentationLossResult | null;
}

/**
 * Sends one batch forward.
 *
 * @param weigh - Weighs the pixels anew, in place of the data's own weights.
 * @returns `null` where the loss of any process is not finite: then on all of them.
 */
export function batchLosses(
  training: Training,
  batch: Batch,
  phase: Phase,
  config: Config,
  weigh: Weigh | null,
): BatchLosses | null {
  const world = training.joint?.world;
  const terms = lossTerms(training, batch, phase, config, weigh);
  if (world?.any(terms === null) ?? terms === null) return null;
  return combine(terms as Terms, { training, batch, phase, config });
}

/** Main and auxiliary loss; `null` where one is not finite. */
function lossTerms(
  training: Training,
  batch: Batch,
  phase: Phase,
  config: Config,
  weigh: Weigh | null,
): Terms | null {
  const { criterion, auxiliaryCriterion, curve } = training;
  const { images, labels, weights } = toTensors(batch, config.training.device as Device);
  const pixelWeights = weigh ? weigh(images, labels) : weights;
  const { logits, logScale: logS = null, auxiliary } = forward(training, images, config.training);
  const isJoint = sumsOverAll(training, config) !== null;
  if (isJoint) curve?.requiresGrad_(false); // its gradient comes from the joint sums
  try {
    const options = { phase, statistics: curve !== null || isJoint };
    const main = criterion.call({ logits, labels, logS, pixelWeights }, options);
    const side = auxiliary
      ? auxiliaryCriterion.call({ logits: auxiliary, labels, pixelWeights: weights }, { statistics: false })
      : null;
    return { main, side };
  } catch (error) {
    if (error instanceof NonFiniteLossError) return null;
    throw error;
  } finally {
    if (isJoint) curve?.requiresGrad_(true);
  }
}

/** The processes over whose batches the sums of the loss run; `null` for this one's alone. */
function sumsOverAll({ joint }: Training, { loss }: Config): World | null {
  return joint && loss.sumsOver === "all" ? joint.world : null;
}

function combine(
  { main, side }: Terms,
  { training, batch, phase, config }: { training: Training; batch: Batch; phase: Phase; config: Config },
): BatchLosses {
  const { curve } = training;
  const world = sumsOverAll(training, config);
  const sums = world && new JointSums(main, batch.validPixels, world);
  const factor = sums?.lossFactor(curve !== null, phase) ?? null;
  const addends = [times(main.loss, factor)];
  if (side) addends.push(times(side.loss, sums?.auxiliaryFactor() ?? null).mul(config.loss.auxiliaryWeight));
  if (sums && curve && isLearnable(curve)) addends.push(sums.curveObjective(curve));
  const total = addends.reduce((sum, addend) => sum.add(addend));
  const reported = times(phase === "isolated" ? main.meanLoss : main.objective, factor);
  return { total, numbers: numbersOf({ main, side }, reported, batch, curve !== null) };
}

function times(loss: Tensor, factor: Tensor | null): Tensor {
  return factor ? loss.mul(factor.to(loss.dtype)) : loss;
}

function numbersOf({ main, side }: Terms, reported: Tensor, batch: Batch, hasCurve: boolean): Tensor {
  return noGrad(() => {
    const { device } = reported;
    const number = (value: number) => ops.full([], value, { dtype: "float64", device });
    const weight = hasCurve ? main.statistics.select(0, 2) : number(batch.validPixels);
    const scalars = [reported, main.meanLoss, side?.loss ?? number(Number.NaN), weight];
    return ops.cat([
      ops.stack(scalars.map((scalar) => scalar.detach().to("float64"))),
      ...(hasCurve ? [main.bins.reshape([-1])] : []),
    ]);
  });
}
