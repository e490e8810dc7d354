import type { MakeError } from "../file-errors.ts";

/** A global that may be called: the only "functions" a pickle can reach, each one ours. */
export class Callable {
  readonly name: string;
  readonly apply: (args: readonly unknown[]) => unknown;

  constructor(name: string, apply: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.apply = apply;
  }
}

/** A global that may be named (a factory, a class as an argument) but not called. */
export class Marker {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A Python object of a class that is not known here, kept as a record: nothing of it has run.
 *
 * Found only where `unknownGlobals: "inert"` was asked for.
 */
export class InertObject {
  /** Module and name of the class or function, such as `argparse.Namespace`. */
  readonly className: string;
  /** What it was called with; `null` for the class or function itself. */
  readonly args: unknown;
  /** What Python would have put into its `__dict__`. */
  state: unknown = null;
  /** What Python would have appended to it, or set in it as `[key, value]`. */
  readonly items: unknown[] = [];

  constructor(className: string, args: unknown) {
    this.className = className;
    this.args = args;
  }
}

/** What the machine needs from the format around the pickle. */
export interface PickleContext {
  readonly error: MakeError;
  /** Returns the value of a global, or an error that names it. */
  readonly findGlobal: (module: string, name: string) => unknown;
  /** Returns the value of a persistent identifier: in PyTorch's files, a storage. */
  readonly loadPersistent: (id: unknown) => unknown;
}

/**
 * Words a value for messages: a number or short text as it is, anything else by its kind: a list printed in full may be astronomically long, since
 * a pickle of a few bytes can make lists of itself by sharing.
 */
export function brief(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (typeof value !== "string") return kindOf(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

/** Words a value for messages: its kind, never its content. */
export function kindOf(value: unknown): string {
  if (value === null) return "None";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (value instanceof InertObject) return value.className;
  if (value instanceof Callable || value instanceof Marker) return `the class ${value.name}`;
  if (typeof value === "object") return value.constructor?.name ?? "an object";
  return `a ${typeof value}`;
}
