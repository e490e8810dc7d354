import { type Device, fromTypedArray, noGrad, ops, type Tensor, tidy } from "@armseg/torch";
import { loadTrained } from "../commands/evaluate.ts";
import { evenlySpaced } from "../core/evenly-spaced.ts";
import { BIN_SUMS, SegmentationLoss } from "../losses/index.ts";
import { createEvaluationReader } from "../pipeline/index.ts";
import { lineChart, type Point, type Series } from "../report/svg/line-chart.ts";
import { CURVE_INTERVALS, LinearCurve } from "../reweighting/index.ts";
import type { Figure, FigureRun } from "./figure.ts";
import { type LossProfile, lossProfile } from "./loss-profile.ts";

/** So many images, spread over the split, settle the means. */
const IMAGES = 64;
const BINS = 32;
/** Bins with fewer of a thousand pixels are left out: their means are noise. */
const LEAST_SHARE = 1e-5;

/**
 * Draws Figure 5: mean cross entropy by confidence, of the last iteration's network on its own training labels.
 *
 * Measured after the training, with the same flat curve for every method, so that they can be laid over one another.
 */
export async function drawFigure5(runs: readonly FigureRun[]): Promise<Figure> {
  const profiles: { readonly run: FigureRun; readonly profile: LossProfile }[] = [];
  for (const run of runs) profiles.push({ run, profile: await profileRun(run.folder) });
  const confidence = { xLabel: "confidence u (−1 least, 1 most confident)", xDomain: [-1, 1] } as const;
  const loss = lineChart(
    profiles.map(({ run, profile }) => seriesOf(run, profile, shownLoss(profile))),
    {
      ...confidence,
      title: "Mean loss by confidence",
      description: `Mean cross entropy in ${BINS} bins of confidence, of ${runs.length} trained networks.`,
      yLabel: "mean cross entropy in nats",
    },
  );
  const pixels = lineChart(
    profiles.map(({ run, profile }) => seriesOf(run, profile, shares(profile))),
    {
      ...confidence,
      title: "Pixels by confidence",
      description: `Share of the labelled pixels in ${BINS} bins of confidence.`,
      yLabel: "pixels in %",
      yScale: "log",
    },
  );
  return {
    panels: [
      {
        name: "loss",
        title: "Mean loss by confidence",
        explanation:
          "On the training labels. By Hölder's inequality the best curve for p = 2 has this shape.",
        content: loss,
      },
      { name: "pixels", title: "Pixels by confidence", explanation: "On a log preset.", content: pixels },
    ],
    numbers: profiles.map(({ run, profile }) => ({ cell: run.entry.name, seed: run.seed, ...profile })),
  };
}

function seriesOf({ entry }: FigureRun, { confidence }: LossProfile, values: readonly number[]): Series {
  return { name: entry.method, points: confidence.map((u, i): Point => [u, values[i]!]) };
}

function shares({ count }: LossProfile): number[] {
  const total = count.reduce((sum, n) => sum + n, 0);
  return count.map((n) => (100 * n) / total);
}

function shownLoss(profile: LossProfile): number[] {
  const share = shares(profile);
  return profile.meanLoss.map((loss, i) => (share[i]! > 100 * LEAST_SHARE ? loss : Number.NaN));
}

/** Loss by confidence of a run's last network on the labels that it was trained on. */
async function profileRun(folder: string): Promise<LossProfile> {
  using trained = await loadTrained({ folder, checkpoint: "last", split: "train" });
  const { config, network, dataset } = trained;
  const device = config.training.device as Device;
  using curve = new LinearCurve({ slope: 0, intercept: 1 }).to({ device });
  const criterion = new SegmentationLoss({ curve });
  await using reader = createEvaluationReader({
    samples: evenlySpaced(dataset.samples, IMAGES),
    normalise: config.augmentation,
    base: config.evaluation.base,
    ...(config.training.workers !== undefined && { workers: config.training.workers }),
  });
  using sum: Tensor = ops.zeros([BIN_SUMS.length, CURVE_INTERVALS + 1], { dtype: "float64" });
  for await (const { image, size, label } of reader) {
    if (!label) continue;
    tidy(() =>
      noGrad(() => {
        const images = fromTypedArray(image, [1, 3, ...size]).to(device, "float32");
        const { height, width, data } = label;
        const labels = fromTypedArray(data, [1, height, width]).to(device, "uint8");
        const { report } = criterion.call({ logits: network.call(images).logits, labels });
        if (report?.bins) sum.add_(report.bins.sums.cpu());
      }),
    );
  }
  return lossProfile(sum, { binCount: BINS });
}
