import type {
  NativeObject,
  NativeOperator,
  NativeSchema,
  NativeValue,
  TensorHandle,
} from "./native/binding.ts";
import { binding } from "./native/load.ts";
import { Owned } from "./scope.ts";

/** A libtorch object that is passed on as it is: a generator. */
export interface NativeHolder {
  readonly native: NativeObject;
}

/** Makes the object that stands for a native tensor. */
export type WrapTensor = (handle: TensorHandle) => Owned;

const DTYPES =
  /^(u?int8|int16|int32|int64|b?float16|float32|float64|bool|complex32|complex64|complex128|qint8|quint8|qint32)$/;
const DEVICE = /^(cpu|cuda|mps|meta|xpu|xla|mkldnn|hip|vulkan|privateuseone)(:\d+)?$/;
const MEMORY_FORMAT = /^(contiguous|preserve|channels_last|channels_last_3d)$/;

type Matches = (value: unknown) => boolean;

const isNumber: Matches = (value) => typeof value === "number";
const isString: Matches = (value) => typeof value === "string";

const ELEMENT_MATCHERS: Readonly<Record<string, Matches>> = {
  Tensor: (value) => value instanceof Owned,
  Scalar: (value) => typeof value === "number" || typeof value === "boolean" || typeof value === "bigint",
  number: (value) => typeof value === "number" || typeof value === "boolean" || typeof value === "bigint",
  int: (value) => typeof value === "number" || typeof value === "bigint",
  SymInt: (value) => typeof value === "number" || typeof value === "bigint",
  float: isNumber,
  SymFloat: isNumber,
  bool: (value) => typeof value === "boolean",
  str: isString,
  ScalarType: (value) => typeof value === "string" && DTYPES.test(value),
  Device: (value) => typeof value === "string" && DEVICE.test(value),
  MemoryFormat: (value) => typeof value === "string" && MEMORY_FORMAT.test(value),
  Layout: isString,
  Generator: (value) => typeof value === "object" && value !== null && "native" in value,
};

function matcherOf(type: string, listSize: number): Matches {
  if (type.endsWith("?")) {
    const inner = matcherOf(type.slice(0, -1), listSize);
    return (value) => value === null || inner(value);
  }
  if (type.endsWith("[]")) {
    const inner = matcherOf(type.slice(0, -2), 0);
    return (value) => (Array.isArray(value) ? value.every(inner) : listSize > 0 && inner(value));
  }
  return ELEMENT_MATCHERS[type] ?? (() => true);
}

/** `keep_dim` to `keepDim`; a leading underscore (private) and a trailing one (in place) stay. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[A-Za-z0-9])_+([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly holdsTensors: boolean;
  readonly isRequired: boolean;
  readonly matches: Matches;
}

/** Is told of a call: the operator's full name, the parameters' names, the arguments (`undefined` for a default), the results. */
export type OperatorListener = (
  operator: string,
  names: readonly string[],
  values: readonly unknown[],
  results: readonly unknown[],
) => void;

let listener: OperatorListener | null = null;

/** Tells a listener of every call of an operator in this thread, until the function that is returned is called. */
export function recordOperators(listen: OperatorListener): () => void {
  const before = listener;
  listener = listen;
  return () => {
    listener = before;
  };
}

/** One overload of an operator, prepared for calls from JavaScript. */
class Overload {
  readonly name: string;
  readonly schema: string;
  readonly parameters: readonly Parameter[];
  readonly positionalCount: number;
  readonly #results: NativeSchema["results"];
  readonly #native: NativeOperator;
  readonly #wrap: WrapTensor;

  constructor(name: string, overload: string, wrap: WrapTensor) {
    const described = binding.describeOperator(name, overload);
    this.name = name;
    this.schema = described.schema;
    this.parameters = described.parameters.map((parameter) => ({
      name: camelCase(parameter.name),
      type: parameter.type,
      holdsTensors: parameter.type.startsWith("Tensor"),
      isRequired: !parameter.hasDefault,
      matches: matcherOf(parameter.type, parameter.listSize),
    }));
    this.positionalCount = described.parameters.filter((parameter) => !parameter.isKeywordOnly).length;
    this.#results = described.results;
    this.#native = binding.operator(name, overload);
    this.#wrap = wrap;
  }

  accepts(positional: readonly unknown[], options: Options | null): boolean {
    if (positional.length > this.positionalCount) return false;
    let taken = 0;
    for (let i = 0; i < this.parameters.length; i++) {
      const parameter = this.parameters[i] as Parameter;
      const isPositional = i < positional.length;
      const value = isPositional ? positional[i] : options?.[parameter.name];
      if (!isPositional && options && Object.hasOwn(options, parameter.name)) taken += 1;
      if (value === undefined ? parameter.isRequired : !parameter.matches(value)) return false;
    }
    return options === null || taken === Object.keys(options).length;
  }

  call(positional: readonly unknown[], options: Options | null): unknown {
    const values = new Array<unknown>(options ? this.parameters.length : positional.length);
    const natives = new Array<NativeValue>(values.length);
    for (let i = 0; i < values.length; i++) {
      const parameter = this.parameters[i] as Parameter;
      values[i] = i < positional.length ? positional[i] : options?.[parameter.name];
      natives[i] = parameter.holdsTensors ? handles(values[i]) : plain(values[i]);
    }
    const result = this.#read(this.#native(...natives), values);
    if (listener) this.#tell(listener, values, result);
    return result;
  }

