import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@armseg/torch";
import { loadTensors, ops, saveSafetensors } from "@armseg/torch";
import { afterAll, describe, expect, test } from "vitest";
import { segmenter } from "../segmenter.ts";
import { fillByFormula } from "../testing/formula.ts";
import { formatWeightsReport } from "./report.ts";
import { loadWeights, savePthWeights, saveWeights, WeightsError } from "./weights.ts";

const folder = mkdtempSync(join(tmpdir(), "weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = {
  backbone: "resnet18",
  classes: 3,
  channels: 16,
  lowLevelChannels: 8,
  auxiliaryChannels: 8,
} as const;

function write(name: string, tensors: Iterable<readonly [string, Tensor]>): string {
  const path = join(folder, name);
  saveSafetensors(path, tensors);
  return path;
}

/** The backbone's tensors under the names that `rename` gives them. */
function backboneFile(
  name: string,
  network: ReturnType<typeof segmenter>,
  rename: (name: string) => string,
  extra: readonly (readonly [string, Tensor])[] = [],
): string {
  const tensors = [...network.backbone.stateDict()].map(([key, tensor]) => [rename(key), tensor] as const);
  return write(name, [...tensors, ...extra]);
}

function expectSameBackbone(a: ReturnType<typeof segmenter>, b: ReturnType<typeof segmenter>): void {
  const theirs = b.backbone.stateDict();
  for (const [name, tensor] of a.backbone.stateDict()) {
    expect(tensor.equal(theirs.get(name) as Tensor), name).toBe(true);
  }
}

describe("our own weights and mmsegmentation's", () => {
  test("come back bitwise, whole", () => {
    using network = segmenter({ ...SMALL, logScale: true });
    using other = segmenter({ ...SMALL, logScale: true });
    fillByFormula(network);
    const path = join(folder, "own.safetensors");
    saveWeights(network, path);
    const report = loadWeights(other, path);
    expect(report).toMatchObject({ loaded: report.total, missing: [], unexpected: [], expectedMissing: [] });
    const theirs = other.stateDict();
    for (const [name, tensor] of network.stateDict())
      expect(tensor.equal(theirs.get(name) as Tensor)).toBe(true);
  });

  test("in mmsegmentation's names lack only the head of the KL loss, and load behind `module.`", () => {
    using network = segmenter({ ...SMALL, logScale: true });
    const path = join(folder, "mm.safetensors");
    saveWeights(network, path, { names: "mmsegmentation" });
    const state = loadTensors(path);
    expect([...state.keys()].some((name) => name.startsWith("log_scale_head"))).toBe(false);
    const wrapped = write(
      "wrapped.safetensors",
      [...state].map(([name, tensor]) => [`module.${name}`, tensor] as const),
    );
    const report = loadWeights(network, wrapped);
    expect(report.layout).toBe("mmsegmentation");
    expect(report.expectedMissing).toEqual(["log_scale_head.conv.weight", "log_scale_head.conv.bias"]);
  });

  test.each([{ backbone: "resnet18", stem: "v1" }, { backbone: "mobilenetV2" }] as const)(
    "in torchvision's names are read as torchvision's: $backbone",
    async (config) => {
      using network = segmenter({ ...SMALL, ...config });
      using other = segmenter({ ...SMALL, ...config });
      fillByFormula(network);
      const path = join(folder, "torchvision.pth");
      await savePthWeights(network, path, { names: "torchvision" });
      expect(loadWeights(other, path)).toMatchObject({
        layout: expect.stringMatching("torchvision"),
        missing: [],
        unexpected: [],
      });
      expectSameBackbone(network, other);
    },
  );

  test("are refused torchvision's names where it has no such backbone", () => {
    using network = segmenter({ ...SMALL, backbone: "resnet18", stem: "v1c" });
    expect(() => saveWeights(network, join(folder, "x.safetensors"), { names: "torchvision" })).toThrow(
      /stem v1 or MobileNetV2, got one with the deep stem; take the names of mmsegmentation/,
    );
  });

  test("drop the auxiliary head where the network has none", () => {
    using network = segmenter(SMALL);
    using bare = segmenter({ ...SMALL, auxiliary: false });
    const path = join(folder, "auxiliary.safetensors");
    saveWeights(network, path);
    const report = loadWeights(bare, path);
    expect(report.dropped.every((name) => name.startsWith("auxiliary_head."))).toBe(true);
    expect(formatWeightsReport(report)).toContain("of no use here: auxiliary_head");
  });

  test("for other classes are refused, and load but for the classifiers with allowPartial", () => {
    using network = segmenter(SMALL);
    using other = segmenter({ ...SMALL, classes: 5 });
    const path = join(folder, "classes.safetensors");
    saveWeights(network, path);
    const before = [...other.stateDict()].map(([name, tensor]) => [name, tensor.sum().item()]);
    expect(() => loadWeights(other, path)).toThrow(/another number of classes: allowPartial/);
    expect([...other.stateDict()].map(([name, tensor]) => [name, tensor.sum().item()])).toEqual(before);
    const { loaded, total, reshaped } = loadWeights(other, path, { allowPartial: true });
    expect(loaded).toBe(total - 4);
    expect(reshaped.map(({ name }) => name)).toContain("decode_head.conv_seg.weight");
    expectSameBackbone(network, other);
  });
});

describe("backbones alone", () => {
  test("torchvision's ResNet loads without its classifier; the heads stay", () => {
    using source = segmenter({ ...SMALL, stem: "v1" });
    using target = segmenter({ ...SMALL, stem: "v1" });
    const path = backboneFile("tv.safetensors", source, (name) => name, [
      ["fc.weight", ops.zeros([10, 512])],
    ]);
    const report = loadWeights(target, path);
    expect(report).toMatchObject({ layout: "torchvision ResNet", missing: [], dropped: ["fc.weight"] });
    expect(
      report.byPrefix
        .filter(({ prefix }) => prefix.startsWith("backbone."))
        .every((p) => p.loaded === p.total),
    ).toBe(true);
    expect(report.byPrefix.find(({ prefix }) => prefix === "decode_head")).toMatchObject({ loaded: 0 });
    expectSameBackbone(source, target);
  });

  test("of a whole network loads into its first stages: the last one is of no use, not unknown", () => {
    for (const [backbone, part] of [
      ["resnet18", "backbone.layer4"],
      ["mobilenetV2", "backbone.layer6, backbone.layer7"],
    ] as const) {
      using source = segmenter({ ...SMALL, backbone });
      using target = segmenter({ ...SMALL, backbone, stages: 3 });
      const report = loadWeights(
        target,
        backboneFile("whole.safetensors", source, (name) => name),
      );
      expect(report).toMatchObject({ missing: [], unexpected: [], reshaped: [] });
      expect(formatWeightsReport(report)).toContain(`of no use here: ${part}`);
      expectSameBackbone(target, source);
    }
  });

  test("a file with the other stem is refused by name", () => {
    using v1 = segmenter({ ...SMALL, stem: "v1" });
    using v1c = segmenter(SMALL);
    expect(() =>
      loadWeights(
        v1c,
        backboneFile("v1.safetensors", v1, (name) => name),
      ),
    ).toThrow("set stem: v1.");
    expect(() =>
      loadWeights(
        v1,
        backboneFile("v1c.safetensors", v1c, (name) => name),
      ),
    ).toThrow("set stem: v1c.");
  });

  test("mmsegmentation's HRNet loads", () => {
    using source = segmenter({ ...SMALL, backbone: "hrnetW18", head: "fcn" });
    const path = backboneFile("hrnet.safetensors", source, (name) => name, [
      ["classifier.weight", ops.zeros([1])],
    ]);
    using target = segmenter({ ...SMALL, backbone: "hrnetW18", head: "fcn" });
    expect(loadWeights(target, path)).toMatchObject({
      layout: "mmsegmentation backbone",
      missing: [],
      unexpected: [],
    });
    expectSameBackbone(source, target);
  });

  test("names of nothing known are refused", () => {
    using network = segmenter(SMALL);
    const path = write("other.safetensors", [["transformer.weight", ops.zeros([1])]]);
    expect(() => loadWeights(network, path)).toThrow(WeightsError);
    expect(() => loadWeights(network, path)).toThrow(/got transformer.weight/);
  });
});
