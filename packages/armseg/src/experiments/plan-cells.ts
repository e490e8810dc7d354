import { createHash } from "node:crypto";
import { join } from "node:path";
import { stringify } from "yaml";
import { checkConfig, parseConfig } from "../config/read-config.ts";
import { withFirstKeys } from "../config/renamed-keys.ts";
import type { Config, ConfigInput } from "../config/schema.ts";
import { ISOLATED_FRACTION } from "../reweighting/adversary.ts";
import type { Cell, Experiment } from "./cell.ts";
import { METHODS, type Method, type MethodPart } from "./methods.ts";
import type { Places, Scale, ScaledNetwork } from "./scale.ts";

/** A cell that can be trained at a scale. */
export interface PlannedCell {
  /** E.g. `coarse-r18-deeplab-arm`; of a multi-scale evaluation with `-multi-scale` behind. */
  readonly name: string;
  /** Data and network, for the table. */
  readonly setting: string;
  readonly method: string;
  /** Name of the cell that it is compared with; `null` for that one itself, and where the experiment has none. */
  readonly base: string | null;
  readonly paper: Cell["paper"];
  /** Not a row of the paper's table. */
  readonly isOurs: boolean;
  readonly config: Config;
  /** What differs from the training's configuration when it is evaluated: `key=value`. */
  readonly overrides: readonly string[];
}

/** The paper says "the same as OCR", whose code is openseg: scales 0.5 to 2.0. */
export const MULTI_SCALE = ["evaluation.tta=openseg"];

/** Cells of an experiment that a scale has data and a network for. @param set - `key=value`, put over every cell's configuration. */
export function planCells(
  experiment: Experiment,
  scale: Scale,
  places: Places,
  set: readonly string[] = [],
): PlannedCell[] {
  const cells = experiment.cells.filter(({ data, network }) => scale.data[data] && scale.networks[network]);
  const names = new Set(cells.map((cell) => nameOf(cell, scale)));
  return cells.map((cell) => {
    const name = nameOf(cell, scale);
    const base = nameOf({ ...cell, method: cell.base ?? "ce" }, scale);
    return {
      name,
      setting: settingOf(cell, scale, places),
      method: METHODS[cell.method].title,
      base: base !== name && names.has(base) ? base : null,
      paper: cell.paper,
      isOurs: cell.isOurs ?? false,
      config: configOf(cell, scale, places, set),
      overrides: cell.isMultiScale ? MULTI_SCALE : [],
    };
  });
}

function nameOf(cell: Cell, scale: Scale): string {
  return `${cell.data}-${scale.networks[cell.network]?.name}-${cell.method}${cell.isMultiScale ? "-multi-scale" : ""}`;
}

function settingOf(cell: Cell, scale: Scale, places: Places): string {
  return `${scale.data[cell.data]?.(places).title}, ${scale.networks[cell.network]?.title}`;
}

/**
 * The configuration of a cell: the scale's base, the data's part, the network, the method.
 *
 * @throws {ConfigError} If the scale lacks the cell, or an override is wrong.
 */
export function configOf(cell: Cell, scale: Scale, places: Places, set: readonly string[] = []): Config {
  const data = scale.data[cell.data]?.(places);
  const network = scale.networks[cell.network];
  if (!data || !network)
    throw new RangeError(`configOf(): scale ${scale.name} has no ${cell.data} or ${cell.network}`);
  const { part }: Method = METHODS[cell.method];
  const { base } = scale;
  const input: ConfigInput = {
    name: nameOf(cell, scale),
    ...base,
    data: data.data,
    model: modelOf(network, scale, places),
    schedule: { ...base.schedule, ...data.part?.schedule },
    augmentation: { ...base.augmentation, ...data.part?.augmentation },
    evaluation: { ...base.evaluation, ...data.part?.evaluation },
    loss: part.loss ?? {},
    reweighting: { ...curveRate(part, scale), ...part.reweighting },
  };
  const origin = `the cell ${input.name} at scale ${scale.name}`;
  const config = checkConfig(parseConfig(stringify(input), origin, set), origin);
  return scale.isOhemScaled ? withOhemShare(config) : config;
}

function curveRate({ reweighting }: MethodPart, { curveMultiplier }: Scale): MethodPart["reweighting"] {
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

/** Weights are one file that the user names; at the paper's scale a folder with each backbone's. */
function modelOf({ model }: ScaledNetwork, scale: Scale, { weights }: Places): ScaledNetwork["model"] {
  if (scale.name === "paper")
    return { ...model, weights: join(weights ?? "weights", model.weights as string) };
  return { ...model, weights: weights ?? null };
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
