import { inspect } from "node:util";
import { argumentError } from "./argument-error.ts";
import type { Device, DType, TypedArray } from "./dtype.ts";
import { dtypeOfTypedArray, typedArrayOf } from "./dtype.ts";
import type { OperatorFunctions, TensorMethods } from "./generated/operators.ts";
import type { TensorHandle } from "./native/binding.ts";
import { lazyObject } from "./native/lazy.ts";
import { binding, onLoad } from "./native/load.ts";
import { bindAtenOperators, bindOperator } from "./operators.ts";
import { keep, Owned } from "./scope.ts";

/** Nested arrays of numbers, as deep as a tensor has dimensions. */
export type NestedNumbers = number | boolean | readonly NestedNumbers[];

/**
 * An n-dimensional array of libtorch, with all of its operators as methods.
 *
 * Positional arguments of an operator's schema are positional, the rest go into a trailing options object:
 * `x.softmax(1)`, `x.sum([1], { keepdim: true })`, `a.add(b)`. In-place variants end in `_`, variants that write to
 * a given tensor end in `Out`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are put on the prototype below
export class Tensor extends Owned {
  /** Sizes of the dimensions. */
  get shape(): readonly number[] {
    return binding.sizes(this.handle);
  }

  /** Elements to skip in memory to move by one along each dimension. */
  get strides(): readonly number[] {
    return binding.strides(this.handle);
  }

  get dtype(): DType {
    return binding.dtype(this.handle) as DType;
  }

  get device(): Device {
    return binding.device(this.handle);
  }

  get ndim(): number {
    return binding.sizes(this.handle).length;
  }

  /** Number of elements. */
  get numel(): number {
    return countOf(this.shape);
  }

  /** Returns the size of one dimension; negative indices count from the end. */
  size(dimension: number): number {
    const size = this.shape.at(dimension);
    if (size === undefined) {
      throw argumentError("size", `a dimension of shape [${this.shape.join(", ")}]`, dimension);
    }
    return size;
  }

  /** Tells whether the elements lie densely in memory, in row-major order or in that of channels_last. */
  isContiguous(format: "contiguous" | "channels_last" = "contiguous"): boolean {
    return binding.isContiguous(this.handle, format === "channels_last");
  }

  /**
   * Returns the value of a tensor with one element; a bool is 0 or 1, an int64 beyond 2^53 is rounded.
   *
   * @throws If it has more than one element.
   */
  item(): number {
    return Number(functions.get("item")?.([this]));
  }

  /** Returns a copy of the elements in row-major order; float16 and bfloat16 are converted to float32. */
  toTypedArray(): TypedArray {
    const dtype = this.dtype;
    const readable = dtype === "float16" || dtype === "bfloat16" ? "float32" : dtype;
    using dense = this.#onHost(readable);
    return new (typedArrayOf(readable))(binding.copyToBuffer(dense.handle));
  }

  /**
   * Returns the tensor's own memory, without a copy: writing to one is writing to the other. CPU and contiguous only. A
   * tensor that is resized beyond its memory leaves it to the array.
   */
  asTypedArray(): TypedArray {
    return new (typedArrayOf(this.dtype))(binding.toBuffer(this.handle));
  }

  /** Returns the elements as nested arrays of numbers. */
  toArray(): NestedNumbers {
    const flat = Array.from(this.toTypedArray() as Iterable<number | bigint>, Number);
    const nest = (shape: readonly number[], offset: number): NestedNumbers => {
      const [size, ...rest] = shape;
      if (size === undefined) return flat[offset] as number;
      const step = rest.reduce((product, inner) => product * inner, 1);
      return Array.from({ length: size }, (_, i) => nest(rest, offset + i * step));
    };
    return nest(this.shape, 0);
  }

  #onHost(dtype: DType): Tensor {
    using moved = call("to", [this, "cpu", dtype]);
    return call("contiguous", [moved]);
  }

  /** Returns this tensor on the CPU. */
  cpu(): Tensor {
    return this.to("cpu", this.dtype);
  }

  /** Whether operators on this tensor are recorded for {@link backward}. */
  get requiresGrad(): boolean {
    return binding.requiresGrad(this.handle);
  }

  /** Switches the recording on or off for a leaf, and returns it. */
  requiresGrad_(value = true): this {
    binding.setRequiresGrad(this.handle, value);
    return this;
  }

  /** Whether no operator that was recorded made this tensor. */
  get isLeaf(): boolean {
    return binding.isLeaf(this.handle);
  }

  /** The gradient that {@link backward} has summed up, a new handle on it, or `null`. */
  get grad(): Tensor | null {
    const handle = binding.gradient(this.handle);
    return handle === null ? null : new Tensor(handle);
  }

  set grad(value: Tensor | null) {
    binding.setGradient(this.handle, value === null ? null : value.handle);
  }

  /**
   * Adds the gradient of this tensor to the `grad` of every leaf that it was computed from.
   *
   * @param gradient - Gradient of the final value with respect to this tensor; may be left out for one element.
   */
  backward(
    gradient: Tensor | null = null,
    options: { retainGraph?: boolean; createGraph?: boolean } = {},
  ): void {
    const createGraph = options.createGraph ?? false;
    const gradients = gradient === null ? [] : [gradient.handle];
    binding.backward([this.handle], gradients, options.retainGraph ?? createGraph, createGraph);
  }

  override toString(): string {
    if (this.isDisposed) return "Tensor(disposed)";
    const device = this.device === "cpu" ? "" : ` on ${this.device}`;
    return `Tensor(${this.dtype} [${this.shape.join(", ")}]${device})`;
  }

  [inspect.custom](): string {
    if (this.isDisposed || this.numel > 64) return this.toString();
    return `${this.toString()} ${inspect(this.toArray(), { depth: null, breakLength: 100 })}`;
  }
}

