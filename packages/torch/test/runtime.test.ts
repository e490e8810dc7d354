import { describe, expect, test } from "vitest";
import {
  Generator,
  getThreads,
  isCudaAvailable,
  isDeterministic,
  libtorchVersion,
  manualSeed,
  ops,
  setThreads,
  synchronize,
  tensor,
  tidy,
  useDeterministicAlgorithms,
} from "../src/index.ts";
import { testDevice } from "../src/testing/test-device.ts";

describe("random numbers", () => {
  const device = testDevice;

  test("manualSeed repeats them", () => {
    tidy(() => {
      manualSeed(5);
      const first = ops.randn([4], { device }).toArray();
      manualSeed(5);
      expect(ops.randn([4], { device }).toArray()).toEqual(first);
      expect(() => manualSeed(-1)).toThrow(/non-negative integer/);
    });
  });

  test("are PyTorch's own, on the CPU", () => {
    tidy(() => {
      manualSeed(0);
      // torch.manual_seed(0); torch.rand(3)
      const expected = [0.49625658988952637, 0.7682217955589294, 0.08847743272781372];
      expect(ops.rand([3]).toArray()).toEqual(expected);
    });
  });

  test("a generator of one's own is apart from the default, and its state can be kept", () => {
    tidy(() => {
      const generator = new Generator(device, 3);
      const state = generator.getState();
      const first = ops.randn([4], { generator, device }).toArray();
      ops.randn([10], { device });
      generator.setState(state);
      expect(ops.randn([4], { generator, device }).toArray()).toEqual(first);
    });
  });

  test("a state may be a view at an offset of a larger storage, as a safetensors file's are", () => {
    tidy(() => {
      const generator = new Generator(device, 3);
      const state = generator.getState();
      const first = ops.randn([4], { generator, device }).toArray();
      const view = ops.cat([ops.zeros([16], { dtype: "uint8" }), state]).slice(0, 16);
      generator.setState(view);
      expect(ops.randn([4], { generator, device }).toArray()).toEqual(first);
      const strided = ops.stack([state, state], 1).select(1, 0);
      expect(strided.isContiguous()).toBe(false);
      generator.setState(strided);
      expect(ops.randn([4], { generator, device }).toArray()).toEqual(first);
    });
  });

  test("what is no state is refused in one line, without a backtrace", () => {
    const generator = new Generator(device, 3);
    for (const wrong of [ops.zeros([3], { dtype: "uint8" }), ops.zeros([3])]) {
      expect(() => generator.setState(wrong)).toThrow(/^Generator\.setState\(\): [^\n]+$/);
    }
  });
});

test.skipIf(isCudaAvailable())("CUDA asked of a libtorch without it is said in plain words", () => {
  const message =
    /^aten::empty\.memory_format\(\): this libtorch \(\d.*\) was built without CUDA; use device cpu, .*setup --cuda$/;
  expect(() => ops.empty([2], { device: "cuda" })).toThrow(message);
  expect(() => new Generator("cuda")).toThrow(/^Generator\(\): this libtorch .* was built without CUDA/);
});

describe("settings", () => {
  test("threads are those asked for", () => {
    const before = getThreads();
    setThreads(1);
    expect(getThreads()).toBe(1);
    setThreads(before);
    expect(() => setThreads(0)).toThrow(/an integer from 1 to/);
  });

  test("the deterministic switch reaches libtorch", () => {
    useDeterministicAlgorithms();
    expect(isDeterministic()).toBe(true);
    tidy(() => {
      // Its backward pass has no deterministic implementation.
      const put = (): unknown => ops.zeros([4]).put_(tensor([0, 0], { dtype: "int64" }), tensor([1, 2]));
      expect(put).toThrow(/does not have a deterministic implementation/);
    });
    useDeterministicAlgorithms(false);
    expect(isDeterministic()).toBe(false);
  });

  test("synchronize: nothing to wait for on the CPU, and an error where there is no such device", () => {
    expect(synchronize("cpu")).toBeUndefined();
    expect(() => synchronize("cuda:99")).toThrow(
      /expected cpu or a CUDA device of this machine, got cuda:99/,
    );
    expect(() => synchronize("mps")).toThrow(RangeError);
  });

  test("the version is that of a release", () => {
    expect(libtorchVersion()).toMatch(/^\d+\.\d+\.\d+/);
  });
});
