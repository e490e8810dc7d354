import type { Tensor } from "@armseg/torch";
import { argumentError } from "../../core/argument-error.ts";
import type { Segmenter } from "../segmenter.ts";
import { isOursAlone, MOBILENET_STARTS } from "./layouts.ts";

/** Whose names a state dict has. */
export type WeightNames = "armseg" | "mmsegmentation" | "torchvision";

/**
 * Returns a network's parameters and running statistics under other people's names.
 *
 * `armseg`: all. `mmsegmentation`: all but what only our networks have (the head of the KL loss); the others have the same names. `torchvision`: the
 * backbone alone, as its ResNets and MobileNetV2 name it; its classifier is missing.
 *
 * @throws {RangeError} If torchvision has no such backbone.
 */
export function namedState(network: Segmenter, names: WeightNames): [name: string, tensor: Tensor][] {
  const state = [...network.stateDict()];
  if (names === "armseg") return state;
  if (names === "mmsegmentation") return state.filter(([name]) => !isOursAlone(name));
  const backbone = state.flatMap(([name, tensor]): [string, Tensor][] =>
    name.startsWith(BACKBONE) ? [[name.slice(BACKBONE.length), tensor]] : [],
  );
  const rename = torchvisionName(new Set(backbone.map(([name]) => name)));
  return backbone.map(([name, tensor]) => [rename(name), tensor]);
}

const BACKBONE = "backbone.";

function torchvisionName(names: ReadonlySet<string>): (name: string) => string {
  if (names.has("conv1.weight") && names.has("layer1.0.conv1.weight")) return (name) => name;
  if (names.has("conv1.conv.weight")) return mobileNetName;
  const got = names.has("stem.0.weight") ? "one with the deep stem" : "another one";
  throw argumentError(
    "namedState",
    "a backbone that torchvision has: a ResNet with stem v1 or MobileNetV2",
    got,
    "take the names of mmsegmentation",
  );
}

/** Undoes what reading torchvision's names does: `layer3.0.conv.0.bn.weight` to `features.4.conv.0.1.weight`. */
function mobileNetName(name: string): string {
  const part = (kind: string) => (kind === "conv" ? 0 : 1);
  const [, kind = "", leaf = ""] = /^conv1\.(conv|bn)\.(\w+)$/.exec(name) ?? [];
  if (kind) return `features.0.${part(kind)}.${leaf}`;
  const [, layer, block, index, own = "", rest] =
    /^layer(\d+)\.(\d+)\.conv\.(\d+)\.(conv|bn)\.(\w+)$/.exec(name) ?? [];
  const feature = (MOBILENET_STARTS[Number(layer) - 1] as number) + Number(block);
  // The last convolution of a block and its normalisation have no number of their own.
  const last = feature === 1 ? 1 : 2;
  const place = Number(index) === last ? String(last + part(own)) : `${index}.${part(own)}`;
  return `features.${feature}.conv.${place}.${rest}`;
}
