import { expect, test } from "vitest";
import { HangWatch } from "./hang-watch.ts";

const LIMIT = 60_000;

/** What a process tells at a second: how often it went on, and whether it waits; `null` for nothing. */
type Course = (second: number) => readonly [wentOn: number, isWaiting: boolean] | null;

const working: Course = (second) => [second, false];
const stopped: Course = (second) => (second < 10 ? [second, false] : null);
const waiting: Course = (second) => [Math.min(second, 10), second >= 10];
const stuck: Course = (second) => [Math.min(second, 10), false];
const neverBegun: Course = () => null;

/** Watches processes for some time. @returns The first second at which some hang, and which. */
function watched(courses: readonly Course[], seconds: number, isAwake = (_: number) => true) {
  const watch = new HangWatch(LIMIT, 0);
  for (const rank of courses.keys()) watch.add(rank, 0);
  for (let second = 1; second <= seconds; second++) {
    if (!isAwake(second)) continue;
    for (const [rank, course] of courses.entries()) {
      const told = course(second);
      if (told) watch.beat(rank, ...told, 1000 * second);
    }
    const hung = watch.hung(1000 * second);
    if (hung.length > 0) return { second, hung };
  }
  return null;
}

test("a process that is silent for the limit hangs, whatever the others do", () => {
  const hung = [{ rank: 1, reason: "it gave no sign of life for 60 s" }];
  expect(watched([waiting, stopped], 1000)).toEqual({ second: 70, hung });
  expect(watched([working, stopped, working], 1000)).toEqual({ second: 70, hung });
});

test("a process that beats but does not go on hangs once another has waited for it long enough", () => {
  const reason = "it did not go on for 300 s while others waited for it";
  expect(watched([stuck, waiting], 1000)).toEqual({ second: 311, hung: [{ rank: 0, reason }] });
});

test("processes that work long, all wait, or wait for one that goes on do not hang", () => {
  expect(watched([stuck, stuck], 2000)).toBeNull();
  expect(watched([waiting, waiting], 2000)).toBeNull();
  expect(watched([working, waiting], 2000)).toBeNull();
});

test("a process may take long to begin, not for ever", () => {
  expect(watched([working, neverBegun], 1000)).toMatchObject({ second: 301, hung: [{ rank: 1 }] });
});

test("what could not be heard while the watcher slept counts for nothing", () => {
  const asleep = (second: number) => second < 100 || second > 5000;
  expect(watched([working, waiting], 6000, asleep)).toBeNull();
  expect(watched([waiting, stopped], 6000, (second) => second < 30 || second > 5000)).toMatchObject({
    second: 5042, // 20 s of silence before, 41 s since, and the second in which the watcher woke
    hung: [{ rank: 1 }],
  });
});

test("a process that has ended hangs no more", () => {
  const watch = new HangWatch(LIMIT, 0);
  watch.add(0, 0);
  watch.delete(0);
  watch.beat(0, 1, false, 1000);
  for (let second = 1; second < 400; second++) expect(watch.hung(1000 * second)).toEqual([]);
});
