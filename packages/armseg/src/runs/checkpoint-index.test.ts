import fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CheckpointIndex, checkpointFileName, listCheckpoints } from "./checkpoint-index.ts";
import { startChild } from "./testing/child.ts";
import { temporaryFolder, tinyFileSystem } from "./testing/folders.ts";

/** A stand-in for a checkpoint: its own iteration, and a mark at the end that a truncated file lacks. */
const content = (iteration: number) => `iteration ${iteration} whole`;
const saving = (iteration: number) => (path: string) => {
  fs.writeFileSync(path, content(iteration));
  return undefined;
};
const validate = (path: string) => {
  if (!fs.readFileSync(path, "utf8").endsWith("whole")) throw new Error("truncated");
};

const iterationsOf = (index: CheckpointIndex) => index.checkpoints.map(({ iteration }) => iteration);
const filesIn = (folder: string) => fs.readdirSync(folder).sort();

test("names carry the iteration with eight digits, or more where needed", () => {
  expect(checkpointFileName(12000)).toBe("iteration-00012000.safetensors");
  expect(checkpointFileName(123456789)).toBe("iteration-123456789.safetensors");
});

describe("saving", () => {
  test("keeps the last few and the best", async () => {
    const folder = temporaryFolder();
    const index = new CheckpointIndex(folder, { keepLast: 2 });
    for (const [iteration, metric] of [[1, 0.3], [2, 0.6], [3, Number.NaN], [4], [5, 0.4]] as const) {
      await index.save(iteration, saving(iteration), metric);
    }
    expect(iterationsOf(index)).toEqual([2, 4, 5]);
    expect(index.best).toEqual({ iteration: 2, metric: 0.6 });
    expect(filesIn(folder)).toEqual([...[2, 4, 5].map(checkpointFileName), "index.json"].sort());
    expect(JSON.parse(fs.readFileSync(join(folder, "index.json"), "utf8"))).toEqual({
      checkpoints: [
        { iteration: 2, metric: 0.6 },
        { iteration: 4, metric: null },
        { iteration: 5, metric: 0.4 },
      ],
      best: 2,
    });
  });

  test("keeps the checksum that the writer returns", async () => {
    const folder = temporaryFolder();
    const index = new CheckpointIndex(folder, { keepLast: 2 });
    await index.save(1, (path) => {
      fs.writeFileSync(path, content(1));
      return "c0ffee";
    });
    const seen: unknown[] = [];
    await new CheckpointIndex(folder, { keepLast: 2 }).latestValid(
      (_, checkpoint) => void seen.push(checkpoint),
    );
    expect(seen).toEqual([{ iteration: 1, metric: null, checksum: "c0ffee" }]);
  });

  test("keeps, for any course of scores, exactly the last k and the first of the best", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.constantFrom(0.1, 0.2, 0.3)), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        async (metrics, keepLast) => {
          const folder = temporaryFolder();
          const index = new CheckpointIndex(folder, { keepLast });
          for (const [i, metric] of metrics.entries())
            await index.save(i + 1, saving(i + 1), metric ?? undefined);
          const best = (metrics as (number | null)[]).indexOf(
            Math.max(...metrics.map((metric) => metric ?? -1)),
          );
          const kept = metrics.flatMap((_, i) =>
            i >= metrics.length - keepLast || i === best ? [i + 1] : [],
          );
          expect(iterationsOf(new CheckpointIndex(folder, { keepLast }))).toEqual(kept);
        },
      ),
      { numRuns: 10 },
    );
  });

  test("deletes no file that it did not make", async () => {
    const folder = temporaryFolder();
    const mine = ["my-best.safetensors", checkpointFileName(7)];
    const index = new CheckpointIndex(folder, { keepLast: 1 });
    await index.save(8, saving(8));
    for (const name of mine) fs.writeFileSync(join(folder, name), "mine");
    const reopened = new CheckpointIndex(folder, { keepLast: 1 });
    await reopened.save(9, saving(9));
    expect(filesIn(folder)).toEqual([...mine, checkpointFileName(9), "index.json"].sort());
  });

  test("leaves all as it was when the writer fails", async () => {
    const folder = temporaryFolder();
    const index = new CheckpointIndex(folder, { keepLast: 1 });
    await index.save(1, saving(1), 0.5);
    const before = filesIn(folder);
    const failing = index.save(2, async (path) => {
      fs.writeFileSync(path, "half");
      throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    });
    await expect(failing).rejects.toThrow("free some space");
    expect(filesIn(folder)).toEqual(before);
    expect(iterationsOf(index)).toEqual([1]);
    expect(listCheckpoints(folder)).toEqual([{ iteration: 1, metric: 0.5 }]);
  });

  test("wants to keep at least one", () => {
    expect(() => new CheckpointIndex(temporaryFolder(), { keepLast: 0 })).toThrow("at least 1, got 0");
  });
});

