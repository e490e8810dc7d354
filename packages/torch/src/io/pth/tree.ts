import type { MakeError } from "../pickle/byte-source.ts";
import { InertObject, kindOf } from "../pickle/values.ts";
import type { RawTensor } from "../raw-tensor.ts";
import { isRawTensor } from "../raw-tensor.ts";

/**
 * What a `.pth` file holds, as plain values: dicts are `Map`s in the file's order, lists and tuples arrays, sets
 * `Set`s, bytes `Uint8Array`s, integers beyond 2^53 bigints, devices and dtypes strings. No cycles.
 */
export type PthValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | RawTensor
  | InertObject
  | PthValue[]
  | Map<PthValue, PthValue>
  | Set<PthValue>;

/** Deep enough for any checkpoint, shallow enough for whoever walks the tree by recursion. */
const MAX_DEPTH = 200;

/**
 * Makes sure that a value is a tree of {@link PthValue}: no cycle, no bound exceeded, nothing internal left in it.
 *
 * Shared parts are visited once, so that a small pickle of many shared lists takes no time. The inside of an
 * {@link InertObject} is not looked at.
 */
export function checkTree(root: unknown, error: MakeError): PthValue {
  const heights = new Map<object, number>();
  const path: { node: object; children: Iterator<unknown>; height: number }[] = [];
  const open = new Set<object>();
  const enter = (value: unknown): void => {
    if (isLeaf(value)) return;
    const children = childrenOf(value, error);
    if (open.has(children.node))
      throw error("refuses a value that contains itself", "save the state dict alone");
    const known = heights.get(children.node) ?? 0;
    if (path.length + known >= MAX_DEPTH) throw error(`refuses values nested deeper than ${MAX_DEPTH}`);
    const parent = path.at(-1);
    if (heights.has(children.node)) {
      if (parent !== undefined) parent.height = Math.max(parent.height, known + 1);
      return;
    }
    open.add(children.node);
    path.push({ ...children, height: 1 });
  };
  enter(root);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.children.next();
    if (!next.done) {
      enter(next.value);
      continue;
    }
    path.pop();
    open.delete(top.node);
    heights.set(top.node, top.height);
    const parent = path.at(-1);
    if (parent !== undefined) parent.height = Math.max(parent.height, top.height + 1);
  }
  return root as PthValue;
}

function isLeaf(value: unknown): boolean {
  if (typeof value !== "object") return typeof value !== "function" && value !== undefined;
  if (value === null || value instanceof Uint8Array || value instanceof InertObject) return true;
  return isRawTensor(value);
}

function childrenOf(value: unknown, error: MakeError): { node: object; children: Iterator<unknown> } {
  if (Array.isArray(value)) return { node: value, children: value.values() };
  if (value instanceof Set) return { node: value, children: value.values() };
  if (value instanceof Map) return { node: value, children: keysAndValues(value) };
  throw error(`refuses ${kindOf(value)} as a value`, "save tensors, numbers, text and their lists and dicts");
}

function* keysAndValues(map: Map<unknown, unknown>): Generator<unknown> {
  for (const [key, value] of map) {
    yield key;
    yield value;
  }
}
