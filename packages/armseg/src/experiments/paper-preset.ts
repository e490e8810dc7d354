import { join } from "node:path";
import type { Places, Preset, PresetData, PresetNetwork } from "./preset.ts";

function cityscapes(title: string, annotations: "fine" | "coarse" | "extra", iterations: number) {
  return ({ data = "data" }: Places): PresetData => ({
    title,
    data: { format: "cityscapes", root: join(data, "cityscapes"), annotations },
    part: { schedule: { iterations }, augmentation: { base: [1024, 2048], crop: [512, 1024] } },
  });
}

function ade20k({ data = "data" }: Places): PresetData {
  return {
    title: "ADE20K",
    data: { format: "ade20k", root: join(data, "ade20k") },
    part: {
      schedule: { iterations: 160_000 },
      augmentation: { base: [512, 2048], crop: [512, 512] },
      evaluation: { base: [512, 2048] },
    },
  };
}

function network(
  name: string,
  title: string,
  backbone: "resnet50" | "resnet101" | "resnest101",
  head: "deeplabV3Plus" | "ocr",
): PresetNetwork {
  return { name, title, model: { backbone, head, weights: "imagenet" } };
}

/** The paper's own settings (section 4.2): Cityscapes and ADE20K, batch 16, SGD 0.02; needs the data, weights and GPUs. */
export const PAPER: Preset = {
  name: "paper",
  description: "the paper's settings: Cityscapes and ADE20K; needs the data, ImageNet weights and GPUs",
  mostJobs: 1,
  data: {
    coarse: cityscapes("Cityscapes, coarse", "coarse", 40_000),
    fine: cityscapes("Cityscapes, fine", "fine", 40_000),
    extra: cityscapes("Cityscapes, coarse extension", "extra", 200_000),
    ade20k,
  },
  networks: {
    "r50-deeplab": network("r50-deeplab", "DeepLabv3+ R50", "resnet50", "deeplabV3Plus"),
    "r101-deeplab": network("r101-deeplab", "DeepLabv3+ R101", "resnet101", "deeplabV3Plus"),
    "r101-ocr": network("r101-ocr", "OCR R101", "resnet101", "ocr"),
    "s101-deeplab": network("s101-deeplab", "DeepLabv3+ ResNeSt-101", "resnest101", "deeplabV3Plus"),
  },
  base: {
    optimizer: { accumulate: 8 },
    training: { batchSize: 2, device: "cuda", precision: "float16" },
  },
  curveMultiplier: 1,
  isOhemScaled: false,
};