  #tell(listen: OperatorListener, values: readonly unknown[], result: unknown): void {
    const names = this.parameters.map(({ name }) => name);
    listen(this.name, names, values, this.#results.length === 1 ? [result] : ((result ?? []) as unknown[]));
  }

  #read(result: NativeValue, values: readonly unknown[]): unknown {
    if (this.#results.length === 1) return this.#readOne(result, 0, values);
    if (this.#results.length === 0) return undefined;
    return (result as NativeValue[]).map((value, i) => this.#readOne(value, i, values));
  }

  #readOne(value: NativeValue, index: number, values: readonly unknown[]): unknown {
    const result = this.#results[index] as NativeSchema["results"][number];
    if (result.aliasOf >= 0) return values[result.aliasOf];
    if (!result.type.startsWith("Tensor")) return value;
    if (Array.isArray(value)) return value.map((handle) => this.#wrapHandle(handle));
    return this.#wrapHandle(value);
  }

  #wrapHandle(value: NativeValue): Owned | null {
    return value === null ? null : this.#wrap(value as TensorHandle);
  }
}

function handles(value: unknown): NativeValue {
  if (value instanceof Owned) return value.handle;
  return Array.isArray(value) ? value.map(handles) : (value as NativeValue);
}

function plain(value: unknown): NativeValue {
  if (typeof value === "object" && value !== null && "native" in value) return (value as NativeHolder).native;
  return value as NativeValue;
}

type Options = Readonly<Record<string, unknown>>;

function isOptions(value: unknown): value is Options {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function describeArgument(value: unknown): string {
  if (value instanceof Owned) return "Tensor";
  if (Array.isArray(value))
    return `[${value.slice(0, 4).map(describeArgument).join(", ")}${value.length > 4 ? ", ..." : ""}]`;
  if (isOptions(value)) return `{ ${Object.keys(value).join(", ")} }`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

/** All overloads of one operator name, e.g. those of `aten::add`. */
class OverloadSet {
  readonly #name: string;
  readonly #overloadNames: readonly string[];
  readonly #wrap: WrapTensor;
  #overloads: readonly Overload[] | undefined;

  constructor(name: string, overloadNames: readonly string[], wrap: WrapTensor) {
    this.#name = name;
    this.#overloadNames = overloadNames;
    this.#wrap = wrap;
  }

  /** Calls the first overload that takes the arguments; a trailing plain object names arguments. */
  call(args: readonly unknown[]): unknown {
    const last = args.at(-1);
    const options = isOptions(last) ? last : null;
    const positional = options ? args.slice(0, -1) : args;
    const overloads = this.#overloads ?? this.#load();
    if (overloads.length === 1) {
      const only = overloads[0] as Overload;
      if (only.accepts(positional, options)) return only.call(positional, options);
    }
    for (const overload of overloads) {
      if (overload.accepts(positional, options)) return overload.call(positional, options);
    }
    throw this.#mismatch(args);
  }

  /** Looked up at the first call: start-up must not pay for three thousand schemas. */
  #load(): readonly Overload[] {
    const overloads = this.#overloadNames.map((overload) => new Overload(this.#name, overload, this.#wrap));
    this.#overloads = overloads.sort((a, b) => a.parameters.length - b.parameters.length);
    return this.#overloads;
  }

  #mismatch(args: readonly unknown[]): TypeError {
    const got = args.map(describeArgument).join(", ");
    const expected = (this.#overloads ?? []).map((overload) => `\n  ${overload.schema}`).join("");
    return new TypeError(`${this.#name}(): no overload takes (${got}); expected one of${expected}`);
  }
}

/** Splits `aten::add` overloads into those that return new tensors or write in place, and those that write to `out`. */
function isOutOverload(overload: string): boolean {
  return /(^|_)out\d?$/.test(overload);
}

/** Binds an operator by its full name, as a function of the schema's arguments. */
export function bindOperator(fullName: string, wrap: WrapTensor): (...args: unknown[]) => unknown {
  const names = binding.operatorNames();
  const overloads: string[] = [];
  for (let i = 0; i < names.length; i += 2) {
    if (names[i] === fullName) overloads.push(names[i + 1] as string);
  }
  if (overloads.length === 0)
    throw new Error(
      `operator(): expected an operator of libtorch or of a loaded library, got ${fullName}; load its library first`,
    );
  const set = new OverloadSet(fullName, overloads, wrap);
  return (...args) => set.call(args);
}

/**
 * Every `aten` operator by its JavaScript name: `softmax`, `add_`, `addOut`.
 *
 * @param names - Names and overloads by turns, as the binding lists them.
 */
export function bindAtenOperators(
  names: readonly string[],
  wrap: WrapTensor,
): Map<string, (args: readonly unknown[]) => unknown> {
  const overloads = new Map<string, { name: string; overloads: string[] }>();
  for (let i = 0; i < names.length; i += 2) {
    const [name, overload] = [names[i] as string, names[i + 1] as string];
    if (!name.startsWith("aten::")) continue;
    const key = camelCase(name.slice("aten::".length)) + (isOutOverload(overload) ? "Out" : "");
    const entry = overloads.get(key) ?? { name, overloads: [] };
    entry.overloads.push(overload);
    overloads.set(key, entry);
  }
  const bound = new Map<string, (args: readonly unknown[]) => unknown>();
  for (const [key, entry] of overloads) {
    const set = new OverloadSet(entry.name, entry.overloads, wrap);
    bound.set(key, (args) => set.call(args));
  }
  return bound;
}
