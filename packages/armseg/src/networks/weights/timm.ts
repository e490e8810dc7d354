import type { Layout } from "./layout.ts";
import { renamed } from "./layout.ts";

/** `conv1.{0,1,3,4,6}` and `bn1`, timm's deep stem, to `stem.{0,1,3,4,6,7}`. */
function resNeStName(name: string): string | null {
  if (name.startsWith("fc.")) return null;
  if (name.startsWith("conv1.")) return `backbone.stem.${name.slice("conv1.".length)}`;
  if (name.startsWith("bn1.")) return `backbone.stem.7.${name.slice("bn1.".length)}`;
  return `backbone.${name}`;
}

/** timm's ResNeSt, whose names are those of the authors' code. Its plain ResNets are named as torchvision's. */
export const timm: Layout = (state) => {
  if (!state.has("conv1.0.weight") || !state.has("layer1.0.conv2.fc1.weight")) return null;
  return { layout: "timm ResNeSt", isBackbone: true, ...renamed(state, resNeStName) };
};