describe("finding the newest that can be read", () => {
  async function filled(iterations: readonly number[], keepLast = 3): Promise<CheckpointIndex> {
    const index = new CheckpointIndex(temporaryFolder(), { keepLast });
    for (const iteration of iterations) await index.save(iteration, saving(iteration));
    return index;
  }

  test("is the newest, if that is whole", async () => {
    const index = await filled([1, 2, 3]);
    const found = await index.latestValid(validate);
    expect(found).toEqual({
      checkpoint: { iteration: 3, metric: null },
      path: index.path(3),
      rejected: [],
    });
  });

  test("falls back to the one before a truncated one, and says so", async () => {
    const index = await filled([1, 2, 3]);
    fs.truncateSync(index.path(3), 5);
    const found = await index.latestValid(validate);
    expect(found?.checkpoint.iteration).toBe(2);
    expect(found?.rejected).toEqual([{ path: index.path(3), reason: "truncated" }]);
  });

  test("none at all is no error, none that can be read is one and lists the reasons", async () => {
    expect(await (await filled([])).latestValid(validate)).toBeUndefined();
    const index = await filled([1, 2]);
    for (const iteration of [1, 2]) fs.truncateSync(index.path(iteration), 0);
    await expect(index.latestValid(validate)).rejects.toThrow(
      /must be readable, none is.*00000002.*00000001/s,
    );
  });

  test("after a fall-back the unreadable file neither counts as the newest nor survives", async () => {
    const index = await filled([10, 20, 30], 2);
    fs.truncateSync(index.path(30), 5);
    index.discardAfter(20);
    expect(iterationsOf(index)).toEqual([20]);
    expect(fs.existsSync(index.path(30))).toBe(false);
    await index.save(25, saving(25));
    expect(iterationsOf(index)).toEqual([20, 25]);
    expect((await index.latestValid(validate))?.checkpoint.iteration).toBe(25);
  });

  test("without an index, files named like checkpoints are found, and kept for good", async () => {
    const index = await filled([1, 20], 2);
    fs.writeFileSync(join(index.folder, "index.json"), '{"checkpo');
    const reopened = new CheckpointIndex(index.folder, { keepLast: 1 });
    expect((await reopened.latestValid(validate))?.checkpoint.iteration).toBe(20);
    await reopened.save(30, saving(30));
    await new CheckpointIndex(index.folder, { keepLast: 1 }).save(40, saving(40));
    expect(listCheckpoints(index.folder).map(({ iteration }) => iteration)).toEqual([1, 20, 40]);
  });
});

test("killed at any moment, the newest or the one before can be read, and nothing is left over", async () => {
  const folder = temporaryFolder();
  let newest = 0;
  for (let round = 0; round < 5; round++) {
    const child = await startChild(`import { writeFileSync } from "node:fs";
      import { CheckpointIndex } from "./runs/checkpoint-index.ts";
      const index = new CheckpointIndex(${JSON.stringify(folder)}, { keepLast: 2 });
      for (let i = ${newest} + 1; ; i++) {
        await index.save(i, (path) => writeFileSync(path, "x".repeat(200_000) + "whole"), i % 3);
        // Even on a machine too busy for a second one, there is something to find.
        console.log("ready");
      }`);
    await new Promise((done) => setTimeout(done, 15 + 11 * round));
    await child.kill();
    const index = new CheckpointIndex(folder, { keepLast: 2 });
    const found = await index.latestValid(validate);
    expect(found?.rejected ?? []).toEqual([]);
    expect(found?.checkpoint.iteration ?? 0).toBeGreaterThanOrEqual(newest);
    newest = found?.checkpoint.iteration ?? 0;
    expect(filesIn(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    // At most one more than is kept: the kill may have come before the deletion, and the next save makes up for it.
    expect(index.checkpoints.length).toBeLessThanOrEqual(4);
    const listed = index.checkpoints.map(({ iteration }) => checkpointFileName(iteration)).sort();
    expect(filesIn(folder).filter((name) => name !== "index.json")).toEqual(listed);
  }
  expect(newest).toBeGreaterThan(0);
});

// Needs root for the mount; "leaves all as it was when the writer fails" covers the same path everywhere.
test.runIf(tinyFileSystem.isAvailable())("a really full disk loses no checkpoint", async () => {
  using disk = tinyFileSystem(512);
  const big = (path: string) => {
    fs.writeFileSync(path, `${"x".repeat(300_000)}whole`);
    return undefined;
  };
  const index = new CheckpointIndex(join(disk.folder, "checkpoints"), { keepLast: 1 });
  await index.save(1, big);
  await expect(index.save(2, big)).rejects.toMatchObject({ code: "ENOSPC" });
  const reopened = new CheckpointIndex(index.folder, { keepLast: 1 });
  expect((await reopened.latestValid(validate))?.checkpoint.iteration).toBe(1);
});
