import { brief, kindOf } from "./pickle/values.ts";
import type { PthValue } from "./pth/tree.ts";
import { isRawTensor, type RawTensor } from "./raw-tensor.ts";

/** The keys under which training programs keep the weights, in the order they are looked for. */
const WRAPPINGS = ["state_dict", "model_state_dict", "model", "module"];

/** `{ model: { state_dict: ... } }` and the like exist, deeper ones do not. */
const MAX_WRAPPINGS = 3;

/**
 * Finds the state dict in what a `.pth` file holds: the value itself, or the dict under `state_dict`,
 * `model_state_dict`, `model` or `module` (the first of these that is there, up to three deep).
 *
 * The names stay as they are: prefixes such as `module.` or `backbone.` are not stripped.
 *
 * @returns Name and tensor, in the file's order.
 * @throws {TypeError} If no dict of tensors is found; the message says what was.
 */
export function stateDictOf(tree: PthValue): Map<string, RawTensor> {
  let value = tree;
  for (let depth = 0; depth < MAX_WRAPPINGS; depth++) value = unwrap(value) ?? value;
  if (value instanceof Map && [...value.values()].some(isRawTensor)) return checkNames(value);
  throw refusal("a dict of names and tensors", outline(value), "pass that part of the file alone");
}

/** Returns the dict under a wrapping: a tensor under such a name is a weight, not a wrapping. */
function unwrap(value: PthValue): PthValue | undefined {
  if (!(value instanceof Map)) return undefined;
  return WRAPPINGS.map((name) => value.get(name)).find((inner) => inner instanceof Map);
}

function checkNames(dict: Map<PthValue, PthValue>): Map<string, RawTensor> {
  const tensors = new Map<string, RawTensor>();
  for (const [name, tensor] of dict) {
    if (typeof name !== "string" || !isRawTensor(tensor)) {
      throw refusal(
        "only tensors under names",
        `${kindOf(tensor)} under ${brief(name)}`,
        "remove it from the dict first",
      );
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

function outline(value: PthValue): string {
  if (!(value instanceof Map) || value.size === 0) return kindOf(value);
  const keys = [...value.keys()].slice(0, 10).map(brief);
  return `${kindOf(value)} with the keys ${keys.join(", ")}`;
}

function refusal(expected: string, got: string, remedy: string): TypeError {
  return new TypeError(`stateDictOf(): expected ${expected}, got ${got}; ${remedy}`);
}
