import { ConfigError } from "../config/read-config.ts";
import { ade20k } from "../data/formats/ade20k.ts";
import { cityscapes } from "../data/formats/cityscapes.ts";
import { CITYSCAPES_LABEL_IDS } from "../data/formats/cityscapes-classes.ts";
import type { Dataset, Sample } from "../data/sample.ts";
import {
  ade20kSubmission,
  cityscapesSubmission,
  type Prediction,
  type SubmissionFormat,
  writeSubmission,
} from "../evaluation/index.ts";
import { loadNetwork, type TrainedOptions } from "./evaluate.ts";
import { type PredictControl, predictSamples } from "./predict.ts";

export type Benchmark = "cityscapes" | "ade20k";

export interface SubmitRunOptions extends TrainedOptions, PredictControl {
  readonly benchmark: Benchmark;
  /** `test` (default) or, to try the files out, `val`. */
  readonly split?: "test" | "val";
  readonly out: string;
  readonly overwrite?: boolean;
}

export interface SubmitRunResult {
  readonly checkpoint: string;
  readonly files: readonly string[];
}

const FORMATS: Readonly<Record<Benchmark, () => SubmissionFormat>> = {
  cityscapes: () => cityscapesSubmission(CITYSCAPES_LABEL_IDS),
  ade20k: ade20kSubmission,
};

const SPLITS: Readonly<Record<Benchmark, (root: string, split: "test" | "val") => Promise<Dataset>>> = {
  cityscapes: (root, split) => cityscapes(root, { split }),
  ade20k: (root, split) => ade20k(root, { split }),
};

/**
 * Predicts a benchmark's split and writes the PNGs that its server takes.
 *
 * @throws {ConfigError} If the run was not trained on the benchmark's data set.
 * @throws {Error} If a file exists and `overwrite` is not set.
 */
export async function submitRun(options: SubmitRunOptions): Promise<SubmitRunResult> {
  const { benchmark, split = "test", out, overwrite = false } = options;
  using trained = loadNetwork(options);
  const { data } = trained.config;
  if (data.format !== benchmark || data.root === undefined) {
    throw new ConfigError(
      `submit: ${options.folder} was trained on ${data.format}, which ${benchmark}'s server does not take`,
    );
  }
  // Labels, where the split has some, are not looked at.
  const samples = (await SPLITS[benchmark](data.root, split)).samples.map(
    ({ name, image }): Sample => ({ name, image }),
  );
  const format = FORMATS[benchmark]();
  const files: string[] = [];
  const write = async ({ name }: Sample, { label }: Prediction) => {
    files.push(await writeSubmission(out, format, name, label, { overwrite }));
  };
  await predictSamples(trained, samples, write, options);
  return { checkpoint: trained.checkpoint, files };
}