export interface Tensor extends TensorMethods<Tensor> {}

const wrap = (handle: TensorHandle): Tensor => new Tensor(handle);
let functions: ReturnType<typeof bindAtenOperators> = new Map();

function call(name: string, args: readonly unknown[]): Tensor {
  return functions.get(name)?.(args) as Tensor;
}

// Which operators there are, libtorch knows; before it is loaded there is no tensor to call one of.
onLoad(({ operatorNames }) => {
  functions = bindAtenOperators(operatorNames(), wrap);
  for (const [name, invoke] of functions) {
    if (Object.hasOwn(Tensor.prototype, name)) continue;
    Object.defineProperty(Tensor.prototype, name, {
      value(this: Tensor, ...args: unknown[]) {
        args.unshift(this);
        return invoke(args);
      },
      writable: true,
      configurable: true,
    });
  }
});

/**
 * The operators whose first argument is not a tensor called `self`, as functions: `ops.cat([a, b], 1)`,
 * `ops.zeros([2, 3])`, `ops.conv2d(x, weight)`.
 */
export const ops: OperatorFunctions<Tensor> = lazyObject(() => {
  binding.version(); // loads libtorch, and so fills the functions
  const named = [...functions].map(([name, invoke]) => [name, (...args: unknown[]) => invoke(args)]);
  return Object.fromEntries(named) as unknown as OperatorFunctions<Tensor>;
});

/**
 * Binds any registered operator by its full name, for libraries that bring their own: `operator("armseg::predict")`.
 *
 * @throws If no library that is loaded registers it.
 */
export function operator(fullName: string): (...args: unknown[]) => unknown {
  return bindOperator(fullName, wrap);
}

/** Returns the live handles of several gradients at once, for {@link gradients}. */
function handlesOf(tensors: readonly Tensor[]): TensorHandle[] {
  return tensors.map((tensor) => tensor.handle);
}

/**
 * Computes gradients of the sum of `outputs` with respect to `inputs`, without touching any `grad`.
 *
 * @returns One tensor per input; `null` for an input that the outputs do not depend on, if `allowUnused`.
 */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: {
    gradOutputs?: readonly Tensor[];
    retainGraph?: boolean;
    createGraph?: boolean;
    allowUnused?: boolean;
  } = {},
): (Tensor | null)[] {
  const createGraph = options.createGraph ?? false;
  const found = binding.grad(
    handlesOf(outputs),
    handlesOf(inputs),
    handlesOf(options.gradOutputs ?? []),
    options.retainGraph ?? createGraph,
    createGraph,
    options.allowUnused ?? false,
  );
  return found.map((handle) => (handle === null ? null : new Tensor(handle)));
}

export interface TensorOptions {
  readonly dtype?: DType;
  readonly device?: Device;
  readonly requiresGrad?: boolean;
}

/** More dimensions than anything real has; a list that holds itself has no end of them. */
const MAX_DIMENSIONS = 64;

function shapeOf(values: NestedNumbers): number[] {
  const shape: number[] = [];
  for (let level: NestedNumbers | undefined = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > MAX_DIMENSIONS) {
      throw new TypeError(
        `tensor(): expected nested arrays of at most ${MAX_DIMENSIONS} dimensions, got more; does an array hold itself?`,
      );
    }
  }
  return shape;
}

