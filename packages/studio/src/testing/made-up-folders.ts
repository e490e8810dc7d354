import { createHash } from "node:crypto";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { appendMapsImage, auditPaths, createMapsFolder, runPaths } from "armseg/runs";
import sharp from "sharp";

export const CLASSES = [
  { name: "road", color: [128, 64, 128] },
  { name: "car", color: [0, 0, 142] },
  { name: "tree", color: [107, 142, 35] },
] satisfies { name: string; color: [number, number, number] }[];

/** `[height, width]` of every picture. */
export const SIZE = [24, 40] as const;
const PIXELS = SIZE[0] * SIZE[1];

/** A folder outside of everything, removed by the caller. */
export function temporaryFolder(): string {
  return fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "armseg-studio-")));
}

/** What a run is made of. */
export interface MadeUpRun {
  readonly iterations?: number;
  readonly done?: number;
  readonly seed?: number;
  readonly curve?: string;
  readonly classes?: readonly { readonly name: string; readonly color: readonly number[] }[];
  /** Folder of its data. */
  readonly data?: string;
}

/** Writes the folder of a run whose loss falls as 1 / iteration. */
export function makeRun(folder: string, options: MadeUpRun = {}): void {
  const { iterations = 100, done = 100, seed = 0, curve = "arm", classes = CLASSES, data = folder } = options;
  const paths = runPaths(folder);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(
    paths.config,
    `name: made up\ndata:\n  format: folder\n  images: ${JSON.stringify(data)}\nreweighting:\n  curve: ${curve}\ntraining:\n  seed: ${seed}\n`,
  );
  const run = { kind: "run", iteration: 0, iterations, classes, jointFrom: 5, facts: { network: "made up" } };
  const lines: object[] = [run];
  for (let iteration = 10; iteration <= done; iteration += 10) {
    lines.push({
      kind: "train",
      iteration,
      loss: 10 / iteration + seed,
      meanLoss: 9 / iteration + seed,
      learningRate: 0.1,
      phase: "joint",
    });
    lines.push(curveRecord(iteration));
    if (iteration % 50 === 0)
      lines.push({
        kind: "evaluation",
        iteration,
        split: "val",
        images: 3,
        aAcc: 0.8,
        mAcc: 0.7,
        mIoU: 0.3 + iteration / 1000 + seed / 100,
        iou: [0.9, 0.2 + iteration / 1000, "NaN"].slice(0, classes.length),
        ...(iteration === done && {
          confusion: classes.map((_, i) => classes.map((_, j) => (i === j ? 90 : 5))),
        }),
      });
    lines.push({ kind: "timing", iteration, iterationSeconds: 0.5 });
  }
  fs.writeFileSync(paths.metrics, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** A curve that falls, with four knots and eight bins. */
export function curveRecord(iteration: number): object {
  return {
    kind: "curve",
    iteration,
    p: 2,
    knots: [-1, -1 / 3, 1 / 3, 1],
    weights: [0.8, 0.6, 0.4, 0.2],
    meanLossPerBin: [4, 3.5, 3, 2.5, 2, 1.5, 1, 0.5],
    countPerBin: [10, 20, 30, 40, 50, 60, 70, 80],
  };
}

/** The pictures of an image: noise that its number decides. */
export function planesOf(index: number) {
  const at = (i: number) => (i * 2654435761 + index * 97) >>> 0;
  return {
    image: Uint8Array.from({ length: 3 * PIXELS }, (_, i) => at(i) % 251),
    label: Uint8Array.from({ length: PIXELS }, (_, i) => [0, 1, 2, 255][Math.floor(i / 10) % 4]!),
    prediction: Uint8Array.from({ length: PIXELS }, (_, i) => Math.floor((i + 3 * index) / 10) % 3),
    confidence: Uint8Array.from({ length: PIXELS }, (_, i) => at(i + 7) % 256),
  };
}

/** Writes an image or a plane as a PNG. */
export async function writePng(path: string, data: Uint8Array): Promise<void> {
  fs.mkdirSync(dirname(path), { recursive: true });
  const channels = data.length === 3 * PIXELS ? 3 : 1;
  const image = sharp(data, { raw: { height: SIZE[0], width: SIZE[1], channels } });
  await (channels === 1 ? image.toColourspace("b-w") : image).png({ palette: false }).toFile(path);
}

/** Pixels by label and prediction. */
export function confusionOf({ label, prediction }: ReturnType<typeof planesOf>): [number, number, number][] {
  const counts = new Map<string, number>();
  label.forEach((y, i) => {
    if (y !== 255) counts.set(`${y} ${prediction[i]}`, (counts.get(`${y} ${prediction[i]}`) ?? 0) + 1);
  });
  return [...counts].map(([key, count]) => [...(key.split(" ").map(Number) as [number, number]), count]);
}

/** Writes a folder of maps, and its images into `data`. */
export async function makeMaps(folder: string, data: string, names: readonly string[]): Promise<void> {
  createMapsFolder(folder, {
    version: 1,
    run: "made up",
    checkpoint: "iteration-00000100.safetensors",
    iteration: 100,
    split: "val",
    indicator: "var",
    classes: CLASSES.map(({ name, color }) => ({ name, color: [...color] })),
  });
  for (const [index, name] of names.entries()) {
    const planes = planesOf(index);
    const imageFile = join(data, `${index}.png`);
    await writePng(imageFile, planes.image);
    for (const plane of ["label", "prediction", "confidence"] as const)
      await writePng(join(folder, `planes/${plane}/${index}.png`), planes[plane]);
    appendMapsImage(folder, {
      image: name,
      imageFile,
      size: [...SIZE],
      planes: {
        label: `planes/label/${index}.png`,
        prediction: `planes/prediction/${index}.png`,
        confidence: `planes/confidence/${index}.png`,
      },
      confusion: confusionOf(planes),
    });
  }
}

/** Writes an audit of a run: one image, `images/audited.png` with `labels/audited.png`, and three regions of 4×6 pixels; returns the label's file. */
export async function makeAudit(run: string, data: string): Promise<string> {
  const paths = auditPaths(run);
  const planes = planesOf(0);
  const imageFile = join(data, "images", "audited.png");
  await writePng(imageFile, planes.image);
  const labelFile = join(data, "labels", "audited.png");
  await writePng(labelFile, planes.label);
  for (const [name, plane] of [
    ["label", planes.label],
    ["prediction", planes.prediction],
    ["likelihood", planes.confidence],
  ] as const)
    await writePng(join(paths.planes, `audited-${name}.png`), plane);
  const labelSha256 = createHash("sha256").update(fs.readFileSync(labelFile)).digest("hex");
  const identity = { image: "audited", labelFile, labelSha256, size: [...SIZE] };
  const planesIn = (name: string) => `audit/planes/audited-${name}.png`;
  const image = {
    ...identity,
    imageFile,
    labelled: 700,
    disagreeing: 90,
    suspicious: 72,
    regions: 3,
    quality: 0.4,
    planes: {
      label: planesIn("label"),
      prediction: planesIn("prediction"),
      likelihood: planesIn("likelihood"),
    },
  };
  fs.writeFileSync(paths.images, `${JSON.stringify(image)}\n`);
  const regions = [1, 2, 3].map((rank) => ({
    id: `audited#${rank}`,
    rank,
    ...identity,
    area: 24,
    label: 0,
    prediction: rank % 3,
    score: 30 / rank,
    likelihood: 0.9,
    mask: { top: 2, left: 10 * rank - 8, height: 4, width: 6, runs: [0, 24] },
  }));
  fs.writeFileSync(paths.regions, regions.map((region) => `${JSON.stringify(region)}\n`).join(""));
  const summary = {
    version: 1,
    checkpoint: "iteration-00000100.safetensors",
    dataset: "made up",
    split: "train",
    images: 1,
    regions: 3,
    folds: 1,
    leastArea: 10,
    classes: CLASSES.map((info) => ({
      ...info,
      threshold: 0.6,
      labelled: 240,
      disagreeing: 30,
      suspicious: 24,
      regions: 1,
      predictedAs: [],
    })),
    measure: null,
    seconds: 1,
  };
  fs.writeFileSync(paths.summary, JSON.stringify(summary));
  return labelFile;
}
