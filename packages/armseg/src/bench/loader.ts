import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateScene } from "@armseg/scenes";
import { median } from "@armseg/torch/bench";
import sharp from "sharp";
import type { LabelMap, Sample } from "../data/sample.ts";
import { augmentationPresets, createLoader } from "../pipeline/index.ts";

export interface LoaderBenchOptions {
  /** Images to load, 2048x1024, with label ids as masks; without them scenes are generated (some seconds each). */
  readonly samples?: readonly Sample[];
  /** Images of one measurement. Default 40. */
  readonly images?: number;
  /** Measurements of each, taken in turns; the median counts. Default 3. */
  readonly rounds?: number;
  /** Python interpreters whose libraries are measured, where they are installed. Default: the first on the path, and the system's. */
  readonly pythons?: readonly string[];
}

export interface LoaderBenchFigure {
  /** `armseg`, `cv2 4.6.0`, `Pillow 9.4.0`. */
  readonly library: string;
  /** Images for each second of one processor's time, all threads counted. */
  readonly imagesPerSecondPerCore: number;
}

/** Ours first; the others are the same steps on the libraries that Python has here. */
export interface LoaderBenchResult {
  readonly images: number;
  readonly figures: readonly LoaderBenchFigure[];
}

/**
 * Measures the images per second and core of the Cityscapes recipe (2048x1024 PNG to an augmented, normalised 512x1024 crop with its label), beside the same
 * steps in Python.
 *
 * Processor time is measured, not the clock's: other work on the machine and the number of threads do not matter.
 */
export async function benchLoader(options: LoaderBenchOptions = {}): Promise<LoaderBenchResult> {
  const { images = 40, rounds = 3, pythons = ["python3", "/usr/bin/python3"] } = options;
  const folder = mkdtempSync(join(tmpdir(), "armseg-bench-loader-"));
  try {
    const samples = options.samples ?? (await generateSamples(folder, 2));
    const job = {
      pairs: samples.map(({ image, annotation }) => [image, annotation?.path]),
      labels: labelTable(samples[0]!),
      images,
    };
    const rates = new Map<string, number[]>();
    const note = (library: string, rate: number) => rates.set(library, [...(rates.get(library) ?? []), rate]);
    for (let round = 0; round < rounds; round++) {
      note("armseg", await ourRate(samples, images, round));
      for (const python of pythons)
        for (const { library, cpuSeconds } of peerTimes(python, { ...job, seed: round }))
          note(library, images / cpuSeconds);
    }
    const figures = [...rates].map(([library, each]) => ({ library, imagesPerSecondPerCore: median(each) }));
    return { images, figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ourRate(samples: readonly Sample[], images: number, seed: number): Promise<number> {
  const before = sharp.concurrency();
  sharp.concurrency(1);
  await using loader = createLoader({
    sources: [samples],
    augmentation: augmentationPresets.cityscapes,
    seed,
    batchSize: 1,
    workers: 0,
    prefetch: 0,
    dropLast: false,
  });
  const load = async (count: number) => {
    for (let i = 0; i < count; i++) {
      using _batch = await loader.next();
    }
  };
  await load(4);
  const since = process.cpuUsage();
  await load(images);
  const { user, system } = process.cpuUsage(since);
  sharp.concurrency(before);
  return images / ((user + system) / 1e6);
}

interface PeerTime {
  readonly library: string;
  readonly cpuSeconds: number;
}

function peerTimes(python: string, job: object): PeerTime[] {
  const script = fileURLToPath(new URL("../../bench/loader_peer.py", import.meta.url));
  const { error, status, stdout, stderr } = spawnSync(python, [script, JSON.stringify(job)], {
    encoding: "utf8",
  });
  if (error) return [];
  if (status !== 0) throw new Error(`benchLoader(): ${python} ${script} failed: ${stderr.trim()}`);
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as PeerTime);
}

/** Returns the table by which the peer maps label values. */
function labelTable({ name, annotation }: Sample): number[] {
  const labelMap = annotation?.labelMap;
  if (annotation?.kind !== "mask" || labelMap?.encoding !== "values")
    throw new Error(
      `benchLoader(): ${name} must have a mask of label values, as its peer reads nothing else.`,
    );
  return Array.from({ length: 256 }, (_, value) => labelMap.classes[value] ?? 255);
}

/** Generates street scenes, softened to what a camera's demosaicing leaves of the noise: the PNGs are then as large as Cityscapes'. */
async function generateSamples(folder: string, count: number): Promise<Sample[]> {
  const classes: LabelMap = {
    encoding: "values",
    classes: Object.fromEntries(Array.from({ length: 256 }, (_, i) => [i, i])),
  };
  const samples: Sample[] = [];
  for (let index = 0; index < count; index++) {
    const { image, label } = generateScene({ seed: 1, index, height: 1024, width: 2048 });
    const name = `scene-${index}`;
    const paths = { image: join(folder, `${name}.png`), label: join(folder, `${name}_label.png`) };
    const raw = (channels: 1 | 3) => ({ raw: { height: 1024, width: 2048, channels } }) as const;
    await sharp(image.data, raw(3)).blur(0.7).png().toFile(paths.image);
    await sharp(label.data, raw(1)).toColourspace("b-w").png().toFile(paths.label);
    samples.push({
      name,
      image: paths.image,
      annotation: { kind: "mask", path: paths.label, labelMap: classes },
    });
  }
  return samples;
}
