import { amp, type Device, distributed, tensor } from "@armseg/torch";
import { Baseline } from "../baselines/index.ts";
import { Affinity } from "../correction/affinity.ts";
import { CoverageOffset } from "../correction/coverage-offset.ts";
import { type DistributedContext, ONE_PROCESS } from "../distributed/context.ts";
import { SegmentationLoss, type SegmentationLossOptions } from "../losses/index.ts";
import {
  type NetworkMemoryFormat,
  type Segmenter,
  type SegmenterConfig,
  segmenter,
  syncBatchNorm,
} from "../networks/index.ts";
import { ArmCurve, type Curve, isLearnable, LinearCurve } from "../reweighting/index.ts";
import { toTensors } from "../training/batch-tensors.ts";
import { Ema } from "../training/ema.ts";
import {
  curveGroup,
  networkGroups,
  ParameterGroups,
  trainedParameters,
} from "../training/parameter-groups.ts";
import { createSchedule, type Schedule } from "../training/schedule.ts";
import { forward, type Training, type TrainingLosses } from "../training/step.ts";
import type { TrainerParts } from "../training/trainer.ts";
import type { TrainingData } from "./build-data.ts";
import { buildMetaLoader } from "./build-loaders.ts";
import { ConfigError } from "./read-config.ts";
import type { Config } from "./schema.ts";

/**
 * Returns the configuration of one process of several: on a GPU of its own, if it is on GPUs.
 *
 * @throws {ConfigError} If several processes cannot share the device.
 */
export function onOwnDevice(config: Config, { worldSize, localRank }: DistributedContext): Config {
  const { device } = config.training;
  if (worldSize === 1 || device === "cpu") return config;
  if (device !== "cuda") {
    throw new ConfigError(
      `training.device: ${worldSize} processes train on cpu, or on cuda, where each takes a GPU of its own; got ${device}`,
    );
  }
  if (!distributed.processGroupDevices().includes("cuda")) {
    throw new ConfigError(
      "training.device cuda: this build carries no GPU tensors between processes; it needs libtorch 2 with NCCL, see docs/scale.md",
    );
  }
  return { ...config, training: { ...config.training, device: `cuda:${localRank}` } };
}

/** Returns a configuration in the networks' words; the number of classes comes from the data set alone. */
export function networkConfig(
  { model, loss, reweighting, training }: Config,
  classes: number,
): SegmenterConfig {
  return {
    backbone: model.backbone,
    head: model.head,
    classes,
    stem: model.stem,
    strideOn: model.strideOn,
    outputStride: model.outputStride,
    stages: model.stages,
    frozenStages: model.frozenStages,
    ...(model.headChannels !== null && { headChannels: model.headChannels }),
    auxiliary: model.auxiliaryHead,
    dropout: model.dropout,
    memoryFormat: memoryFormatOf(model.memoryFormat, training.device),
    // Where nobody has measured, `auto` leaves them to libtorch.
    kernelShapes: new Set(model.kernelConvolutions === "auto" ? [] : model.kernelConvolutions),
    logScale: loss.pixelLoss === "kl" || reweighting.indicator === "kl",
  };
}

/** What `auto` stands for where nobody has measured: a training does (`config/measured-model.ts`). */
function memoryFormatOf(format: Config["model"]["memoryFormat"], device: string): NetworkMemoryFormat {
  if (format !== "auto") return format;
  return device.startsWith("cuda") ? "channels_last" : "contiguous";
}

/** Returns the network; with several processes, one that normalises over the batches of all. */
export function buildNetwork(
  config: Config,
  classes: number,
  context: DistributedContext = ONE_PROCESS,
): Segmenter {
  const { group } = context;
  return segmenter({ ...networkConfig(config, classes), ...(group && { norm: syncBatchNorm(group) }) });
}

/** Returns the weight curve; `null` where every pixel weighs alike. */
export function buildCurve({ curve, slope, intercept }: Config["reweighting"]): Curve | null {
  if (curve === "none") return null;
  return curve === "arm" ? new ArmCurve() : new LinearCurve({ slope, intercept });
}

/** Returns one loss for the logits, one for the auxiliary head's, which is always the plain cross entropy. */
export function buildLosses(
  { loss, reweighting }: Config,
  curve: Curve | null,
  classWeights: SegmentationLossOptions["classWeights"],
): TrainingLosses {
  const { normalise, implementation, pixelLoss, q, gamma, ohem, auxiliaryWeight, sumsOver } = loss;
  const { indicator, detach, p } = reweighting;
  const shared = { classWeights: classWeights ?? null, normalise, implementation };
  return {
    main: new SegmentationLoss({ ...shared, pixelLoss, q, gamma, ohem, curve, indicator, detach, p }),
    auxiliary: new SegmentationLoss(shared),
    auxiliaryWeight,
    sumsOver,
  };
}

/** Returns the optimiser, over the network's groups of parameters and the curve's. */
export function buildGroups(
  { optimizer, reweighting }: Config,
  network: Segmenter,
  curve: Curve | null,
): ParameterGroups {
  const groups = networkGroups(network, optimizer);
  if (curve && isLearnable(curve)) groups.push(curveGroup(curve, reweighting));
  return new ParameterGroups(groups, optimizer, optimizer.learningRate);
}

