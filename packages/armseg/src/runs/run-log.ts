import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MetricsWriter, readMetrics } from "./metrics.ts";
import { type MetricsRecord, type RunRecord, recordsOfKind } from "./records.ts";
import type { RunPaths } from "./run-folder.ts";
import { TensorBoardWriter } from "./tensorboard.ts";
import type { SummaryValue } from "./tensorboard-events.ts";

/** The log of a run: every record goes to `metrics.jsonl` and, as far as TensorBoard can show it, to an event file. */
export class RunLog implements Disposable {
  readonly #paths: RunPaths;
  readonly #metrics: MetricsWriter;
  readonly #tensorBoard: TensorBoardWriter;
  /** Set once the log has its run record. */
  #classNames: readonly string[] | undefined;

  /**
   * @param options.resumeAt - Iteration of the checkpoint that the run continues from; what was logged later is undone.
   * @throws If a log is there already and the run is not resumed.
   */
  constructor(paths: RunPaths, options: { readonly resumeAt?: number } = {}) {
    this.#paths = paths;
    this.#metrics = new MetricsWriter(paths.metrics, options);
    this.#tensorBoard = new TensorBoardWriter(paths.tensorboard, options);
    const run = recordsOfKind(readMetrics(paths.metrics), "run")[0];
    if (run !== undefined) this.#classNames = classNames(run);
  }

  /**
   * Writes one record; the files that a sample record names must be there.
   *
   * A run record that the log already has, because the run was resumed, is not written again.
   */
  log(record: MetricsRecord): void {
    if (record.kind === "run") {
      if (this.#classNames !== undefined) return;
      this.#classNames = classNames(record);
    }
    this.#metrics.append(record);
    this.#tensorBoard.write(record.iteration, summaryOf(record, this.#classNames ?? [], this.#paths.folder));
  }

  /** Makes the log survive a power failure. Call it before saving a checkpoint. */
  flush(): void {
    this.#metrics.flush();
  }

  /** Flushes and closes the files. */
  [Symbol.dispose](): void {
    this.#metrics[Symbol.dispose]();
    this.#tensorBoard[Symbol.dispose]();
  }
}

function classNames(run: RunRecord): string[] {
  return run.classes.map(({ name }) => name);
}

/** What TensorBoard shows of a record. */
function summaryOf(record: MetricsRecord, names: readonly string[], folder: string): SummaryValue[] {
  switch (record.kind) {
    case "train": {
      const { loss, meanLoss, auxLoss, affinity, learningRate, curveLearningRate, gradientNorm } = record;
      return scalars("train", {
        loss,
        meanLoss,
        auxLoss,
        affinity,
        learningRate,
        curveLearningRate,
        gradientNorm,
      });
    }
    case "timing": {
      const { iterationSeconds, dataSeconds, memoryBytes } = record;
      return scalars("timing", { iterationSeconds, dataSeconds, memoryBytes });
    }
    case "evaluation": {
      const { aAcc, mAcc, mIoU, boundaryIoU } = record;
      const iou = Object.fromEntries(record.iou.map((value, i) => [names[i] ?? `class ${i}`, value]));
      return [
        ...scalars(`evaluation/${record.split}`, { aAcc, mAcc, mIoU, boundaryIoU }),
        ...scalars(`IoU/${record.split}`, iou),
      ];
    }
    case "curve":
      return curveHistograms(record.knots, record.weights, record.countPerBin);
    case "sample":
      return Object.entries(record.files).map(([what, file]) => ({
        tag: `samples/${record.name}/${what}`,
        png: readFileSync(join(folder, file)),
      }));
    default:
      return [];
  }
}

/** The curve is shown as a histogram over u whose heights are W(u): its ridges over the iterations are W's history. */
function curveHistograms(
  knots: readonly number[],
  weights: readonly number[],
  counts: readonly number[],
): SummaryValue[] {
  const between = weights.slice(1).map((weight, i) => (weight + weights[i]!) / 2);
  const binEdges = Array.from({ length: counts.length + 1 }, (_, i) => (2 * i) / counts.length - 1);
  return [
    { tag: "curve/W(u)", histogram: { edges: knots, counts: between } },
    { tag: "curve/pixels(u)", histogram: { edges: binEdges, counts } },
  ];
}

function scalars(prefix: string, values: Readonly<Record<string, number | undefined>>): SummaryValue[] {
  return Object.entries(values).flatMap(([name, scalar]) =>
    scalar === undefined ? [] : [{ tag: `${prefix}/${name}`, scalar }],
  );
}
