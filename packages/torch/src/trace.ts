import type { DType } from "./dtype.ts";
import { recordOperators } from "./operators.ts";
import type { Owned } from "./scope.ts";
import { Tensor } from "./tensor.ts";

/** A tensor at one moment of a {@link trace}: an operator that writes in place makes a new value of the same tensor. */
export interface TracedValue {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The tensor, where no recorded operator made it: the input, a parameter, a buffer. It may have been freed since. */
  readonly source: Tensor | null;
}

/** A call of an operator. Tensors, also those in lists, are {@link TracedValue}s. */
export interface TracedCall {
  /** Full name, e.g. `aten::conv2d`. */
  readonly operator: string;
  /** By the schema's names, in camel case; one that was left to its default is absent. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** One entry per result of the schema. */
  readonly results: readonly unknown[];
}

export interface Trace {
  /** In the order in which they were made. */
  readonly calls: readonly TracedCall[];
  readonly input: TracedValue;
  readonly outputs: readonly TracedValue[];
}

class Recorder {
  readonly calls: TracedCall[] = [];
  readonly #values = new Map<Owned, TracedValue>();

  record(
    operator: string,
    names: readonly string[],
    values: readonly unknown[],
    results: readonly unknown[],
  ): void {
    const given = names.flatMap((name, i) =>
      values[i] === undefined ? [] : [[name, this.#traced(values[i])] as const],
    );
    this.calls.push({
      operator,
      arguments: Object.fromEntries(given),
      results: results.map((result) => this.#made(result)),
    });
  }

  valueOf(tensor: Tensor): TracedValue {
    const known = this.#values.get(tensor);
    if (known) return known;
    const value = { shape: tensor.shape, dtype: tensor.dtype, source: tensor };
    this.#values.set(tensor, value);
    return value;
  }

  #traced(argument: unknown): unknown {
    if (argument instanceof Tensor) return this.valueOf(argument);
    return Array.isArray(argument) ? argument.map((element) => this.#traced(element)) : argument;
  }

  #made(result: unknown): unknown {
    if (Array.isArray(result)) return result.map((element) => this.#made(element));
    if (!(result instanceof Tensor)) return result;
    const value = { shape: result.shape, dtype: result.dtype, source: null };
    this.#values.set(result, value);
    return value;
  }
}

let depth = 0;

/** Whether a {@link trace} is running: for code that has a plain form beside a fast one, and only the plain one is worth recording. */
export function isTraced(): boolean {
  return depth > 0;
}

/**
 * Runs `body` and records every operator that it calls, as `torch.jit.trace` does: what depends on the input's size or values is
 * recorded as it was for this input.
 *
 * @param body - Returns the tensors whose values are the {@link Trace.outputs}.
 */
export function trace(input: Tensor, body: (input: Tensor) => readonly Tensor[]): Trace {
  const recorder = new Recorder();
  const traced = recorder.valueOf(input);
  depth += 1;
  const stop = recordOperators((...call) => recorder.record(...call));
  try {
    const outputs = body(input).map((tensor) => recorder.valueOf(tensor));
    return { calls: recorder.calls, input: traced, outputs };
  } finally {
    stop();
    depth -= 1;
  }
}
