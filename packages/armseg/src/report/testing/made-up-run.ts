import type { CurveRecord, EvaluationRecord, MetricsRecord } from "../../runs/records.ts";
import type { ReportData } from "../report-data.ts";
import { reportData } from "../report-data.ts";

const CLASSES = [
  ["sky", [128, 128, 128]],
  ["building", [128, 0, 0]],
  ["pole", [192, 192, 128]],
  ["road", [128, 64, 128]],
  ["pavement", [60, 40, 222]],
  ["tree", [128, 128, 0]],
  ["sign", [192, 128, 128]],
  ["fence", [64, 64, 128]],
  ["car", [64, 0, 128]],
  ["pedestrian", [64, 64, 0]],
  ["cyclist", [0, 128, 192]],
] as const;

/** The records of a run that never was, with all that a report can show. The same at every call. */
export function madeUpRecords(
  options: { readonly iterations?: number; readonly skill?: number } = {},
): MetricsRecord[] {
  const { iterations = 4000, skill = 0.6 } = options;
  const random = generator(7);
  const records: MetricsRecord[] = [
    {
      kind: "run",
      iteration: 0,
      iterations,
      classes: CLASSES.map(([name, color]) => ({ name, color })),
      facts: {
        network: "DeepLabv3+ R18",
        data: "CamVid, coarse labels (preset cityscapes)",
        reweighting: "arm, indicator var, p = 2",
        schedule: `${iterations} iterations, batch 8, crop 320 × 416, SGD 0.02`,
      },
    },
  ];
  for (let iteration = 10; iteration <= iterations; iteration += 10) {
    const progress = iteration / iterations;
    const loss = (0.25 + 2.2 * Math.exp(-6 * progress)) * (0.75 + 0.5 * random());
    const isIsolated = progress <= 0.05;
    const learningRate =
      0.02 * (isIsolated ? progress / 0.05 : progress < 0.6 ? 1 : progress < 0.9 ? 0.1 : 0.01);
    records.push({
      kind: "train",
      iteration,
      loss: 1.9 * loss,
      meanLoss: loss,
      auxLoss: 1.3 * loss * (0.9 + 0.2 * random()),
      learningRate,
      curveLearningRate: -10 * learningRate,
      phase: isIsolated ? "isolated" : "joint",
    });
    if (iteration === 1230) {
      records.push({
        kind: "event",
        iteration,
        event: "skippedStep",
        message: "loss is NaN; weights left alone",
      });
    }
    if (iteration % 200 === 0) records.push(curve(iteration, progress));
    if (iteration % 400 === 0) records.push(evaluation(iteration, progress, skill, iteration === iterations));
    if (iteration % 100 === 0)
      records.push({
        kind: "timing",
        iteration,
        iterationSeconds: 1.1 + 0.1 * random(),
        dataSeconds: 0.04 * random(),
      });
  }
  for (const name of ["seq_001", "seq_002"]) {
    const files = ["image", "label", "prediction", "confidence", "weight"].map((what) => [
      what,
      `figures/${name}-${what}.png`,
    ]);
    records.push({ kind: "sample", iteration: iterations, name, files: Object.fromEntries(files) });
  }
  return records;
}

/** A run that never was, as a report reads it. */
export function madeUpRun(
  name: string,
  images: ReadonlyMap<string, Uint8Array>,
  options: { readonly iterations?: number; readonly skill?: number } = {},
): ReportData {
  const config = "network: deeplab-v3-plus\nbackbone: resnet18\n";
  return reportData({ name, config, environments: [], records: madeUpRecords(options) }, images);
}

function curve(iteration: number, progress: number): CurveRecord {
  const knots = Array.from({ length: 65 }, (_, i) => i / 32 - 1);
  const bins = Array.from({ length: 32 }, (_, i) => (2 * (i + 0.5)) / 32 - 1);
  const loss = (u: number) => (2.4 - progress) * Math.exp(-1.4 * (u + 1)) + 0.02;
  return {
    kind: "curve",
    iteration,
    p: 2,
    knots,
    weights: knots.map((u) => 0.5 + 0.45 * Math.tanh(-3 * progress * (u + 0.2))),
    meanLossPerBin: bins.map((u, i) => (i === 0 ? Number.NaN : loss(u) * (1 + 0.05 * Math.sin(5 * u)))),
    countPerBin: bins.map((u, i) => (i === 0 ? 0 : Math.round(2e5 * Math.exp(2.2 * u * (0.4 + progress))))),
  };
}

function evaluation(iteration: number, progress: number, skill: number, isLast: boolean): EvaluationRecord {
  const iou = CLASSES.map((_, i) => skill * (1 - Math.exp(-5 * progress)) * (1.35 - 0.1 * ((i * 7) % 11)));
  const mean = iou.reduce((sum, value) => sum + value, 0) / iou.length;
  return {
    kind: "evaluation",
    iteration,
    split: "dev-val",
    images: 101,
    aAcc: 0.5 + 0.6 * mean,
    mAcc: 1.15 * mean,
    mIoU: mean,
    iou: iou.map((value, i) => (i === 10 ? Number.NaN : value)),
    accuracy: iou.map((value) => Math.min(1.15 * value, 1)),
    ...(isLast ? { confusion: confusion(iou) } : {}),
  };
}

function confusion(iou: readonly number[]): number[][] {
  return iou.map((right, i) =>
    iou.map((_, j) => Math.round(1e6 * (i === j ? right : ((1 - right) * ((i * 5 + j * 3) % 7)) / 33))),
  );
}

/** A small congruential generator: the same numbers everywhere. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
