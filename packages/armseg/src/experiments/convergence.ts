import { curveAgainstOptimum } from "../core/hoelder-optimum.ts";
import { lineChart, type Point, type Series } from "../report/svg/line-chart.ts";
import { readMetrics } from "../runs/metrics.ts";
import { type CurveRecord, recordsOfKind } from "../runs/records.ts";
import { runPaths } from "../runs/run-folder.ts";
import type { Figure, FigureRun, Panel } from "./figure.ts";

/** One run's curve over time. */
interface History {
  readonly run: FigureRun;
  readonly curves: readonly CurveRecord[];
}

/** How near a curve is to the optimum for the losses that it met just before. */
interface Nearness {
  readonly iteration: number;
  /** Pearson's, over the pixels; NaN of a flat curve. */
  readonly correlation: number;
  /** W(−1)/W(1): 1 of a flat curve. */
  readonly ratio: number;
}

/** The learned W(u) against Hölder's optimum over time, of every run; and the last curve of each beside its optimum. */
export async function drawConvergence(runs: readonly FigureRun[]): Promise<Figure> {
  const histories = runs.map((run): History => {
    const curves = recordsOfKind(readMetrics(runPaths(run.folder).metrics), "curve");
    return { run, curves };
  });
  const nearness = histories.map(({ run, curves }) => ({ run, points: curves.flatMap(nearnessOf) }));
  return {
    panels: [
      ...timePanels(nearness),
      ...histories.flatMap(({ run, curves }) => curvePanel(run, curves.at(-1))),
    ],
    numbers: nearness.map(({ run, points }) => ({
      cell: run.entry.name,
      seed: run.seed,
      multiplier: run.entry.config.reweighting.learningRateMultiplier,
      p: run.entry.config.reweighting.p,
      points,
    })),
  };
}

function nearnessOf(record: CurveRecord): Nearness[] {
  const compared = curveAgainstOptimum(record);
  if (!compared) return [];
  const ratio = record.weights[0]! / record.weights.at(-1)!;
  return [{ iteration: record.iteration, correlation: compared.correlation, ratio }];
}

function nameOf({ entry, seed }: FigureRun): string {
  return `${entry.method}${seed === 0 ? "" : `, seed ${seed}`}`;
}

function timePanels(
  nearness: readonly { readonly run: FigureRun; readonly points: readonly Nearness[] }[],
): Panel[] {
  const over = (value: (point: Nearness) => number): Series[] =>
    nearness.map(({ run, points }) => ({
      name: nameOf(run),
      points: points.map((point): Point => [point.iteration, value(point)]),
    }));
  const correlation = lineChart(
    over((point) => point.correlation),
    {
      title: "Correlation with the optimum",
      description: `Correlation of the learned curve with Hölder's optimum over the iterations, of ${nearness.length} runs.`,
      xLabel: "iteration",
      yLabel: "correlation over the pixels",
      yDomain: [-1, 1],
    },
  );
  const ratio = lineChart(
    over((point) => point.ratio),
    {
      title: "Contrast of the curve",
      description: `W(−1)/W(1) over the iterations, of ${nearness.length} runs.`,
      xLabel: "iteration",
      yLabel: "W(−1)/W(1)",
      yScale: "log",
    },
  );
  return [
    {
      name: "correlation",
      title: "Correlation with the optimum",
      explanation: "Of W(u) with L(u)^(1/(p−1)), for the mean losses L since the point before.",
      content: correlation,
    },
    {
      name: "contrast",
      title: "Contrast of the curve",
      explanation: "A curve that has not moved has 1.",
      content: ratio,
    },
  ];
}

function curvePanel(run: FigureRun, last: CurveRecord | undefined): Panel[] {
  const compared = last && curveAgainstOptimum(last);
  if (!compared) return [];
  const alongside = (values: readonly number[]) =>
    compared.confidence.map((u, i): Point => [u, last.countPerBin[i]! > 0 ? values[i]! : Number.NaN]);
  const title = `${nameOf(run)}: the curve and its optimum`;
  const content = lineChart(
    [
      { name: "learned", points: alongside(compared.learned) },
      { name: "optimum", points: alongside(compared.optimum), isDashed: true },
    ],
    {
      title,
      description: `The learned curve at iteration ${last.iteration} beside Hölder's optimum.`,
      xLabel: "confidence u",
      yLabel: "weight, average pixel = 1",
      xDomain: [-1, 1],
    },
  );
  const explanation = `At iteration ${last.iteration}; correlation ${compared.correlation.toFixed(3)}.`;
  return [{ name: `curve-${run.entry.name}-seed-${run.seed}`, title, explanation, content }];
}
