import { MessageChannel } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { fromTypedArray, memory, ops, setThreads, type Tensor, tensor, tidy } from "../src/index.ts";
import { binding } from "../src/native/load.ts";

/** What has once ended the process, with SIGSEGV or out of memory; each must be an error, or simply right. */

describe("a tensor of an array outlives what becomes of the array's memory", () => {
  test("transferred to another thread", () => {
    tidy(() => {
      const array = Float32Array.of(1, 2, 3);
      const x = fromTypedArray(array, [3]);
      const { port1, port2 } = new MessageChannel();
      port1.postMessage(array, [array.buffer]);
      port1.close();
      port2.close();
      expect(array.length).toBe(0);
      expect(x.toArray()).toEqual([1, 2, 3]);
      expect(() => fromTypedArray(array, [3])).toThrow("expected 3 elements for shape [3], got 0");
    });
  });

  test("resized", () => {
    tidy(() => {
      const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => ArrayBuffer)(8, {
        maxByteLength: 1 << 20,
      }) as ArrayBuffer & {
        resize(bytes: number): void;
      };
      const tracking = new Float32Array(buffer);
      tracking.set([1, 2]);
      const x = fromTypedArray(tracking, [2]);
      buffer.resize(0);
      expect(x.toArray()).toEqual([1, 2]);
      buffer.resize(1 << 20);
      expect(() => fromTypedArray(tracking, [2])).toThrow("got 262144");
    });
  });
});

test("a tensor that is resized leaves the memory that JavaScript sees to it", () => {
  tidy(() => {
    const x = ops.ones([4]);
    const views = [x.asTypedArray(), x.asTypedArray()];
    views[0]![0] = 7;
    x.resize_([1 << 20]);
    x.fill_(3);
    expect(x.toArray()).toHaveLength(1 << 20);
    for (const view of views) {
      view[1] = 5;
      expect([...(view as Float32Array)]).toEqual([7, 5, 1, 1]);
    }
  });
});

describe("tensor()", () => {
  test("of an array that holds itself is an error", () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => tensor(cyclic as never)).toThrow(/at most 64 dimensions.*does an array hold itself/);
  });

  test("of an array of holes is an error, at once", () => {
    expect(() => tensor(new Array(1e8) as never)).toThrow("got an array with holes");
    expect(() => tensor(new Array(2 ** 32 - 1) as never, { dtype: "float64" })).toThrow(
      /holes|fit into memory/,
    );
  });
});

describe("tidy()", () => {
  test("keeps the tensors of a circular result", () => {
    const before = memory().tensors;
    interface Ring {
      self?: Ring;
      x: Tensor;
    }
    const ring = tidy(() => {
      const made: Ring = { x: ops.ones([1]).add(1) };
      made.self = made;
      return made;
    });
    expect(memory().tensors).toBe(before + 1);
    expect(ring.x.item()).toBe(2);
    ring.x.dispose();
  });

  test("keeps the tensors of a very deep result", () => {
    const deep = tidy(() => {
      let list: unknown = ops.ones([1]);
      for (let i = 0; i < 100_000; i++) list = [list];
      return list;
    });
    let inner = deep;
    while (Array.isArray(inner)) inner = inner[0];
    expect((inner as Tensor).item()).toBe(1);
    (inner as Tensor).dispose();
  });
});

test("more threads than any machine has are refused", () => {
  expect(() => setThreads(100_000)).toThrow(/expected an integer from 1 to \d+, got 100000/);
});

test("leaving a mode that was never entered is an error", () => {
  expect(() => binding.popGradMode()).toThrow("popGradMode(): no such mode was entered");
  expect(() => binding.popInferenceMode()).toThrow("popInferenceMode(): no such mode was entered");
});
