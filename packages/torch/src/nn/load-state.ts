import { noGrad } from "../autograd.ts";
import type { Tensor } from "../tensor.ts";

/** What did not match when a state dict was loaded. */
export interface LoadReport {
  /** Names of the module that the state dict lacks. */
  readonly missing: readonly string[];
  /** Names of the state dict that the module lacks. */
  readonly unexpected: readonly string[];
}

function shapesDiffer(a: Tensor, b: Tensor): boolean {
  const [left, right] = [a.shape, b.shape];
  return left.length !== right.length || left.some((size, i) => size !== right[i]);
}

function* mismatches(own: ReadonlyMap<string, Tensor>, state: ReadonlyMap<string, Tensor>): Iterable<string> {
  for (const [name, target] of own) {
    const source = state.get(name);
    if (source && shapesDiffer(source, target)) {
      yield `${name} is [${target.shape.join(", ")}], the state dict has [${source.shape.join(", ")}]`;
    }
  }
}

function section(title: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `\n${title} (${names.length}):\n  ${names.join("\n  ")}`;
}

/**
 * Copies tensors into those of the same names, all or none.
 *
 * @throws {Error} If shapes differ, or when `strict` if names do.
 */
export function loadState(
  own: ReadonlyMap<string, Tensor>,
  state: ReadonlyMap<string, Tensor>,
  strict: boolean,
): LoadReport {
  const missing = [...own.keys()].filter((name) => !state.has(name));
  const unexpected = [...state.keys()].filter((name) => !own.has(name));
  const reshaped = [...mismatches(own, state)];
  if (reshaped.length > 0 || (strict && missing.length + unexpected.length > 0)) {
    const remedy =
      reshaped.length > 0 ? "leave out what differs" : "pass { strict: false } to load what matches";
    throw new Error(
      `loadStateDict(): the state dict does not fit the module; ${remedy}.` +
        section("Missing in the state dict", missing) +
        section("Unknown to the module", unexpected) +
        section("Of another shape", reshaped),
    );
  }
  noGrad(() => {
    for (const [name, target] of own) {
      const source = state.get(name);
      if (source && source !== target) target.copy_(source);
    }
  });
  return { missing, unexpected };
}
