import { expect, test } from "vitest";
import { EarlyStopping } from "./early-stopping.ts";

test.each([
  [2, [0.1, 0.2, 0.2], false],
  [2, [0.1, 0.2, 0.2, 0.1], true],
  [2, [0.1, 0.2, 0.2, 0.3, 0.3], false],
  [1, [Number.NaN], true],
  [1, [], false],
])("patience %d, scores %j: over %s, whether they were added or known before", (patience, scores, isOver) => {
  const stopping = new EarlyStopping(patience);
  for (const score of scores) {
    const isLast = stopping.endsWith(score);
    stopping.add(score);
    expect(stopping.isOver).toBe(isLast);
  }
  expect(stopping.isOver).toBe(isOver);
  expect(new EarlyStopping(patience, scores).isOver).toBe(isOver);
});
