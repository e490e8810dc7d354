import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sample } from "../data/sample.ts";
import { augmentationPresets } from "./augment.ts";
import type { Batch } from "./batch.ts";
import { createLoader, type LoaderOptions } from "./loader.ts";
import { workerFile } from "./slot.ts";
import { type ImageFolder, imageFolder } from "./testing/image-folder.ts";

let images: ImageFolder;
beforeAll(async () => {
  images = await imageFolder(10);
});
afterAll(() => images.remove());

const augmentation = {
  ...augmentationPresets.camvid,
  resize: { base: [40, 60], ratioRange: [0.5, 2] },
  crop: { size: [32, 48], maxCategoryRatio: 0.75 },
} as const;

function options(more: Partial<LoaderOptions> = {}): LoaderOptions {
  return { sources: [images.samples], augmentation, seed: 11, batchSize: 3, ...more };
}

function hash(batch: Batch): string {
  const digest = createHash("sha256").update(
    JSON.stringify([batch.iteration, batch.names, batch.validPixels]),
  );
  for (const array of [batch.images, batch.labels, batch.weights ?? new Float32Array()])
    digest.update(new Uint8Array(array.buffer));
  return digest.digest("hex");
}

async function hashes(more: Partial<LoaderOptions>): Promise<string[]> {
  const found: string[] = [];
  await using loader = createLoader(options(more));
  for await (using batch of loader) found.push(hash(batch));
  return found;
}

test("batches are the same with 0, 1 and 4 threads, and when a training is resumed in the middle", async () => {
  const inProcess = await hashes({ workers: 0, endIteration: 10 });
  expect(inProcess).toHaveLength(10);
  expect(new Set(inProcess).size).toBe(10);
  expect(await hashes({ workers: 1, endIteration: 10 })).toEqual(inProcess);
  expect(await hashes({ workers: 4, endIteration: 10, prefetch: 5 })).toEqual(inProcess);
  expect(await hashes({ workers: 2, startIteration: 6, endIteration: 10 })).toEqual(inProcess.slice(6));
  expect(await hashes({ workers: 1, seed: 12, endIteration: 2 })).not.toEqual(inProcess.slice(0, 2));
});

