import type { Tensor } from "@armseg/torch";

/** Named tensors of a file. */
export type State = ReadonlyMap<string, Tensor>;

/** A file's tensors under our names. */
export interface Translation {
  /** The layout, for the report. */
  readonly layout: string;
  /** Whether the file holds a backbone alone, so that heads are expected to be missing. */
  readonly isBackbone: boolean;
  /** Under the names of a Segmenter: `backbone.`, `decode_head.`, `auxiliary_head.` */
  readonly state: State;
  /** Names of the file that no network here has a place for, e.g. the ImageNet classifier. */
  readonly dropped: readonly string[];
}

/** One way of naming: `null` where the names show another one. */
type Layout = (state: State) => Translation | null;

/** Renames every tensor; `null` from `rename` drops it. */
function renamed(
  state: State,
  rename: (name: string) => string | null,
): Pick<Translation, "state" | "dropped"> {
  const result = new Map<string, Tensor>();
  const dropped: string[] = [];
  for (const [name, tensor] of state) {
    const target = rename(name);
    if (target === null) dropped.push(name);
    else result.set(target, tensor);
  }
  return { state: result, dropped };
}

/** Returns whether some name begins with `prefix`. */
function hasPrefix(state: State, prefix: string): boolean {
  for (const name of state.keys()) if (name.startsWith(prefix)) return true;
  return false;
}

/** Renames `conv1.{0,1,3,4,6}` and `bn1`, timm's deep stem, to `stem.{0,1,3,4,6,7}`. */
function resNeStName(name: string): string | null {
  if (name.startsWith("fc.")) return null;
  if (name.startsWith("conv1.")) return `backbone.stem.${name.slice("conv1.".length)}`;
  if (name.startsWith("bn1.")) return `backbone.stem.7.${name.slice("bn1.".length)}`;
  return `backbone.${name}`;
}

/** Knows timm's ResNeSt, whose names are those of the authors' code. Its plain ResNets are named as torchvision's. */
const timm: Layout = (state) => {
  if (!state.has("conv1.0.weight") || !state.has("layer1.0.conv2.fc1.weight")) return null;
  return { layout: "timm ResNeSt", isBackbone: true, ...renamed(state, resNeStName) };
};

/** Layers of torchvision's MobileNetV2 `features` that begin each of our seven layers, and the one behind them. */
export const MOBILENET_STARTS = [1, 2, 4, 7, 11, 14, 17, 18] as const;

/** Renames `features.4.conv.0.1.weight` to `layer3.0.conv.0.bn.weight`. */
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

/** Renames `0.1` to `0.bn`. A block's last convolution and normalisation have no number of their own: `2`, `3` (`1`, `2` in the first). */
function mobileNetPart(path: string, isFirst: boolean): string {
  const [part = "", inner] = path.split(".");
  if (inner !== undefined) return `${part}.${inner === "0" ? "conv" : "bn"}`;
  const last = isFirst ? 1 : 2;
  return `${last}.${Number(part) === last ? "conv" : "bn"}`;
}

/** Renames `aux_classifier.0.weight` to `auxiliary_head.convs.0.conv.weight`: torchvision's FCN head is ours. */
function auxiliaryName(name: string): string | null {
  const [, index = "", leaf = ""] = /^aux_classifier\.(\d)\.(.+)$/.exec(name) ?? [];
  const part = { 0: "convs.0.conv", 1: "convs.0.bn", 4: "conv_seg" }[index];
  return part === undefined ? null : `auxiliary_head.${part}.${leaf}`;
}

function segmentationName(name: string): string | null {
  if (name.startsWith("backbone.")) return name.startsWith("backbone.fc.") ? null : name;
  return auxiliaryName(name);
}

/** Knows torchvision: ImageNet files of ResNet and MobileNetV2, and its segmentation models (backbone and auxiliary head). */
const torchvision: Layout = (state) => {
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

/** Parts of ImageNet files that a backbone does not have: classifiers of ResNet, HRNet and MobileNetV2. */
const CLASSIFIER = /^(fc|head|classifier|final_layer|incre_modules|downsamp_modules|conv2\.conv|conv2\.bn)\./;

function isTrunk(state: State): boolean {
  const isDeepStem = state.has("stem.0.weight") && state.has("layer1.0.conv1.weight");
  const isHrNet = state.has("conv2.weight") && hasPrefix(state, "stage2.");
  const isMobileNet = state.has("conv1.conv.weight") && hasPrefix(state, "layer7.");
  return isDeepStem || isHrNet || isMobileNet;
}

function isSegmentor(state: State): boolean {
  return hasPrefix(state, "backbone.") && hasPrefix(state, "decode_head.");
}

/** Knows mmsegmentation and OpenMMLab: whole segmentors, whose names are ours, and backbones. HRNet's authors name theirs so too. */
const mmsegmentation: Layout = (state) => {
  if (isSegmentor(state)) {
    return { layout: "mmsegmentation", isBackbone: false, ...renamed(state, (name) => name) };
  }
  if (hasPrefix(state, "backbone.")) {
    const trunk = renamed(state, (name) => (name.startsWith("backbone.") ? name : null));
    return { layout: "mmsegmentation backbone", isBackbone: true, ...trunk };
  }
  if (!isTrunk(state)) return null;
  const trunk = renamed(state, (name) => (CLASSIFIER.test(name) ? null : `backbone.${name}`));
  return { layout: "mmsegmentation backbone", isBackbone: true, ...trunk };
};

/** Tells our parameters that mmsegmentation's networks do not have. */
export function isOursAlone(name: string): boolean {
  return name.startsWith("log_scale_head.");
}

/** In this order: the first that knows the names has them. */
const LAYOUTS: readonly Layout[] = [timm, torchvision, mmsegmentation];

/** Wrappers that put their name in front of all others: data parallel, mmengine's pretraining, a saved attribute. */
const WRAPPERS = ["module.", "model.", "encoder."] as const;

function unwrap(state: State): State {
  for (const prefix of WRAPPERS) {
    const names = [...state.keys()];
    if (names.length > 0 && names.every((name) => name.startsWith(prefix))) {
      return unwrap(renamed(state, (name) => name.slice(prefix.length)).state);
    }
  }
  return state;
}

/** Finds the layout of a file by its names and gives its tensors ours; `null` if no layout fits. */
export function translate(state: State): Translation | null {
  const bare = unwrap(state);
  for (const layout of LAYOUTS) {
    const found = layout(bare);
    if (found !== null) return found;
  }
  return null;
}
