import { type Tensor, type Trace, type TracedCall, type TracedValue, trace } from "@armseg/torch";

/** A tensor of the network as it is at every size of the input: what two recordings at two sizes have in common. */
export interface Value {
  /** Its shape in either recording; sizes that differ follow the input's. */
  readonly shapes: readonly [readonly number[], readonly number[]];
  readonly dtype: string;
  /** The tensor, where no operator made it. */
  readonly source: Tensor | null;
}

/** A whole number that follows the size of the input: what it was in either recording. */
export class VaryingInteger {
  readonly pair: readonly [number, number];

  constructor(pair: readonly [number, number]) {
    this.pair = pair;
  }
}

/** A call at every size: tensors are {@link Value}s, numbers that differ {@link VaryingInteger}s. */
export interface Call {
  readonly operator: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly results: readonly unknown[];
}

export interface SymbolicTrace {
  readonly calls: readonly Call[];
  readonly input: Value;
  readonly outputs: readonly Value[];
}

/**
 * Records a network at two sizes, and tells what depends on the size from what does not.
 *
 * A recording knows a size only as the number that it was. Two of them, at sizes that share no factor, show which numbers vary.
 *
 * @param inputs - Two tensors that differ in every dimension but the channels, in one of them odd.
 * @throws {Error} If the network calls other operators at another size.
 */
export function symbolicTrace(
  inputs: readonly [Tensor, Tensor],
  body: (input: Tensor) => readonly Tensor[],
): SymbolicTrace {
  const [first, second] = inputs.map((input) => trace(input, body)) as [Trace, Trace];
  const pairs = new Pairs();
  assertAlike(first.calls, second.calls);
  const calls = first.calls.map((call, i) => pairs.call(call, second.calls[i] as TracedCall));
  return {
    calls,
    input: pairs.value(first.input, second.input),
    outputs: first.outputs.map((output, i) => pairs.value(output, second.outputs[i] as TracedValue)),
  };
}

function assertAlike(first: readonly TracedCall[], second: readonly TracedCall[]): void {
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    const [one, other] = [first[i]?.operator ?? "nothing", second[i]?.operator ?? "nothing"];
    if (one === other) continue;
    throw new Error(
      `symbolicTrace(): expected the same operators at every size of the image, got ${one} and ${other} as number ${i + 1}; ` +
        "a network that chooses by the size cannot be written as one graph",
    );
  }
}

function isTracedValue(value: unknown): value is TracedValue {
  return typeof value === "object" && value !== null && "shape" in value && "source" in value;
}

/** Lays two recordings over each other. */
class Pairs {
  readonly #values = new Map<TracedValue, Value>();

  call(first: TracedCall, second: TracedCall): Call {
    const names = Object.keys(first.arguments);
    return {
      operator: first.operator,
      arguments: Object.fromEntries(
        names.map((name) => [name, this.#merge(first.arguments[name], second.arguments[name])]),
      ),
      results: this.#merge(first.results, second.results) as unknown[],
    };
  }

  value(first: TracedValue, second: TracedValue): Value {
    const known = this.#values.get(first);
    if (known) return known;
    const value = { shapes: [first.shape, second.shape], dtype: first.dtype, source: first.source } as const;
    this.#values.set(first, value);
    return value;
  }

  #merge(first: unknown, second: unknown): unknown {
    if (isTracedValue(first)) return this.value(first, second as TracedValue);
    if (Array.isArray(first))
      return first.map((element, i) => this.#merge(element, (second as unknown[])[i]));
    if (typeof first !== "number" || first === second) return first;
    return new VaryingInteger([first, second as number]);
  }
}