test("a cache of batches changes none, is shared, and makes a damaged one again", async () => {
  const folder = mkdtempSync(join(tmpdir(), "armseg-batches-"));
  try {
    const plain = await hashes({ workers: 0, endIteration: 4 });
    const cache = { folder, fingerprint: "a" };
    expect(await hashes({ workers: 0, endIteration: 4, cache })).toEqual(plain);
    const [identity] = readdirSync(folder) as [string];
    const file = join(folder, identity, "2.batch");
    const written = statSync(file).mtimeMs;
    expect(await hashes({ workers: 1, endIteration: 4, cache })).toEqual(plain);
    expect(statSync(file).mtimeMs).toBe(written);
    truncateSync(file, statSync(file).size - 40);
    expect(await hashes({ workers: 0, endIteration: 4, cache })).toEqual(plain);
    expect(await hashes({ workers: 0, endIteration: 4, cache, seed: 12 })).not.toEqual(plain);
    await hashes({ workers: 0, endIteration: 1, cache: { folder, fingerprint: "b" } });
    expect(readdirSync(folder)).toHaveLength(3);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("two ranks together see what one process sees", async () => {
  const one = createLoader(options({ workers: 0, batchSize: 4, endIteration: 4 }));
  const ranks = [0, 1].map((rank) =>
    createLoader(options({ workers: 0, batchSize: 2, rank, worldSize: 2, endIteration: 4 })),
  );
  for await (using whole of one) {
    const [first, second] = (await Promise.all(ranks.map((loader) => loader.next()))) as [Batch, Batch];
    expect([...first.names, ...second.names]).toEqual(whole.names);
    const half = whole.images.length / 2;
    expect(whole.images.subarray(0, half)).toEqual(first.images);
    expect(whole.images.subarray(half)).toEqual(second.images);
    expect(whole.labels.subarray(whole.labels.length / 2)).toEqual(second.labels);
  }
});

test("a disposed batch's memory is filled again, one that is kept is left alone", async () => {
  await using loader = createLoader(options({ workers: 1, prefetch: 0 }));
  const kept = (await loader.next())!;
  const before = hash(kept);
  const buffers = new Set<ArrayBufferLike>([kept.images.buffer]);
  for (let i = 0; i < 6; i++) {
    using batch = (await loader.next())!;
    buffers.add(batch.images.buffer);
  }
  expect(buffers.size).toBe(2);
  expect(hash(kept)).toBe(before);
});

test("no more is prepared than prefetch allows", async () => {
  const asked = new Set<PropertyKey>();
  let watching = false;
  const samples = new Proxy(images.samples, {
    get: (target, name, self) => {
      if (watching && /^\d+$/.test(String(name))) asked.add(name);
      return Reflect.get(target, name, self);
    },
  });
  await using loader = createLoader(options({ sources: [samples], workers: 0, batchSize: 2, prefetch: 2 }));
  watching = true;
  using _first = (await loader.next())!;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(asked.size).toBe(6);
});

function damaged(index: number): readonly Sample[] {
  const path = join(images.folder, `damaged-${index}.png`);
  writeFileSync(path, readFileSync(images.samples[index]!.image));
  truncateSync(path, 900);
  return images.samples.map((sample, i) => (i === index ? { ...sample, image: path } : sample));
}

test.each([0, 2])("a damaged file is an error with its path (%i threads)", async (workers) => {
  await using loader = createLoader(options({ sources: [damaged(4)], workers, endIteration: 4 }));
  const all = async () => {
    for await (using batch of loader) expect(batch.names).not.toContain("sample-004");
  };
  await expect(all()).rejects.toMatchObject({
    name: "DataError",
    path: join(images.folder, "damaged-4.png"),
  });
  await expect(loader.next()).rejects.toThrow("damaged-4.png");
});

test("with skip a damaged file is counted and replaced, by the same sample whatever the number of threads", async () => {
  const run = async (workers: number) => {
    const found: string[] = [];
    await using loader = createLoader(
      options({ sources: [damaged(4)], workers, onBadFile: "skip", endIteration: 8 }),
    );
    for await (using batch of loader) {
      expect(batch.names).not.toContain("sample-004");
      found.push(hash(batch));
    }
    return { found, ...loader.statistics() };
  };
  const [one, four] = [await run(1), await run(4)];
  expect(four.found).toEqual(one.found);
  // Eight batches of three are two epochs and two thirds: the damaged file came up two or three times, and a replacement may hit it again.
  expect(one.skipped).toBeGreaterThanOrEqual(2);
  expect(four.skipped).toBe(one.skipped);
  expect(one.skippedFiles).toHaveLength(1);
  expect(one.skippedFiles[0]).toContain("damaged-4.png");
  expect(one).toMatchObject({ batches: 8, images: 24 });
  expect(one.imagesPerSecond).toBeGreaterThan(0);
  expect(one.waitSeconds).toBeGreaterThan(0);
});

test("a source without one readable file gives up with the last file's error", async () => {
  const sources = [[{ ...images.samples[0]!, image: "/nowhere/a.png" }]];
  await using loader = createLoader(
    options({ sources, batchSize: 1, workers: 0, prefetch: 0, onBadFile: "skip" }),
  );
  await expect(loader.next()).rejects.toThrow("/nowhere/a.png");
  expect(loader.statistics().skipped).toBe(20);
});

test("a file that is waited for too long is named with its thread and the seconds", async () => {
  // A large image is as good as a slow disk; threads of workers: pool.test.ts.
  const image = join(images.folder, "large.png");
  await sharp({ create: { width: 8000, height: 8000, channels: 3, background: "red" } })
    .png()
    .toFile(image);
  const annotation = {
    kind: "regions",
    path: image,
    format: "inline",
    regions: [],
    labelMap: { encoding: "names", classes: {} },
    background: 0,
  } as const;
  const sample = { ...images.samples[0]!, image, annotation };
  await using loader = createLoader(
    options({ sources: [[sample]], batchSize: 1, workers: 0, stallSeconds: 0.02 }),
  );
  await expect(loader.next()).rejects.toThrow(
    /this thread of the loader has been reading the image for .* s: .*large\.png/,
  );
});

test("disposing and aborting end a wait at once", async () => {
  const loader = createLoader(options({ workers: 2 }));
  const waiting = expect(loader.next()).rejects.toThrow("disposed");
  await loader.dispose();
  await waiting;
  await expect(loader.next()).rejects.toThrow("disposed");
  const controller = new AbortController();
  const aborted = createLoader(options({ workers: 1, signal: controller.signal }));
  const next = expect(aborted.next()).rejects.toThrow("enough");
  controller.abort(new Error("enough"));
  await next;
  expect(() => createLoader(options({ signal: controller.signal }))).toThrow("enough");
});

/** What a process of its own prints that takes a batch from a loader of two threads. */
async function printed(afterwards: string): Promise<string> {
  const script = `
    import { createLoader } from ${JSON.stringify(new URL("./loader.js", workerFile()).href)};
    const loader = createLoader({ ...JSON.parse(process.argv[1]), workers: 2 });
    console.log((await loader.next()).names.length);
    ${afterwards}`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", script, JSON.stringify(options())],
    { timeout: 20_000 },
  );
  return stdout.trim();
}

test("a process that forgets to dispose its loader still ends", async () => {
  expect(await printed("")).toBe("3");
});

test("a process that disposes its loader lives to go on", async () => {
  expect(await printed('await loader.dispose(); console.log("went on");')).toBe("3\nwent on");
});

test("memory is flat over 2,000 images", async () => {
  await using loader = createLoader(options({ workers: 1, batchSize: 10, endIteration: 200 }));
  const resident: number[] = [];
  for await (using batch of loader) if (batch.iteration % 10 === 9) resident.push(process.memoryUsage.rss());
  const half = resident.length / 2;
  const growth = Math.min(...resident.slice(half)) - Math.min(...resident.slice(2, half));
  expect(growth / 2 ** 20).toBeLessThan(16);
  expect(loader.statistics().images).toBe(2000);
});
