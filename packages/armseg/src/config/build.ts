import { amp, type Device, distributed, optim, type Parameter, type Tensor, tensor } from "@armseg/torch";
import type { World } from "../distributed/world.ts";
import { SegmentationLoss } from "../losses/index.ts";
import { type Segmenter, type SegmenterConfig, segmenter, syncBatchNorm } from "../networks/index.ts";
import { ArmCurve, adversaryGroup, type Curve, isLearnable, LinearCurve } from "../reweighting/index.ts";
import { Ema } from "../training/ema.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

export type TrainOptimizer = optim.SGD | optim.AdamW;

/** Everything that a training changes: what a checkpoint must hold. */
export interface TrainingState {
  readonly network: Segmenter;
  readonly curve: Curve | null;
  readonly optimizer: TrainOptimizer;
  readonly scaler: amp.GradScaler;
  readonly ema: Ema | null;
}

/** What a training iteration works with. */
export interface Training extends TrainingState {
  readonly criterion: SegmentationLoss;
  readonly auxiliaryCriterion: SegmentationLoss;
  /** The processes that train this network together, and what averages their gradients; `null` for one on its own. */
  readonly joint: { readonly world: World; readonly reducer: distributed.Reducer } | null;
  /** Each group's learning rate is the schedule's times this; negative for the curve. */
  readonly groupFactors: readonly number[];
  /** Frees the weights and everything else that outlives an iteration. */
  dispose(): void;
}

/** A configuration in the networks' words; the number of classes comes from the data set alone. */
export function networkConfig({ model, loss, reweighting }: Config, classes: number): SegmenterConfig {
  return {
    backbone: model.backbone,
    head: model.head,
    classes,
    stem: model.stem,
    strideOn: model.strideOnFirst ? "1x1" : "3x3",
    outputStride: model.outputStride,
    channels: model.headChannels,
    auxiliary: model.auxiliaryHead,
    dropout: model.dropout,
    memoryFormat: model.memoryFormat,
    logScale: loss.pixel === "kl" || reweighting.indicator === "kl",
  };
}

/** The network that a configuration describes; one of several processes normalises over the batches of all. */
export function buildNetwork(config: Config, classes: number, world: World | null = null): Segmenter {
  return segmenter({ ...networkConfig(config, classes), ...(world && { norm: syncBatchNorm(world.group) }) });
}

function buildCurve({ curve, slope, intercept }: Config["reweighting"]): Curve | null {
  if (curve === "none") return null;
  return curve === "arm" ? new ArmCurve() : new LinearCurve({ k: slope, b: intercept });
}

type NamedParameters = [name: string, parameter: Parameter][];

/** Parameters that share a learning rate and a weight decay. */
interface Group {
  readonly parameters: NamedParameters;
  readonly factor: number;
  readonly weightDecay: number;
}

function networkGroups(
  network: Segmenter,
  { headMultiplier, weightDecay, decayNormAndBias }: Config["optimizer"],
): Group[] {
  const groups = new Map<string, Group>();
  for (const [name, parameter] of network.namedParameters()) {
    const factor = name.startsWith("backbone.") ? 1 : headMultiplier;
    // Norm parameters and biases are the ones with a single dimension.
    const decay = decayNormAndBias || parameter.ndim > 1 ? weightDecay : 0;
    const key = `${factor} ${decay}`;
    const group = groups.get(key) ?? { parameters: [], factor, weightDecay: decay };
    group.parameters.push([name, parameter]);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function buildOptimizer(config: Config, groups: readonly Group[]): TrainOptimizer {
  const { type, learningRate, momentum, nesterov } = config.optimizer;
  const options = groups.map(({ parameters, weightDecay }) => ({ parameters, weightDecay, learningRate }));
  if (type === "adamw") return new optim.AdamW(options, { learningRate });
  return new optim.SGD(options, { learningRate, momentum, nesterov });
}

function curveGroup(curve: Curve, config: Config): Group {
  const { learningRateMultiplier, weightDecay } = config.reweighting;
  const group = adversaryGroup(curve, 1, { learningRateMultiplier, weightDecay });
  return { parameters: [...group.parameters] as NamedParameters, factor: group.learningRate, weightDecay };
}

/** One loss for the main output, one for the auxiliary head's, which is always the plain cross entropy. */
function buildLosses(config: Config, curve: Curve | null, classWeights: Tensor | null) {
  const { loss, reweighting } = config;
  const shared = { classWeights, normalise: loss.normalise, implementation: loss.implementation };
  const criterion = new SegmentationLoss({
    ...shared,
    pixelLoss: loss.pixel,
    q: loss.q,
    gamma: loss.gamma,
    ohem: loss.ohem,
    curve,
    indicator: reweighting.indicator,
    detach: reweighting.detach,
    p: reweighting.p,
  });
  return { criterion, auxiliaryCriterion: new SegmentationLoss(shared) };
}

function checkBatch(config: Config, network: Segmenter): void {
  const { batchSize } = config.training;
  if (batchSize >= network.minimumTrainingBatch) return;
  throw new ConfigError(
    `training.batchSize: expected at least ${network.minimumTrainingBatch}, got ${batchSize}; a batch normalisation follows the ` +
      "global pooling of this head and has nothing to normalise over. Take 2, with optimizer.accumulate if memory is short.",
  );
}

/**
 * The objects of a training, fresh; seed the generators before.
 *
 * @param classWeights - `[C]`, float32, one factor a class, or `null`.
 * @param world - The processes to train with; all of them must build.
 * @throws {ConfigError} If parts of the configuration do not fit each other.
 */
export function buildTraining(
  config: Config,
  classes: number,
  classWeights: readonly number[] | null,
  world: World | null = null,
): Training {
  const device = config.training.device as Device;
  const network = buildNetwork(config, classes, world);
  checkBatch(config, network);
  network.to({ device }).train();
  const curve = buildCurve(config.reweighting);
  curve?.to({ device });
  const groups = networkGroups(network, config.optimizer);
  if (curve && isLearnable(curve)) groups.push(curveGroup(curve, config));
  const optimizer = buildOptimizer(config, groups);
  const ema = config.training.ema === null ? null : new Ema(network, config.training.ema);
  const weights = classWeights && tensor([...classWeights], { device });
  return {
    network,
    curve,
    optimizer,
    groupFactors: groups.map((group) => group.factor),
    scaler: new amp.GradScaler({ enabled: config.training.precision === "float16" }),
    ema,
    joint: world && { world, reducer: new distributed.Reducer(world.group, network.parameters()) },
    ...buildLosses(config, curve, weights),
    dispose: () => {
      for (const owner of [network, curve, optimizer, ema, weights]) owner?.dispose();
    },
  };
}
