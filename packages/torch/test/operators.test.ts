import { describe, expect, test } from "vitest";
import type { DType } from "../src/dtype.ts";
import { fromTypedArray, ops, type Tensor, tensor, tidy } from "../src/index.ts";
import { onTestDevice, testDevice } from "../src/testing/test-device.ts";
import cases from "./golden/operators.json" with { type: "json" };

interface Packed {
  dtype: string;
  shape: number[];
  values: number[];
}

function unpack(packed: Packed): Tensor {
  const options = { dtype: packed.dtype as DType, device: testDevice };
  return tensor(packed.values, options).reshape(packed.shape);
}

/** The same calls as in golden/make_operators.py. */
const CALLS: Record<string, (...inputs: Tensor[]) => Tensor | Tensor[]> = {
  "softmax(1)": (x) => x!.softmax(1),
  "sum([1], keepdim)": (x) => x!.sum([1], { keepdim: true }),
  "var_mean over dims, unbiased false": (x) => x!.varMean([0, 2, 3], false),
  "conv2d dilated": (x, w) => ops.conv2d(x!, w!, null, [1, 1], [2, 2], [2, 2], 1),
  "conv2d of one number for both sides": (x, w) => ops.conv2d(x!, w!, { stride: 2, padding: 1 }),
  bilinear: (x) => x!.upsampleBilinear2d([9, 7], false),
  "max along a dimension": (x) => x!.max(1),
  topk: (m) => m!.topk(2, 1),
  "cross entropy, one ignored": (m, y) => m!.crossEntropyLoss(y!, { ignoreIndex: 0 }),
  "index by tensors": (m, y) => m!.index([y!]),
  "add with alpha": (m) => m!.add(m!, { alpha: 0.5 }),
  clamp: (m) => m!.clamp(-0.5, 0.5),
  "max pool with indices": (x) => x!.maxPool2dWithIndices(3, 2, 1),
  split: (x) => x!.split(2, 2),
  where: (m) => ops.where(m!.gt(0), m!, m!.zerosLike()),
  einsum: (m) => ops.einsum("ij,kj->ik", [m!, m!]),
  "to float64 and back": (m) => m!.to("float64").mul(3).to("float32"),
  argmax: (x) => x!.argmax(1),
  cat: (m) => ops.cat([m!, m!.mul(2)], 1),
};

function expectEqual(actual: Tensor, expected: Packed): void {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.dtype).toBe(expected.dtype);
  const values = Array.from(actual.toTypedArray() as Iterable<number | bigint>, Number);
  values.forEach((value, i) => {
    expect(Math.abs(value - expected.values[i]!)).toBeLessThanOrEqual(
      1e-5 * Math.max(1, Math.abs(expected.values[i]!)),
    );
  });
}

describe("operators give what Python's PyTorch gives", () => {
  test("every case of the golden file is called here", () => {
    expect(Object.keys(CALLS).sort()).toEqual(cases.map((one) => one.name).sort());
  });

  test.each(cases)("$name", ({ name, tensors, expected }) => {
    tidy(() => {
      const result = CALLS[name]!(...tensors.map((packed) => unpack(packed)));
      const results = Array.isArray(result) ? result : [result];
      const expectations = (Array.isArray(expected) ? expected : [expected]) as Packed[];
      expect(results.length).toBe(expectations.length);
      results.forEach((one, i) => {
        expectEqual(one, expectations[i]!);
      });
    });
  });
});

