import type { Layout, State } from "./layout.ts";
import { hasPrefix, renamed } from "./layout.ts";

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

/** mmsegmentation and OpenMMLab: whole segmentors, whose names are ours, and backbones. HRNet's authors name theirs so too. */
export const mmsegmentation: Layout = (state) => {
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

/** Our parameters that mmsegmentation's networks do not have. */
export function isOursAlone(name: string): boolean {
  return name.startsWith("log_scale_head.");
}