/** Returns what the learning rate and the phase are at each iteration. */
export function buildSchedule({ schedule, optimizer, reweighting }: Config, curve: Curve | null): Schedule {
  const isolated = { fraction: reweighting.isolatedFraction, isLearnable: isLearnable(curve) };
  return createSchedule(schedule, optimizer.learningRate, isolated);
}

/** The objects of a training, with all that a {@link Trainer} needs to know of how they change. */
export interface TrainingObjects extends Training, Pick<TrainerParts, "groups" | "schedule"> {
  /** Frees the weights and everything else that outlives an iteration. */
  dispose(): void;
}

/**
 * Returns the objects of a training, fresh; seed the generators before.
 *
 * @param data - Number of classes, and one factor per class or `null`.
 * @param context - The processes to train with; all of them must build.
 * @throws {ConfigError} If parts of the configuration do not fit each other.
 */
export function buildTraining(
  config: Config,
  data: { readonly classes: number; readonly classWeights: readonly number[] | null },
  context: DistributedContext = ONE_PROCESS,
): TrainingObjects {
  const owners: { dispose(): void }[] = [];
  const dispose = () => {
    for (const owner of owners) owner.dispose();
  };
  try {
    return { ...assemble(config, data, context, owners), dispose };
  } catch (error) {
    dispose(); // nobody else knows what was built
    throw error;
  }
}

/** @param owners - Gathers what holds tensors. */
function assemble(
  config: Config,
  data: Parameters<typeof buildTraining>[1],
  context: DistributedContext,
  owners: { dispose(): void }[],
): Omit<TrainingObjects, "dispose"> {
  const own = <T extends { dispose(): void } | null>(owner: T): T => {
    if (owner) owners.push(owner);
    return owner;
  };
  const { precision, ema } = config.training;
  const device = config.training.device as Device;
  const network = own(buildNetwork(config, data.classes, context));
  checkBatch(config, network);
  network.to({ device }).train();
  const curve = own(buildCurve(config.reweighting));
  curve?.to({ device });
  const groups = buildGroups(config, network, curve);
  const classWeights = own(data.classWeights && tensor([...data.classWeights], { device }));
  return {
    network,
    curve,
    losses: buildLosses(config, curve, classWeights),
    coverage: own(config.correction.coverageOffset ? new CoverageOffset(data.classes, device) : null),
    affinity: buildAffinity(config),
    groups,
    optimizer: own(groups.optimizer),
    scaler: new amp.GradScaler({ enabled: precision === "float16" }),
    ema: own(ema === null ? null : new Ema(network, ema)),
    schedule: buildSchedule(config, curve),
    context,
    reducer: context.reducer(trainedParameters(network)),
    settings: { device, precision, clipNorm: config.optimizer.clipNorm },
  };
}

function buildAffinity({ correction, augmentation }: Config): Affinity | null {
  return correction.affinity > 0 ? new Affinity(correction.affinity, augmentation.std) : null;
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
 * Returns the baseline that a configuration asks for, if it does, from an iteration on.
 *
 * @throws {ConfigError} If it does not go with the rest of the configuration.
 */
export function buildBaseline(
  config: Config,
  data: TrainingData,
  training: Pick<TrainingObjects, "network" | "groups" | "settings" | "context">,
  startIteration: number,
): Baseline | null {
  const { baseline: kind, curve } = config.reweighting;
  if (kind === "none" || !data.meta) return null;
  const { network, groups, settings, context } = training;
  if (context.worldSize > 1) {
    throw new ConfigError(
      `reweighting.baseline ${kind}: it looks ahead with one process's network; train it on one process`,
    );
  }
  const { coverageOffset, teacher, relabel, affinity } = config.correction;
  if (coverageOffset || teacher || relabel !== "none" || affinity > 0) {
    throw new ConfigError(
      `reweighting.baseline ${kind}: it knows no correction of the labels; set correction.coverageOffset false, correction.teacher false, correction.relabel none, correction.affinity 0`,
    );
  }
  if (curve !== "none" || config.loss.pixelLoss !== "ce" || config.loss.ohem) {
    throw new ConfigError(
      `reweighting.baseline ${kind}: it weighs the cross entropy alone; set reweighting.curve none, loss.pixelLoss ce, loss.ohem null`,
    );
  }
  return new Baseline({
    kind,
    network,
    logits: (images) => forward(training, images).logits,
    learningRate: () => groups.learningRate("network") as number,
    metaBatches: buildMetaLoader(config, data, data.meta.samples, startIteration),
    toTensors: (batch) => toTensors(batch, settings.device),
    device: settings.device,
  });
}

/** Records of the curve over a whole training: enough to see it move. */
const CURVE_RECORDS = 40;

/** Estimates of the coverage over a whole training, at the ends of its first parts; the last part ends with none. */
const COVERAGE_PARTS = 5;

/** Returns how often things happen beside the updates, and how an update is made up. */
export function trainerSettings({
  schedule: { iterations },
  optimizer,
  training,
}: Config): Pick<TrainerParts, "intervals" | "accumulate" | "maxNonFinite"> {
  const part = (count: number) => Math.max(1, Math.round(iterations / count));
  return {
    intervals: {
      log: training.logEvery,
      curve: part(CURVE_RECORDS),
      coverage: part(COVERAGE_PARTS),
      evaluate: training.evaluateEvery ?? part(10),
      checkpoint: training.checkpointEvery ?? part(10),
    },
    accumulate: optimizer.accumulate,
    maxNonFinite: training.maxNonFinite,
  };
}
