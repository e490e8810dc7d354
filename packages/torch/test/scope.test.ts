import { beforeAll, describe, expect, test } from "vitest";
import {
  DisposedTensorError,
  fromTypedArray,
  keep,
  memory,
  ops,
  type Tensor,
  tensor,
  tidy,
} from "../src/index.ts";

const liveTensors = (): number => memory().tensors;

describe("tidy", () => {
  test("frees what was made inside and is not returned, in whatever it is returned", () => {
    const before = liveTensors();
    const result = tidy(() => {
      const a = tensor([1]);
      const b = a.add(1);
      const c = b.add(1);
      return { list: [b], map: new Map([["c", c]]), text: "kept as it is" };
    });
    expect(liveTensors()).toBe(before + 2);
    result.list[0]!.dispose();
    result.map.get("c")!.dispose();
    expect(liveTensors()).toBe(before);
  });

  test("hands a nested result to the scope around it", () => {
    const before = liveTensors();
    tidy(() => {
      const inner = tidy(() => tensor([1]).add(1));
      expect(inner.item()).toBe(2);
    });
    expect(liveTensors()).toBe(before);
  });

  test("frees when the body throws, and the next scope works", () => {
    const before = liveTensors();
    expect(() =>
      tidy(() => {
        tensor([1]);
        throw new Error("inside");
      }),
    ).toThrow("inside");
    expect(liveTensors()).toBe(before);
    tidy(() => tensor([1]).add(1).item());
    expect(liveTensors()).toBe(before);
  });

  test("refuses a promise", () => {
    expect(() => tidy(async () => tensor([1]))).toThrow(/tidy\(\): expected a synchronous function/);
  });

  test("leaves kept tensors alone", () => {
    const kept = tidy(() => ({ value: keep(tensor([1])) })).value;
    tidy(() => {
      expect(kept.item()).toBe(1);
    });
    expect(kept.isDisposed).toBe(false);
    kept.dispose();
  });
});

describe("disposal", () => {
  test("twice is harmless; use afterwards is a clear error", () => {
    const x = tensor([1]);
    x.dispose();
    x.dispose();
    expect(() => x.add(1)).toThrow(DisposedTensorError);
    expect(() => x.shape).toThrow(/was disposed; return it from the tidy\(\)/);
    expect(String(x)).toBe("Tensor(disposed)");
  });

  test("`using` frees at the end of the block", () => {
    const before = liveTensors();
    {
      using x = tensor([1]);
      expect(x.item()).toBe(1);
    }
    expect(liveTensors()).toBe(before);
  });

  test("a handle that was released is never taken for its successor", () => {
    const x = tensor([1]);
    const handle = x.handle;
    x.dispose();
    using successor = tensor([2]);
    expect(successor.handle).not.toBe(handle);
  });
});

describe("memory()", () => {
  test("counts a storage once, however many views there are", () => {
    tidy(() => {
      const before = memory().bytes;
      const x = ops.zeros([1000]);
      x.narrow(0, 0, 10);
      x.reshape([10, 100]);
      expect(memory().bytes - before).toBe(4000);
    });
  });

  test("an ArrayBuffer lives as long as the tensor on it", async () => {
    const held = ((): Tensor => fromTypedArray(new Float32Array(1 << 16).fill(7), [1 << 16]))();
    for (let i = 0; i < 50; i++) {
      new Float32Array(1 << 18).fill(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    tidy(() => expect(held.sum().item()).toBe(7 * (1 << 16)));
    held.dispose();
  });
});

describe("the garbage collector", () => {
  let [before, after] = [memory(), memory()];

  // Not in a test: each of them is a scope, which would hold on to the tensors.
  beforeAll(async () => {
    before = memory();
    for (let i = 0; i < 400; i++) {
      ops.zeros([256 * 1024]); // 1 MiB each, dropped at once
      if (i % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    after = memory();
  });

  test("frees what nobody did, once the event loop turns", () => {
    expect(after.collected).toBeGreaterThan(before.collected);
    expect(after.tensors - before.tensors).toBeLessThan(400);
  });
});
