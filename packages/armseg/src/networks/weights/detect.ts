import type { Layout, State, Translation } from "./layout.ts";
import { renamed } from "./layout.ts";
import { mmsegmentation } from "./mmsegmentation.ts";
import { timm } from "./timm.ts";
import { torchvision } from "./torchvision.ts";

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