describe("variants", () => {
  const there = { device: testDevice };

  test("an in-place operator returns the tensor that it changed", () => {
    tidy(() => {
      const x = tensor([1, 2], there);
      expect(x.add_(tensor([10, 20], there))).toBe(x);
      expect(x.toArray()).toEqual([11, 22]);
    });
  });

  test("an out variant writes to the given tensor and returns it", () => {
    tidy(() => {
      const out = ops.zeros([2], there);
      expect(tensor([1, 2], there).addOut(tensor([3, 4], there), { out })).toBe(out);
      expect(out.toArray()).toEqual([4, 6]);
    });
  });

  test("whole numbers are integers for an operator, as in Python; a tensor of numbers is float32 (decision 005)", () => {
    tidy(() => {
      expect(tensor([1, 2], there).dtype).toBe("float32");
      expect(ops.full([2], 1, there).dtype).toBe("int64");
      expect(ops.ones([2], there).dtype).toBe("float32");
      expect(tensor([1, 2], there).add(1).dtype).toBe("float32");
      expect(fromTypedArray(BigInt64Array.of(1n, 2n), [2]).dtype).toBe("int64");
      expect(ops.arange(3, there).dtype).toBe("int64");
      expect(ops.full([1], 1.5, there).dtype).toBe("float32");
      expect(tensor([1, 2], { ...there, dtype: "int64" }).add(1).dtype).toBe("int64");
    });
  });

  test("results that libtorch leaves undefined are null", () => {
    tidy(() => {
      const x = onTestDevice(ops.randn([1, 2, 4, 4]));
      const weight = onTestDevice(ops.randn([2, 2, 1, 1]));
      const [gradInput, gradWeight, gradBias] = ops.convolutionBackward(
        x.onesLike(),
        x,
        weight,
        null,
        [1, 1],
        [0, 0],
        [1, 1],
        false,
        [0, 0],
        1,
        [false, true, false],
      );
      expect(gradInput).toBeNull();
      expect(gradWeight?.shape).toEqual([2, 2, 1, 1]);
      expect(gradBias).toBeNull();
    });
  });
});

describe("error messages", () => {
  test("name the operator, the arguments and their shapes, in one line", () => {
    tidy(() => {
      expect(() => ops.zeros([2, 3]).add(ops.zeros([4]))).toThrow(
        /^aten::add\.Tensor\(\): The size of tensor a \(3\).* \(self: float32 \[2, 3\], other: float32 \[4\]\)$/,
      );
    });
  });

  test("list the overloads when none fits", () => {
    tidy(() => {
      const x = tensor([1]) as unknown as { add(other: unknown): Tensor };
      expect(() => x.add("two")).toThrow(
        /no overload takes \(Tensor, "two"\).*aten::add\.Tensor\(Tensor self/s,
      );
    });
  });

  test("name an option that no overload knows", () => {
    tidy(() => {
      const x = tensor([1]) as unknown as { sum(options: object): Tensor };
      expect(() => x.sum({ keepDimension: true })).toThrow(
        /no overload takes \(Tensor, \{ keepDimension \}\)/,
      );
    });
  });

  test("carry no backtrace", () => {
    tidy(() => {
      try {
        ops.zeros([2, 3]).matmul(ops.zeros([2, 3]));
        expect.unreachable();
      } catch (error) {
        expect((error as Error).message).not.toMatch(/frame #|Exception raised from/);
        expect((error as Error).message.split("\n")).toHaveLength(1);
      }
    });
  });
});

// On the CPU: the memory of a tensor is a typed array's, and what is printed names other devices.
describe("Tensor", () => {
  test("keeps int64 exact beyond what a double can hold", () => {
    tidy(() => {
      const big = tensor(BigInt64Array.of(2n ** 60n + 1n));
      expect(big.toTypedArray()[0]).toBe(2n ** 60n + 1n);
    });
  });

  test("reads and writes a typed array in place", () => {
    tidy(() => {
      const zeros = ops.zeros([3]);
      zeros.asTypedArray()[1] = 5;
      expect(zeros.toArray()).toEqual([0, 5, 0]);

      const memory = new Float32Array(new SharedArrayBuffer(12));
      memory.set([1, 2, 3]);
      const shared = fromTypedArray(memory, [3]);
      shared.mul_(2);
      expect([...memory]).toEqual([2, 4, 6]);
      const copied = tensor(memory);
      memory[0] = 100;
      expect(shared.toArray()).toEqual([100, 4, 6]);
      expect(copied.toArray()).toEqual([2, 4, 6]);
    });
  });

  test("lies on memory that threads share", () => {
    const memory = new Float32Array(new SharedArrayBuffer(16));
    tidy(() => {
      fromTypedArray(memory.subarray(1), [3]).fill_(2);
      expect([...memory]).toEqual([0, 2, 2, 2]);
    });
  });

  test("prints its values when they are few", async () => {
    const { inspect } = await import("node:util");
    tidy(() => {
      expect(inspect(tensor([[1, 2]]))).toBe("Tensor(float32 [1, 2]) [ [ 1, 2 ] ]");
      expect(String(ops.zeros([100]))).toBe("Tensor(float32 [100])");
    });
  });
});
