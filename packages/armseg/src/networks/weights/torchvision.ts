import type { Layout, State } from "./layout.ts";
import { hasPrefix, renamed } from "./layout.ts";

/** Layers of torchvision's MobileNetV2 `features` that begin each of our seven layers, and the one behind them. */
const MOBILENET_STARTS = [1, 2, 4, 7, 11, 14, 17, 18] as const;

/** `features.4.conv.0.1.weight` to `layer3.0.conv.0.bn.weight`. */
function mobileNetName(name: string): string | null {
  const [, block = "", rest = ""] = /^features\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (block === "") return null; // the classifier
  const index = Number(block);
  if (index === 0) return `backbone.conv1.${rest.startsWith("0.") ? "conv" : "bn"}.${rest.slice(2)}`;
  const layer = MOBILENET_STARTS.findIndex(
    (start, i) => index >= start && index < (MOBILENET_STARTS[i + 1] ?? 0),
  );
  if (layer < 0) return null; // the convolution in front of the classifier
  const [, path = "", leaf = ""] = /^conv\.([\d.]+)\.(\D+)$/.exec(rest) ?? [];
  const place = `backbone.layer${layer + 1}.${index - (MOBILENET_STARTS[layer] as number)}`;
  return `${place}.conv.${mobileNetPart(path, index === 1)}.${leaf}`;
}

/** `0.1` to `0.bn`. A block's last convolution and normalisation have no number of their own: `2`, `3` (`1`, `2` in the first). */
function mobileNetPart(path: string, isFirst: boolean): string {
  const [part = "", inner] = path.split(".");
  if (inner !== undefined) return `${part}.${inner === "0" ? "conv" : "bn"}`;
  const last = isFirst ? 1 : 2;
  return `${last}.${Number(part) === last ? "conv" : "bn"}`;
}

/** `aux_classifier.0.weight` to `auxiliary_head.convs.0.conv.weight`: torchvision's FCN head is ours. */
function auxiliaryName(name: string): string | null {
  const [, index = "", leaf = ""] = /^aux_classifier\.(\d)\.(.+)$/.exec(name) ?? [];
  const part = { 0: "convs.0.conv", 1: "convs.0.bn", 4: "conv_seg" }[index];
  return part === undefined ? null : `auxiliary_head.${part}.${leaf}`;
}

function segmentationName(name: string): string | null {
  if (name.startsWith("backbone.")) return name.startsWith("backbone.fc.") ? null : name;
  return auxiliaryName(name);
}

/** torchvision: ImageNet files of ResNet and MobileNetV2, and its segmentation models (backbone and auxiliary head). */
export const torchvision: Layout = (state) => {
  if (state.has("features.0.0.weight")) {
    return { layout: "torchvision MobileNetV2", isBackbone: true, ...renamed(state, mobileNetName) };
  }
  if (state.has("backbone.conv1.weight") && hasPrefix(state, "classifier.")) {
    return { layout: "torchvision segmentation", isBackbone: true, ...renamed(state, segmentationName) };
  }
  if (!isResNet(state)) return null;
  const trunk = renamed(state, (name) => (name.startsWith("fc.") ? null : `backbone.${name}`));
  return { layout: "torchvision ResNet", isBackbone: true, ...trunk };
};

function isResNet(state: State): boolean {
  return (
    state.has("conv1.weight") &&
    state.has("bn1.weight") &&
    state.has("layer1.0.conv1.weight") &&
    !state.has("conv2.weight")
  );
}
