import { createHash } from "node:crypto";
import { join } from "node:path";
import { stringify } from "yaml";
import { checkConfig, parseConfig } from "../config/read-config.ts";
import { withFirstKeys } from "../config/renamed-keys.ts";
import type { Config, ConfigInput } from "../config/schema.ts";
import { fileNameOf, imageNetWeights } from "../networks/weights/imagenet.ts";
import { ISOLATED_FRACTION } from "../reweighting/adversary.ts";
import type { Experiment, ExperimentEntry } from "./experiment.ts";
import { METHODS, type Method, type MethodPart } from "./methods.ts";
import type { Places, Preset, PresetNetwork } from "./preset.ts";

/** An entry that can be trained at a preset. */
export interface PlannedEntry {
  /** E.g. `coarse-r18-deeplab-arm`; of a multi-scale evaluation with `-multi-scale` behind. */
  readonly name: string;
  /** Data and network, for the table. */
  readonly setting: string;
  readonly method: string;
  /** Name of the entry that it is compared with; `null` for that one itself, and where the experiment has none. */
  readonly base: string | null;
  /** Name of the entry with plain cross entropy on fine labels, where the experiment measures the gap to it; `null` for what is trained on fine labels itself. */
  readonly fine: string | null;
  readonly paper: ExperimentEntry["paper"];
  /** Not a row of the paper's table. */
  readonly isOurs: boolean;
  /** `null`: as many seeds as are asked for. */
  readonly mostSeeds: number | null;
  readonly config: Config;
  /** What differs from the training's configuration when it is evaluated: `key=value`. */
  readonly overrides: readonly string[];
}

/** The paper says "the same as OCR", whose code is openseg: scales 0.5 to 2.0. */
export const MULTI_SCALE = ["evaluation.tta=openseg"];

/** Returns the entries of an experiment that a preset has data and a network for. @param set - `key=value`, put over every entry's configuration. */
export function planEntries(
  experiment: Experiment,
  preset: Preset,
  places: Places,
  set: readonly string[] = [],
): PlannedEntry[] {
  const entries = experiment.entries.filter(
    ({ data, network }) => preset.data[data] && preset.networks[network],
  );
  const names = new Set(entries.map((entry) => nameOf(entry, preset)));
  return entries.map((entry) => {
    const name = nameOf(entry, preset);
    const base = nameOf({ ...entry, method: entry.base ?? "ce" }, preset);
    const fine = nameOf({ ...entry, data: "fine", method: "ce" }, preset);
    return {
      name,
      setting: settingOf(entry, preset, places),
      method: METHODS[entry.method].title,
      base: base !== name && names.has(base) ? base : null,
      fine: experiment.hasGap && entry.data !== "fine" && base !== name && names.has(fine) ? fine : null,
      mostSeeds: entry.mostSeeds ?? null,
      paper: entry.paper,
      isOurs: entry.isOurs ?? false,
      config: configOf(entry, preset, places, set),
      overrides: entry.isMultiScale ? MULTI_SCALE : [],
    };
  });
}

function nameOf(entry: ExperimentEntry, preset: Preset): string {
  return `${entry.data}-${preset.networks[entry.network]?.name}-${entry.method}${entry.isMultiScale ? "-multi-scale" : ""}`;
}

function settingOf(entry: ExperimentEntry, preset: Preset, places: Places): string {
  return `${preset.data[entry.data]?.(places).title}, ${preset.networks[entry.network]?.title}`;
}

/**
 * Returns the configuration of an entry: the preset's base, the data's part, the network, the method.
 *
 * @throws {ConfigError} If the preset lacks the entry, or an override is wrong.
 */
export function configOf(
  entry: ExperimentEntry,
  preset: Preset,
  places: Places,
  set: readonly string[] = [],
): Config {
  const data = preset.data[entry.data]?.(places);
  const network = preset.networks[entry.network];
  if (!data || !network)
    throw new RangeError(`configOf(): preset ${preset.name} has no ${entry.data} or ${entry.network}`);
  const { part }: Method = METHODS[entry.method];
  const { base } = preset;
  const input: ConfigInput = {
    name: nameOf(entry, preset),
    ...base,
    data: data.data,
    model: modelOf(network, preset, places),
    schedule: { ...base.schedule, ...data.part?.schedule },
    augmentation: { ...base.augmentation, ...data.part?.augmentation },
    evaluation: { ...base.evaluation, ...data.part?.evaluation },
    loss: part.loss ?? {},
    reweighting: { ...curveRate(part, preset), ...part.reweighting },
    correction: part.correction ?? {},
  };
  const origin = `the entry ${input.name} with preset ${preset.name}`;
  const config = checkConfig(parseConfig(stringify(input), origin, set), origin);
  return preset.isOhemScaled ? withOhemShare(config) : config;
}

function curveRate({ reweighting }: MethodPart, { curveMultiplier }: Preset): MethodPart["reweighting"] {
  return reweighting?.curve === "arm" ? { learningRateMultiplier: curveMultiplier } : {};
}

/** OHEM's minimum is meant for the 2 x 512 x 1024 pixels that one of the paper's GPUs sees. */
function withOhemShare(config: Config): Config {
  const { ohem } = config.loss;
  if (!ohem) return config;
  const [height, width] = config.augmentation.crop;
  const share = (config.training.batchSize * height * width) / (2 * 512 * 1024);
  const minKept = Math.round(ohem.minKept * share);
  return { ...config, loss: { ...config.loss, ohem: { ...ohem, minKept } } };
}

/** Weights are one file that the user names; with the paper's preset those of the table, or a folder of the user's with the same files. */
function modelOf({ model }: PresetNetwork, preset: Preset, { weights }: Places): PresetNetwork["model"] {
  if (preset.name !== "paper") return { ...model, weights: weights ?? null };
  if (weights === undefined) return model;
  const { backbone = "resnet50", stem = "v1c", strideOn = "3x3" } = model;
  return { ...model, weights: join(weights, fileNameOf(imageNetWeights({ backbone, stem, strideOn }))) };
}

/**
 * Eight hexadecimal digits that change with anything that a result depends on: all but the name, how batches are loaded, and
 * the isolated phase of a curve that has nothing to learn and so skips it.
 */
export function configHash(config: Config, overrides: readonly string[] = []): string {
  const { name: _, training, ...rest } = config;
  const { workers: __, batchCache: ___, ...counted } = training;
  const text = JSON.stringify([
    withFirstKeys({ ...rest, reweighting: countedCurve(rest) }),
    counted,
    overrides,
  ]);
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** With the default where there is no isolated phase, whatever is set. Keys keep their order. */
function countedCurve({ reweighting }: Pick<Config, "reweighting">): Config["reweighting"] {
  if (reweighting.curve === "arm") return reweighting;
  return { ...reweighting, isolatedFraction: ISOLATED_FRACTION };
}
