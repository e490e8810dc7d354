import { ops, parameter, tensor, tidy } from "@armseg/torch";
import { expect, test } from "vitest";
import { distributedContext, isMainProcess, ONE_PROCESS } from "./context.ts";

test("a process that no launcher describes is on its own, and the main one", () => {
  expect(distributedContext()).toBe(ONE_PROCESS);
  expect(isMainProcess()).toBe(true);
  expect(ONE_PROCESS).toMatchObject({ rank: 0, worldSize: 1, localWorldSize: 1, isMain: true, group: null });
});

test("one process's collectives change nothing, and return its own", () => {
  tidy(() => {
    const values = Float64Array.of(1, 2);
    const state = tensor([3, 4]);
    using weight = parameter(ops.ones([2]));
    weight.grad = tensor([5, 6]);
    ONE_PROCESS.sum(values);
    ONE_PROCESS.allReduce_(state);
    ONE_PROCESS.broadcast_([state]);
    ONE_PROCESS.averageGradients([weight]);
    ONE_PROCESS.reducer([weight]).prepareForBackward();
    ONE_PROCESS.barrier();
    expect([[...values], state.toArray(), weight.grad.toArray()]).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect([ONE_PROCESS.any(true), ONE_PROCESS.any(false)]).toEqual([true, false]);
    expect(ONE_PROCESS.gather({ a: 1 })).toEqual([{ a: 1 }]);
    expect(ONE_PROCESS.stack(state).toArray()).toEqual([[3, 4]]);
  });
});
