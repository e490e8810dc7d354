import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Tensor } from "@armseg/torch";
import { fromTypedArray, noGrad, ops } from "@armseg/torch";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import type { Segmenter } from "../segmenter.ts";
import { segmenter } from "../segmenter.ts";
import { loadWeights } from "./weights.ts";

interface Features {
  readonly shape: readonly number[];
  readonly norm: number;
  readonly samples: readonly number[];
}

interface Golden {
  readonly images: readonly string[];
  readonly resnet18_imagenet_partial: Features;
  readonly resnet50_caffe_imagenet_partial: Features;
}

/** What `golden/camvid_features.py` wrote. */
const golden = JSON.parse(
  readFileSync(new URL("../golden/camvid-features.json", import.meta.url), "utf8"),
) as Golden;

const data = fileURLToPath(new URL("../../../../../../shared/data", import.meta.url));
const isPresent = existsSync(join(data, "weights")) && existsSync(join(data, "camvid"));
if (!isPresent) console.warn(`real-weights.test.ts: skipped, ${data} is absent`);

/** An image as the ImageNet weights want it, `[1, 3, H, W]`. */
async function imageOf(name: string): Promise<Tensor> {
  const { data: pixels, info } = await sharp(join(data, "camvid", name))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const values = Float32Array.from(pixels, (value, i) => {
    return (value / 255 - (mean[i % 3] as number)) / (deviation[i % 3] as number);
  });
  return fromTypedArray(values, [1, info.height, info.width, 3]).permute([0, 3, 1, 2]);
}

async function stage3(network: Segmenter): Promise<Tensor> {
  const images: Tensor[] = [];
  for (const name of golden.images) images.push(await imageOf(name));
  network.eval();
  return noGrad(() => network.backbone.call(ops.cat(images, 0))[2] as Tensor);
}

function expectFeatures(actual: Tensor, expected: Features): void {
  expect(actual.shape).toEqual(expected.shape);
  const values = actual.toTypedArray() as Float32Array;
  const norm = actual.to("float64").square().sum().sqrt().item();
  expect(Math.abs(norm / expected.norm - 1)).toBeLessThan(1e-4);
  const scale = Math.max(...expected.samples.map(Math.abs));
  const errors = expected.samples.map((sample, k) => {
    return Math.abs((values[Math.floor(((2 * k + 1) * values.length) / 64)] as number) - sample) / scale;
  });
  expect(Math.max(...errors)).toBeLessThan(1e-4);
}

describe.runIf(isPresent)("real ImageNet weights, which end at stage 3", () => {
  const heads = { classes: 11, channels: 16, auxiliaryChannels: 8, stem: "v1", outputStride: 32 } as const;

  test("of ResNet-18 load partially, with a report, and see CamVid as torchvision does", async () => {
    using network = segmenter({ ...heads, backbone: "resnet18" });
    const path = join(data, "weights", "resnet18_imagenet_partial.safetensors");
    expect(() => loadWeights(network, path)).toThrow(/missing in the file \(\d+\):\n {2}backbone\.layer4/);
    const { byPrefix, layout } = loadWeights(network, path, { allowPartial: true });
    expect(layout).toBe("torchvision ResNet");
    const parts = Object.fromEntries(byPrefix.map(({ prefix, loaded }) => [prefix, loaded]));
    expect(parts).toMatchObject({
      "backbone.conv1": 1,
      "backbone.bn1": 4,
      "backbone.layer1": 20,
      decode_head: 0,
    });
    expectFeatures(await stage3(network), golden.resnet18_imagenet_partial);
  });

  test("of ResNet-18 load wholly where the backbone ends there, frozen or not", async () => {
    using network = segmenter({ ...heads, backbone: "resnet18", stages: 3, frozenStages: 3 });
    const { missing, unexpected } = loadWeights(
      network,
      join(data, "weights", "resnet18_imagenet_partial.safetensors"),
    );
    expect([missing, unexpected]).toEqual([[], []]);
    expectFeatures(await stage3(network), golden.resnet18_imagenet_partial);
  });

  test("of ResNet-50, Caffe's, do so with the stride on the first 1x1", async () => {
    using network = segmenter({ ...heads, backbone: "resnet50", strideOn: "1x1" });
    const path = join(data, "weights", "resnet50_caffe_imagenet_partial.safetensors");
    loadWeights(network, path, { allowPartial: true });
    expectFeatures(await stage3(network), golden.resnet50_caffe_imagenet_partial);
  });
});