/** Writes nested arrays of a shape to `into` from `start` on. */
function flatten(
  values: NestedNumbers,
  shape: readonly number[],
  into: Float32Array | Float64Array,
  start: number,
): void {
  const [size, ...rest] = shape;
  if (size === undefined) {
    if (Array.isArray(values))
      throw new TypeError(
        "tensor(): expected nested arrays of one depth, got a list in the place of a number",
      );
    if (values === undefined) throw new TypeError("tensor(): expected numbers, got an array with holes");
    into[start] = Number(values);
    return;
  }
  if (!Array.isArray(values) || values.length !== size) {
    throw new TypeError(
      `tensor(): expected nested arrays of shape [.., ${shape.join(", ")}], got a part of another size`,
    );
  }
  const step = countOf(rest);
  for (let i = 0; i < size; i++) flatten(values[i] as NestedNumbers, rest, into, start + i * step);
}

/** Elements of a shape. */
function countOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Room for so many numbers; an error where they do not fit into memory. */
function roomFor(count: number, needsWide: boolean): Float32Array | Float64Array {
  try {
    return needsWide ? new Float64Array(count) : new Float32Array(count);
  } catch (cause) {
    throw new RangeError(`tensor(): expected values that fit into memory, got ${count}`, { cause });
  }
}

function finish(base: Tensor, options: TensorOptions): Tensor {
  const isSame = (options.dtype ?? base.dtype) === base.dtype && (options.device ?? "cpu") === "cpu";
  const result = isSame ? base : base.to(options.device ?? "cpu", options.dtype ?? base.dtype);
  if (!isSame) base.dispose();
  return options.requiresGrad ? result.requiresGrad_() : result;
}

/**
 * Makes a tensor with a copy of the given values.
 *
 * @param values - Nested arrays of numbers or a flat typed array. Numbers are float32 unless `dtype` says otherwise, whole ones too
 *   (docs/decisions/005); a whole number that is passed to an operator, as in `ops.full([2], 1)`, is an integer.
 * @throws {TypeError} If nested arrays are ragged.
 */
export function tensor(values: NestedNumbers | TypedArray, options: TensorOptions = {}): Tensor {
  if (ArrayBuffer.isView(values)) return finish(onOwn(copyOf(values), [values.length]), options);
  const shape = shapeOf(values);
  // float64 holds every integer that a JavaScript number can name.
  const needsWide = options.dtype === "float64" || options.dtype === "int64";
  const array = roomFor(countOf(shape), needsWide);
  flatten(values, shape, array, 0);
  return finish(onOwn(array, shape), { dtype: "float32", ...options });
}

/** A copy that nobody else knows, of plain memory even where the array's is shared. */
function copyOf(array: TypedArray): TypedArray {
  const Kind = array.constructor as new (length: number) => TypedArray;
  const copy = new Kind(array.length);
  copy.set(array as never);
  return copy;
}

/** A tensor on the memory of an array that nobody else knows. */
function onOwn(array: TypedArray, shape: readonly number[], dtype = dtypeOfTypedArray(array)): Tensor {
  return new Tensor(binding.fromView(array, shape, dtype));
}

/**
 * Makes a tensor of a typed array's elements. On shared memory (a SharedArrayBuffer, such as one that a worker thread fills) the
 * tensor lies on the array's own memory, without a copy: writing to one is writing to the other. Other memory is copied: it may
 * be transferred to another thread, resized or freed while the tensor lives.
 *
 * @param shape - Its product must be the array's length.
 * @param dtype - Needed for arrays that have no dtype of their own (bool, float16 and bfloat16 as bits).
 */
export function fromTypedArray(array: TypedArray, shape: readonly number[], dtype?: DType): Tensor {
  const elements = countOf(shape);
  if (elements !== array.length) {
    const expected = `${elements} elements for shape [${shape.join(", ")}]`;
    throw argumentError("fromTypedArray", expected, array.length);
  }
  const isShared = array.buffer instanceof SharedArrayBuffer;
  return onOwn(isShared ? array : copyOf(array), shape, dtype);
}

/** A tensor that is trained: what a Module finds among its fields and an optimizer updates. */
export class Parameter extends Tensor {
  get isParameter(): true {
    return true;
  }
}

/**
 * Makes a tensor a parameter: it requires gradients and belongs to no scope. It takes `value` over, which is disposed,
 * so that `parameter(ops.zeros([3]))` leaves nothing behind.
 */
export function parameter(value: Tensor): Parameter {
  using detached = value.detach();
  const result = keep(new Parameter(binding.alias(detached.handle))).requiresGrad_();
  value.dispose();
  return result;
}
