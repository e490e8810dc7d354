import fs from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MetricsWriter, readMetrics, truncateMetrics } from "./metrics.ts";
import type { MetricsRecord } from "./records.ts";
import { runChild } from "./testing/child.ts";
import { temporaryFolder, tinyFileSystem } from "./testing/folders.ts";

const train = (iteration: number, loss = 1 / iteration): MetricsRecord => ({
  kind: "train",
  iteration,
  loss,
  learningRate: 0.02,
});
const note = (iteration: number, message: string): MetricsRecord => ({
  kind: "event",
  iteration,
  event: "note",
  message,
});

/** Logs with rising iterations, some with several lines or none, and text of any script. */
const logs = fc
  .array(fc.tuple(fc.nat(3), fc.option(fc.double()), fc.string({ unit: "binary" })), { maxLength: 30 })
  .map((steps) => {
    let iteration = 0;
    return steps.map(([skip, loss, text]) => {
      iteration += skip;
      return loss === null ? note(iteration, `: ${text}`) : train(iteration, loss);
    });
  });

function write(path: string, records: readonly MetricsRecord[], resumeAt?: number): void {
  using writer = new MetricsWriter(path, resumeAt === undefined ? {} : { resumeAt });
  for (const record of records) writer.append(record);
}

describe("metrics.jsonl", () => {
  test("reads back what was written", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    const records = [train(1, Number.NaN), train(2, 0.1 + 0.2), note(2, "näh, \n zwei Zeilen")];
    write(path, records);
    expect(readMetrics(path)).toEqual(records);
    expect(fs.readFileSync(path, "utf8").split("\n")[0]).toBe(
      '{"kind":"train","iteration":1,"loss":"NaN","learningRate":0.02}',
    );
  });

  test("a new log never replaces one that is there", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    write(path, [train(1)]);
    expect(() => new MetricsWriter(path)).toThrow("EEXIST");
  });

  test("an interrupted and resumed log equals an undisturbed one, wherever it was torn", () => {
    const folder = temporaryFolder();
    const whole = join(folder, "whole");
    const resumed = join(folder, "resumed");
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (records, checkpoint, tear) => {
        for (const path of [whole, resumed]) fs.rmSync(path, { force: true });
        write(whole, records);
        const bytes = fs.readFileSync(whole);
        const k = (records.at(-1)?.iteration ?? 0) === 0 ? 0 : checkpoint % (records.at(-1)!.iteration + 1);
        // All records up to the checkpoint were written before it; the kill tears the file anywhere after.
        const before = records.filter(({ iteration }) => iteration <= k);
        write(resumed, before);
        const safe = fs.statSync(resumed).size;
        fs.writeFileSync(resumed, bytes.subarray(0, safe + (tear % (bytes.length - safe + 1))));
        write(resumed, records.slice(before.length), k);
        expect(fs.readFileSync(resumed).equals(bytes)).toBe(true);
      }),
    );
  });

  test("truncation keeps exactly the records up to the iteration and may be repeated", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    fc.assert(
      fc.property(logs, fc.nat(100), (records, k) => {
        fs.rmSync(path, { force: true });
        write(path, records);
        const kept = records.filter(({ iteration }) => iteration <= k);
        for (let time = 0; time < 2; time++) {
          expect(truncateMetrics(path, k)).toBe(kept.at(-1)?.iteration ?? 0);
          expect(readMetrics(path)).toEqual(kept);
        }
      }),
    );
  });

  test("a whole last line that lacks only its newline is kept, a half one is not", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    write(path, [train(1), train(2)]);
    const bytes = fs.readFileSync(path);
    fs.writeFileSync(path, bytes.subarray(0, -1));
    expect(readMetrics(path)).toHaveLength(2);
    truncateMetrics(path, 2);
    expect(fs.readFileSync(path).equals(bytes)).toBe(true);
    fs.writeFileSync(path, bytes.subarray(0, -2));
    expect(readMetrics(path)).toHaveLength(1);
    // What a power failure may leave: the size of the file without its content.
    fs.writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(100)]));
    expect(readMetrics(path)).toHaveLength(2);
  });

  test("a damaged line in the middle is an error that names file and line", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    write(path, [train(1), train(2)]);
    fs.writeFileSync(path, fs.readFileSync(path, "utf8").replace('"iteration":2', '"iteration":"two"'));
    expect(() => readMetrics(path)).toThrow(`line 2 of ${path}`);
  });

  test("iterations may not fall, also not below those of the resumed log", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    write(path, [train(5)]);
    expect(() => write(path, [train(4)], 7)).toThrow("at least 5, the last record's; got 4");
    expect(() => write(path, [train(5.5)], 7)).toThrow("must be an integer");
  });

  test("no log at all: none to read, none to cut, and resuming begins one", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    expect(readMetrics(path)).toEqual([]);
    write(path, [train(1)], 0);
    expect(readMetrics(path)).toHaveLength(1);
  });

  test("a killed writer loses no line that it finished", () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    const { signal } = runChild(`import { MetricsWriter } from "./runs/metrics.ts";
      const writer = new MetricsWriter(${JSON.stringify(path)});
      for (let iteration = 1; iteration <= 500; iteration++) {
        writer.append({ kind: "train", iteration, loss: 1 / iteration, learningRate: 0.02 });
      }
      process.kill(process.pid, "SIGKILL");`);
    expect(signal).toBe("SIGKILL");
    expect(readMetrics(path)).toEqual(Array.from({ length: 500 }, (_, i) => train(i + 1)));
  });
});

// Needs root for the mount; the half line is taken back by the same code as in the test below.
test.runIf(tinyFileSystem.isAvailable())("a full disk ends the log with a whole line", () => {
  using disk = tinyFileSystem(64);
  const path = join(disk.folder, "metrics.jsonl");
  using writer = new MetricsWriter(path);
  let written = 0;
  const fill = () => {
    for (; written < 10_000; written++) writer.append(note(written, "x".repeat(999)));
  };
  expect(fill).toThrow(/could not write .*ENOSPC/);
  expect(readMetrics(path)).toHaveLength(written);
  expect(fs.readFileSync(path).at(-1)).toBe(10);
});

test("a line that passes the limit of the file's size is taken back whole", () => {
  const path = join(temporaryFolder(), "metrics.jsonl");
  const code = `import { MetricsWriter } from "./runs/metrics.ts";
    const writer = new MetricsWriter(${JSON.stringify(path)});
    for (let iteration = 1; ; iteration++) {
      writer.append({ kind: "event", iteration, event: "note", message: "x".repeat(9999) });
    }`;
  const { status, stderr } = runChild(code, { fileSizeLimitKiB: 1024 });
  expect(status).toBe(1);
  expect(stderr).toContain("EFBIG");
  expect(fs.readFileSync(path).at(-1)).toBe(10);
  expect(readMetrics(path).at(-1)?.iteration).toBeGreaterThan(100);
});
