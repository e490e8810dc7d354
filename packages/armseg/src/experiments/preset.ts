import type { ConfigInput } from "../config/schema.ts";
import type { DataKind, NetworkKind } from "./experiment.ts";

/** Where a preset's data and weights lie. */
export interface Places {
  /** Of the experiment; generated data and coarse labels go below it. */
  readonly folder: string;
  /** Folder of the user's data. */
  readonly data?: string | undefined;
  /** ImageNet weights: one file, or for preset `paper` a folder of them. */
  readonly weights?: string | undefined;
}

/** A network of a preset: its part of the configuration. */
export interface PresetNetwork {
  /** For names of runs, e.g. `r18-deeplab`. */
  readonly name: string;
  readonly title: string;
  readonly model: NonNullable<ConfigInput["model"]>;
}

/** A budget: what the paper's entries are trained on and how long. Every entry of a preset has the same. */
export interface Preset {
  readonly name: "paper" | "camvid" | "scenes";
  readonly description: string;
  /** Trainings at a time, where there are as many processors: small networks use several better one each. */
  readonly mostJobs: number;
  /** Missing kinds of data and networks leave their entries out. */
  readonly data: Readonly<Partial<Record<DataKind, (places: Places) => PresetData>>>;
  readonly networks: Readonly<Partial<Record<NetworkKind, PresetNetwork>>>;
  /** Everything that neither data, network nor method says. */
  readonly base: Omit<ConfigInput, "data" | "model" | "loss" | "reweighting" | "correction" | "name">;
  /** Of the curve's learning rate, in every entry with ARM that does not set its own. */
  readonly curveMultiplier: number;
  /** OHEM keeps at least the paper's share of a batch, not its 100,000 pixels: small batches have fewer. */
  readonly isOhemScaled: boolean;
}

/** A data set at a preset. */
export interface PresetData {
  readonly title: string;
  readonly data: ConfigInput["data"];
  /** What differs from the preset's base for these data. */
  readonly part?: Pick<ConfigInput, "schedule" | "augmentation" | "evaluation">;
}
