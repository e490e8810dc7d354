import type { TrainRecord } from "../../runs/records.ts";
import { bucketMeans } from "../bucket-means.ts";
import { figure, figures, section } from "../page.ts";
import { type ReportData, splitsOf } from "../report-data.ts";
import { extent, niceDomain } from "../svg/axis-scale.ts";
import { lineChart, type Point, type Series } from "../svg/line-chart.ts";

/** A schedule that changes at every iteration is drawn through so many points. */
const RATE_POINTS = 500;

/** Losses, learning rates and scores over the iterations. */
export function training(data: ReportData): string {
  return section(
    "Training",
    figures(lossFigure(data), scoreFigure(data), rateFigure(data), timeFigure(data)),
  );
}

function lossFigure(data: ReportData): string {
  const series = [
    smoothed(data.train, "loss", (record) => record.loss),
    smoothed(data.train, "mean pixel loss, unweighted", (record) => record.meanLoss),
    smoothed(data.train, "auxiliary loss", (record) => record.auxLoss),
    smoothed(data.train, "affinity", (record) => record.affinity),
  ].filter(({ points }) => points.length > 0);
  const start = data.run?.jointFrom ?? data.train.find(({ phase }) => phase === "joint")?.iteration;
  const chart = lineChart(series, {
    title: "Loss",
    description: `Training loss over ${data.train.length} logged iterations; the line is a running mean.`,
    xLabel: "iteration",
    yLabel: "nats",
    xDomain: wholeRun(data),
    yScale: "log",
    marks: start === undefined ? [] : [{ x: start, text: "joint training" }],
  });
  return figure(
    "Loss",
    chart,
    "Means of neighbouring iterations; the band spans their lowest and highest value.",
  );
}

function smoothed(
  train: readonly TrainRecord[],
  name: string,
  value: (record: TrainRecord) => number | undefined,
): Series {
  const points = train.flatMap((record): Point[] => {
    const y = value(record);
    return y === undefined ? [] : [[record.iteration, y]];
  });
  return { name, ...bucketMeans(points) };
}

/** mIoU (and accuracy) over the iterations; one line per split. */
function scoreFigure(data: ReportData): string {
  const series = splitsOf(data).map((split): Series => {
    const records = data.evaluations.filter((evaluation) => evaluation.split === split);
    return {
      name: split,
      points: records.map(({ iteration, mIoU }) => [iteration, 100 * mIoU]),
      hasDots: records.length < 60,
    };
  });
  const chart = lineChart(series, {
    title: "mIoU",
    description: `Mean intersection over union on ${splitsOf(data).join(", ")} over the iterations.`,
    xLabel: "iteration",
    yLabel: "mIoU in %",
    xDomain: wholeRun(data),
  });
  return figure("mIoU", chart, "Mean over the classes of intersection over union.");
}

function rateFigure(data: ReportData): string {
  const { train } = data;
  const rates = (name: string, rate: (record: TrainRecord) => number | undefined): Series => {
    const points = train.flatMap((record): Point[] => {
      const value = rate(record);
      return value === undefined ? [] : [[record.iteration, Math.abs(value)]];
    });
    return { name, points: withoutRepeats(points), isStepped: true };
  };
  const series = [
    rates("network", ({ learningRate }) => learningRate),
    { ...rates("curve (negative)", ({ curveLearningRate }) => curveLearningRate), isDashed: true },
  ];
  const chart = lineChart(
    series.filter(({ points }) => points.length > 0),
    {
      title: "Learning rate",
      description:
        "Learning rate of the network, and of the weight curve where one is learned, over the iterations.",
      xLabel: "iteration",
      yLabel: "learning rate",
      xDomain: wholeRun(data),
      yScale: "log",
    },
  );
  return figure(
    "Learning rate",
    chart,
    "The curve climbs the loss that the network descends: its rate is negative.",
  );
}

/** The points at which a schedule changes, and its last: a step lies where it is, however long the run. */
function withoutRepeats(points: readonly Point[]): readonly Point[] {
  const changes = points.filter(([, y], i) => i === points.length - 1 || y !== points[i - 1]?.[1]);
  const stride = Math.ceil(changes.length / RATE_POINTS);
  return changes.filter((_, i) => i % stride === 0 || i === changes.length - 1);
}

function timeFigure(data: ReportData): string {
  const all = data.timings.map(({ iteration, iterationSeconds }): Point => [iteration, iterationSeconds]);
  const waiting = data.timings.flatMap(({ iteration, dataSeconds }): Point[] =>
    dataSeconds === undefined ? [] : [[iteration, dataSeconds]],
  );
  const series = [
    { name: "whole iteration", ...bucketMeans(all) },
    { name: "waiting for data", ...bucketMeans(waiting) },
  ].filter(({ points }) => points.length > 0);
  const highest = extent(series.flatMap(({ points }) => points.map(([, value]) => value)))?.[1] ?? 1;
  const chart = lineChart(series, {
    title: "Time",
    description: "Wall time per iteration, and the part of it spent waiting for data.",
    xLabel: "iteration",
    yLabel: "seconds",
    xDomain: wholeRun(data),
    yDomain: niceDomain([0, highest]),
  });
  return figure("Time", chart, "Wall time per iteration, and the part of it spent waiting for data.");
}

/** From the start to the planned end, so that a run that goes on shows how far it is. */
function wholeRun({ run, iteration }: ReportData): readonly [number, number] {
  return [0, Math.max(run?.iterations ?? 0, iteration, 1)];
}
