import type { MakeError } from "../file-errors.ts";
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
  new TreeCheck(error).run(root);
  return root as PthValue;
}

interface OpenNode {
  readonly node: object;
  readonly children: Iterator<unknown>;
  /** Levels below and with it, as far as seen. */
  height: number;
}

/** A depth-first walk without recursion, since the depth is the file's choice. */
class TreeCheck {
  readonly #error: MakeError;
  readonly #path: OpenNode[] = [];
  readonly #open = new Set<object>();
  readonly #heights = new Map<object, number>();

  constructor(error: MakeError) {
    this.#error = error;
  }

  run(root: unknown): void {
    this.#enter(root);
    for (let top = this.#path.at(-1); top !== undefined; top = this.#path.at(-1)) {
      const next = top.children.next();
      if (next.done) this.#leave(top);
      else this.#enter(next.value);
    }
  }

  #enter(value: unknown): void {
    if (isLeaf(value)) return;
    const { node, children } = childrenOf(value, this.#error);
    if (this.#open.has(node))
      throw this.#error("refuses a value that contains itself", "save the state dict alone");
    const known = this.#heights.get(node);
    if (this.#path.length + (known ?? 1) > MAX_DEPTH) {
      throw this.#error(`refuses values nested deeper than ${MAX_DEPTH} levels`, "save the state dict alone");
    }
    if (known !== undefined) {
      this.#raiseParent(known);
      return;
    }
    this.#open.add(node);
    this.#path.push({ node, children, height: 1 });
  }

  #leave({ node, height }: OpenNode): void {
    this.#path.pop();
    this.#open.delete(node);
    this.#heights.set(node, height);
    this.#raiseParent(height);
  }

  #raiseParent(childHeight: number): void {
    const parent = this.#path.at(-1);
    if (parent !== undefined) parent.height = Math.max(parent.height, childHeight + 1);
  }
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
