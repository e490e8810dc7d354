import { operator } from "@armseg/torch";
import { loadKernels } from "./library.ts";

type Operator = (...args: unknown[]) => unknown;

const bound = new Map<string, Operator>();

/** An operator of the library, which is loaded when the first one is used. */
export function kernel(name: string): Operator {
  const known = bound.get(name);
  if (known) return known;
  loadKernels();
  const found = operator(`armseg::${name}`);
  bound.set(name, found);
  return found;
}
