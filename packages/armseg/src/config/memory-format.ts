import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { type Device, getThreads, libtorchVersion } from "@armseg/torch";
import { cacheFolder } from "@armseg/torch/setup";
import { Measurements } from "../core/measurements.ts";
import type { NetworkMemoryFormat } from "../networks/index.ts";
import { timeStep } from "../networks/time-step.ts";
import { networkConfig } from "./build.ts";
import type { Config } from "./schema.ts";

/** Large enough for convolutions to take their usual algorithms, small enough for seconds. */
const LARGEST_SIDE = 128;
const BATCH = 2;
/** The classifier is nothing beside the rest. */
const CLASSES = 19;

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
 * Returns a configuration whose memory format is decided: `auto` becomes channels_last on a GPU, and on a processor the one in which a small
 * step of this network is faster, measured once per machine and network.
 *
 * It is what a run keeps, so that a resumed one computes in the same order, to the same bits.
 *
 * @param say - Told of a measurement.
 */
export function withMemoryFormat(config: Config, say: (text: string) => void): Config {
  if (config.model.memoryFormat !== "auto") return config;
  const memoryFormat = chosenFormat(config, say);
  return { ...config, model: { ...config.model, memoryFormat } };
}

function chosenFormat(config: Config, say: (text: string) => void): NetworkMemoryFormat {
  const { device, precision } = config.training;
  if (device !== "cpu") return device.startsWith("cuda") ? "channels_last" : "contiguous";
  const { memoryFormat: _, ...network } = networkConfig(config, CLASSES);
  const key = `memory format: ${JSON.stringify({ network, precision })} on ${machineName()}`;
  return new Measurements(measurementsFile()).once(key, isFormat, () => {
    const [height, width] = config.augmentation.crop;
    const crop = [Math.min(height, LARGEST_SIDE), Math.min(width, LARGEST_SIDE)] as const;
    const options = {
      batch: BATCH,
      crop,
      device: device as Device,
      precision,
      repeats: 4,
      clock: "processor" as const, // the choice stays: a busy machine must not make it
    };
    const seconds = FORMATS.map((memoryFormat) => timeStep({ ...network, memoryFormat }, options));
    return fasterOf(seconds as [number, number], say);
  });
}

function fasterOf(
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
