import { expect, test } from "vitest";
import { lastTaught, taughtWeight, teachingSchedule } from "./teaching-schedule.ts";

test("the rounds are spread evenly from the start to the end, and none is at the end", () => {
  const options = { start: 0.4, rounds: 2, ramp: 0.1 };
  expect(teachingSchedule(1000, options)).toEqual({ iterations: [400, 700], ramp: 100 });
  expect(teachingSchedule(3, { ...options, start: 0, rounds: 5 }).iterations).toEqual([1, 2]);
  expect(teachingSchedule(10, { ...options, start: 1 }).iterations).toEqual([]);
});

test("the weight of taught pixels rises from 0 to 1 behind the first round", () => {
  const schedule = teachingSchedule(1000, { start: 0.4, rounds: 2, ramp: 0.1 });
  expect([399, 400, 450, 500, 900].map((iteration) => taughtWeight(schedule, iteration))).toEqual([
    0, 0, 0.5, 1, 1,
  ]);
  expect(taughtWeight({ iterations: [5], ramp: 0 }, 5)).toBe(1);
  expect(taughtWeight({ iterations: [], ramp: 0 }, 5)).toBe(0);
});

test("a resumed training knows which labels it was taught last", () => {
  const schedule = { iterations: [4, 7], ramp: 0 };
  expect([3, 4, 6, 7, 9].map((iteration) => lastTaught(schedule, iteration))).toEqual([null, 4, 4, 7, 7]);
});
