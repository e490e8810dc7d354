import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { isKernelLibraryBuilt } from "@armseg/kernels";
import { type Device, getThreads, libtorchVersion } from "@armseg/torch";
import { cacheFolder } from "@armseg/torch/setup";
import { Measurements } from "../core/measurements.ts";
import {
  type KernelShape,
  kernelShapeName,
  kernelShapesOf,
  type NetworkMemoryFormat,
  type SegmenterConfig,
} from "../networks/index.ts";
import { timeConvolution } from "../networks/time-convolution.ts";
import { timeStep } from "../networks/time-step.ts";
import { networkConfig } from "./build.ts";
import type { Config } from "./schema.ts";

/** Large enough for convolutions to take their usual algorithms, small enough for seconds. */
const LARGEST_SIDE = 256;
const BATCH = 2;
/** The classifier is nothing beside the rest. */
const CLASSES = 19;
/** Multiplications of one image below which the time of a convolution is that of calling it. */
const FEWEST_MULTIPLICATIONS = 2 ** 20;
/** The choice stays: what is hardly faster is not taken, and a busy machine must not make it. */
const WORTHWHILE = 0.95;

const FORMATS = ["contiguous", "channels_last"] as const;

function isFormat(value: unknown): value is NetworkMemoryFormat {
  return FORMATS.includes(value as NetworkMemoryFormat);
}

/** Where measurements of this machine are kept. */
export function measurementsFile(): string {
  return join(cacheFolder(), "measurements.json");
}

/** What the speed of a network depends on beside itself. */
export function machineName(): string {
  const processor = cpus()[0]?.model.trim() ?? "unknown";
  return `${processor}, ${availableParallelism()} processors, ${getThreads()} threads, libtorch ${libtorchVersion()}`;
}

/**
 * Returns a configuration whose memory format and kernel convolutions are decided, where they are `auto`: on a GPU channels_last and none; on a
 * processor by measuring once per machine and shape. Each 3×3 convolution is timed by libtorch and by the kernels, in either format; then a small step of the
 * network in either format, with the convolutions that are fastest there.
 *
 * It is what a run keeps, so that a resumed one computes in the same order, to the same bits.
 *
 * @param say - Told of a measurement.
 */
export function withMeasuredModel(config: Config, say: (text: string) => void): Config {
  const { device } = config.training;
  const { memoryFormat, kernelConvolutions } = config.model;
  if (device !== "cpu") {
    const format = device.startsWith("cuda") ? "channels_last" : "contiguous";
    return withModel(config, {
      memoryFormat: memoryFormat === "auto" ? format : memoryFormat,
      kernelConvolutions: kernelConvolutions === "auto" ? [] : kernelConvolutions,
    });
  }
  if (memoryFormat !== "auto") return withModel(config, candidate(config, memoryFormat, say));
  const candidates = FORMATS.map((format) => candidate(config, format, say));
  return withModel(config, fasterOf(config, candidates as [Candidate, Candidate], say));
}

type Candidate = Pick<Config["model"], "memoryFormat" | "kernelConvolutions"> & {
  readonly kernelConvolutions: string[];
};

function withModel(
  config: Config,
  choice: Pick<Config["model"], "memoryFormat" | "kernelConvolutions">,
): Config {
  return { ...config, model: { ...config.model, ...choice } };
}

function measurements(): Measurements {
  return new Measurements(measurementsFile());
}

/** Returns a memory format with the convolutions that the kernels compute faster in it. */
function candidate(
  config: Config,
  memoryFormat: NetworkMemoryFormat,
  say: (text: string) => void,
): Candidate {
  const given = config.model.kernelConvolutions;
  if (given !== "auto") return { memoryFormat, kernelConvolutions: given };
  if (config.training.precision !== "float32" || !isKernelLibraryBuilt())
    return { memoryFormat, kernelConvolutions: [] };
  const shapes = kernelShapesOf(networkConfig(config, CLASSES), config.augmentation.crop).filter(
    isWorthMeasuring,
  );
  const found = shapes.map((shape) => ({ shape, ...kernelTime(shape, memoryFormat) }));
  const chosen = found.filter(({ isFaster }) => isFaster).map(({ shape }) => shape);
  if (found.some(({ isNew }) => isNew)) {
    say(
      `convolutions: the kernels are faster than libtorch for ${chosen.length} of the network's ${shapes.length} shapes in ${memoryFormat} (measured once on this machine)`,
    );
  }
  return { memoryFormat, kernelConvolutions: chosen.map(kernelShapeName).sort() };
}

function isWorthMeasuring({
  inChannels,
  outChannels,
  isDepthwise,
  size: [height, width],
}: KernelShape): boolean {
  const perPixel = 9 * outChannels * (isDepthwise ? 1 : inChannels);
  return perPixel * height * width >= FEWEST_MULTIPLICATIONS;
}

/** Whether the kernel is faster for a shape, and whether that had to be measured. */
function kernelTime(
  shape: KernelShape,
  memoryFormat: NetworkMemoryFormat,
): { readonly isFaster: boolean; readonly isNew: boolean } {
  const key = `convolution: ${JSON.stringify({ shape, memoryFormat })} on ${machineName()}`;
  const isBoolean = (value: unknown) => typeof value === "boolean";
  let isNew = false;
  const isFaster = measurements().once(key, isBoolean, () => {
    isNew = true;
    const [kernel, libtorch] = [true, false].map((byKernel) =>
      timeConvolution(shape, { batch: BATCH, memoryFormat, byKernel }),
    ) as [number, number];
    return kernel < WORTHWHILE * libtorch;
  });
  return { isFaster, isNew };
}

function fasterOf(
  config: Config,
  candidates: readonly [Candidate, Candidate],
  say: (text: string) => void,
): Candidate {
  const { precision } = config.training;
  const networks = candidates.map((choice) => networkConfig(withModel(config, choice), CLASSES));
  const named = networks.map(({ kernelShapes, ...network }) => ({
    ...network,
    kernelShapes: [...(kernelShapes ?? [])],
  }));
  const key = `memory format: ${JSON.stringify({ networks: named, precision })} on ${machineName()}`;
  const format = measurements().once(key, isFormat, () => {
    const seconds = networks.map((network) => stepSeconds(network, config)) as [number, number];
    return fasterFormat(seconds, say);
  });
  return candidates.find(({ memoryFormat }) => memoryFormat === format) as Candidate;
}

function stepSeconds(network: SegmenterConfig, config: Config): number {
  const [height, width] = config.augmentation.crop;
  const crop = [Math.min(height, LARGEST_SIDE), Math.min(width, LARGEST_SIDE)] as const;
  const { device, precision } = config.training;
  return timeStep(network, { batch: BATCH, crop, device: device as Device, precision, clock: "processor" });
}

function fasterFormat(
  [contiguous, channelsLast]: readonly [number, number],
  say: (text: string) => void,
): NetworkMemoryFormat {
  const isContiguous = contiguous <= channelsLast;
  const [chosen, other] = isContiguous ? FORMATS : ([FORMATS[1], FORMATS[0]] as const);
  const share = Math.min(contiguous, channelsLast) / Math.max(contiguous, channelsLast);
  say(
    `memory format: ${chosen}, in which a step of this network takes ${(100 * share).toFixed(0)} % of its time in ${other} (measured once on this machine)`,
  );
  return chosen;
}
