import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { duration, Progress } from "./progress.ts";

function recorder(terminal: { isTTY: boolean; columns?: number }) {
  const written: string[] = [];
  return { ...terminal, written, write: (text: string) => written.push(stripVTControlCharacters(text)) };
}

/** A progress of 1000 steps of 50 ms, told after each. */
function work(stream: ReturnType<typeof recorder>, from = 0): void {
  let time = 0;
  using progress = new Progress("train", 1000, { from, stream, now: () => time });
  for (let done = from + 1; done <= 1000; done++) {
    time += 50;
    progress.update(done, `loss ${1000 - done}`);
  }
}

describe("progress", () => {
  test("elsewhere than on a terminal: a line every ten seconds and one at the end", () => {
    const stream = recorder({ isTTY: false });
    work(stream);
    expect(stream.written).toEqual([
      "train: 1/1000 (0 %)  50 s left  loss 999\n",
      "train: 201/1000 (20 %)  40 s left  loss 799\n",
      "train: 401/1000 (40 %)  30 s left  loss 599\n",
      "train: 601/1000 (60 %)  20 s left  loss 399\n",
      "train: 801/1000 (80 %)  10 s left  loss 199\n",
      "train: 1000/1000 (100 %)  done in 50 s  loss 0\n",
    ]);
  });

  test("on a terminal: one line, written over at most ten times a second", () => {
    const stream = recorder({ isTTY: true, columns: 100 });
    work(stream);
    expect(stream.written.length).toBeLessThanOrEqual(502);
    expect(stream.written[250]).toBe("\rtrain ━━━━━━━━━━━━──────────── 501/1000  25 s left  loss 499");
    expect(stream.written.at(-1)).toBe("\n");
    expect(stream.written.slice(0, -1).some((text) => text.includes("\n"))).toBe(false);
  });

  test("a narrow terminal cuts the line rather than wrapping it", () => {
    const stream = recorder({ isTTY: true, columns: 30 });
    work(stream);
    expect(Math.max(...stream.written.map((text) => text.replace("\r", "").length))).toBe(29);
  });

  test("says nothing of less than a second: it was never 0 s", () => {
    const stream = recorder({ isTTY: false });
    let time = 0;
    using progress = new Progress("read", 100, { stream, now: () => time });
    time = 5;
    progress.update(1);
    time = 12_000;
    progress.update(50);
    expect(stream.written).toEqual(["read: 1/100 (1 %)\n", "read: 50/100 (50 %)  12 s left\n"]);
  });

  test("a resumed run's time left counts from where it was resumed", () => {
    const stream = recorder({ isTTY: false });
    work(stream, 900);
    expect(stream.written[0]).toBe("train: 901/1000 (90 %)  5 s left  loss 99\n");
  });
});

test.each([
  [400, "0 s"],
  [59_400, "59 s"],
  [59_600, "1 min 00 s"],
  [185_000, "3 min 05 s"],
  [7_620_000, "2 h 07 min"],
])("%d ms are %s", (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});
