import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "@armseg/torch";
import { noGrad, saveSafetensors, tidy } from "@armseg/torch";
import { testDevice } from "@armseg/torch/testing";
import { afterAll, describe, expect, test } from "vitest";
import { type Segmenter, type SegmenterConfig, segmenter } from "../segmenter.ts";
import { formula } from "../testing/formula.ts";
import { expectTensor, FLOAT32, type GoldenTensor } from "../testing/golden.ts";
import { loadWeights } from "./weights.ts";

/** What a library's own network is. */
interface LayoutCase {
  /** Of the four stages, and of the auxiliary head where there is one. */
  readonly outputs: readonly GoldenTensor[];
  /** Shapes by the library's names. */
  readonly tensors: Readonly<Record<string, readonly number[]>>;
}

/** What `golden/layouts.py` wrote. */
const layouts = JSON.parse(
  readFileSync(new URL("../golden/layouts.json", import.meta.url), "utf8"),
) as Readonly<Record<string, LayoutCase>>;

const folder = mkdtempSync(join(tmpdir(), "layouts-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file as the library would write it, with the numbers of the formula. */
function writeFile(name: string): string {
  const path = join(folder, "weights.safetensors");
  tidy(() => {
    const { tensors } = layouts[name] as LayoutCase;
    saveSafetensors(
      path,
      Object.entries(tensors).map(([key, shape]) => [key, formula(key, shape)] as const),
    );
  });
  return path;
}

/** The stages, and the auxiliary logits where the network has been given weights for them. */
function outputsOf(network: Segmenter, hasAuxiliary: boolean): readonly Tensor[] {
  const stages = network.backbone.call(formula("images", [2, 3, 49, 65]));
  return hasAuxiliary ? [...stages, network.auxiliaryHead!.call(stages).logits] : stages;
}

const HEAD = { channels: 16, lowLevelChannels: 8, auxiliaryChannels: 8 } as const;
const TORCHVISION = { ...HEAD, classes: 3, stem: "v1", outputStride: 32 } as const;
const TIMM = { ...HEAD, classes: 3, outputStride: 32 } as const;

const CASES: Readonly<Record<string, readonly [layout: string, SegmenterConfig, dropped: number]>> = {
  "torchvision resnet18": ["torchvision ResNet", { ...TORCHVISION, backbone: "resnet18" }, 2],
  "torchvision resnet50": ["torchvision ResNet", { ...TORCHVISION, backbone: "resnet50" }, 2],
  "torchvision resnet101": ["torchvision ResNet", { ...TORCHVISION, backbone: "resnet101" }, 2],
  "torchvision mobilenet_v2": ["torchvision MobileNetV2", { ...TIMM, backbone: "mobilenetV2" }, 8],
  "torchvision fcn_resnet50": [
    "torchvision segmentation",
    { ...TORCHVISION, backbone: "resnet50", classes: 21, outputStride: 8, auxiliaryChannels: 256 },
    8,
  ],
  "timm resnest50d": ["timm ResNeSt", { ...TIMM, backbone: "resnest50" }, 2],
  "timm resnest101e": ["timm ResNeSt", { ...TIMM, backbone: "resnest101" }, 2],
  "timm hrnet_w18": [
    "mmsegmentation backbone",
    { ...HEAD, classes: 3, backbone: "hrnetW18", head: "fcn" },
    126,
  ],
};

describe("names and shapes of the library itself load, and the network computes what its network does", () => {
  test.each(Object.entries(CASES))("%s", (name, [layout, config, dropped]) => {
    const { outputs } = layouts[name] as LayoutCase;
    using network = segmenter(config);
    network.to({ device: testDevice });
    const report = loadWeights(network, writeFile(name));
    expect(report).toMatchObject({ layout, missing: [], unexpected: [], reshaped: [] });
    expect(report.dropped).toHaveLength(dropped);
    const backbone = report.byPrefix.filter(({ prefix }) => prefix.startsWith("backbone."));
    expect(backbone.filter(({ loaded, total }) => loaded < total)).toEqual([]);
    if (outputs.length === 0) return;
    network.eval();
    tidy(() =>
      noGrad(() => {
        for (const [i, output] of outputsOf(network, outputs.length > 4).entries())
          expectTensor(`output ${i + 1}`, output, outputs[i]!, FLOAT32);
      }),
    );
  });

  test("every case of the file is tested", () => {
    expect(Object.keys(layouts).sort()).toEqual(Object.keys(CASES).sort());
  });
});
