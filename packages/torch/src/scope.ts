import type { TensorHandle } from "./native/binding.ts";
import { binding } from "./native/load.ts";

/** A tensor was used after it was freed. */
export class DisposedTensorError extends Error {
  override readonly name = "DisposedTensorError";
  readonly code = "ERR_DISPOSED_TENSOR";
}

const DISPOSED = -1 as TensorHandle;
const isTracing = process.env.ARMSEG_TRACE_TENSORS === "1";

/** Tensors made since a {@link tidy} began, and the scope around it. */
interface Scope {
  readonly parent: Scope | null;
  members: Owned[];
}

let current: Scope | null = null;
let collected = 0;

interface Unreachable {
  readonly handle: TensorHandle;
  readonly stack: string | undefined;
}

/**
 * Frees tensors that nobody freed once they are garbage-collected. It only works when the event loop turns: on Node 20 a
 * loop that never yields runs no finalizer at all, so scopes are the plan and this is not.
 */
const finalizer = new FinalizationRegistry<Unreachable>(({ handle, stack }) => {
  if (!binding.release(handle)) return;
  collected += 1;
  if (isTracing) process.stderr.write(`a tensor was left to the garbage collector; it was made${stack}\n`);
});

/**
 * What owns one native handle: the base of Tensor.
 *
 * It belongs to the innermost {@link tidy} that runs when it is made, and is freed when that ends, unless it is
 * returned from it or {@link keep}ed.
 */
export abstract class Owned {
  #handle: TensorHandle;
  #isKept = false;
  #whereFreed: string | undefined;
  #whereMade: string | undefined;

  constructor(handle: TensorHandle) {
    this.#handle = handle;
    if (isTracing) this.#whereMade = callSite();
    if (current) current.members.push(this);
    else this.#leaveToFinalizer();
  }

  /** @internal The native handle; throws if this was disposed. */
  get handle(): TensorHandle {
    if (this.#handle === DISPOSED) throw this.#disposedError();
    return this.#handle;
  }

  get isDisposed(): boolean {
    return this.#handle === DISPOSED;
  }

  /** Frees the native tensor. A second call does nothing. */
  dispose(): void {
    if (this.#handle === DISPOSED) return;
    binding.release(this.#forget());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal Ends the life of this object and hands its handle to the caller, who must release it. */
  static release(owned: Owned): TensorHandle {
    return owned.#handle === DISPOSED ? DISPOSED : owned.#forget();
  }

  /** @internal */
  static markKept(owned: Owned): void {
    owned.#isKept = true;
  }

  /** @internal */
  static isKept(owned: Owned): boolean {
    return owned.#isKept;
  }

  /** @internal Lets an object escape from its scope, to the scope around it or to the finalizer. */
  static escape(owned: Owned, to: Scope | null): void {
    if (owned.#handle === DISPOSED) return;
    if (to && !owned.#isKept) to.members.push(owned);
    else owned.#leaveToFinalizer();
  }

  #forget(): TensorHandle {
    const handle = this.#handle;
    this.#handle = DISPOSED;
    if (isTracing) this.#whereFreed = callSite();
    return handle;
  }

  #leaveToFinalizer(): void {
    finalizer.register(this, { handle: this.#handle, stack: this.#whereMade });
  }

  #disposedError(): DisposedTensorError {
    const where = this.#whereFreed ? ` It was made${this.#whereMade} and freed${this.#whereFreed}.` : "";
    const hint = isTracing ? "" : " Set ARMSEG_TRACE_TENSORS=1 to see where.";
    return new DisposedTensorError(
      `this tensor was disposed; return it from the tidy() that made it, or keep() it.${where}${hint}`,
    );
  }
}

function callSite(): string {
  return `\n${new Error().stack?.split("\n").slice(3, 9).join("\n") ?? ""}`;
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Collects the tensors that a value holds: itself, in arrays, maps and plain objects, however deep or circular they are. */
function collect(value: unknown, into: Set<Owned>): void {
  if (value instanceof Owned) {
    into.add(value); // by far the most frequent
    return;
  }
  const seen = new Set<object>();
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (next === null || typeof next !== "object" || seen.has(next)) continue;
    if (next instanceof Owned) into.add(next);
    else {
      seen.add(next);
      for (const part of partsOf(next)) waiting.push(part);
    }
  }
}

function partsOf(value: object): Iterable<unknown> {
  if (Array.isArray(value)) return value;
  if (value instanceof Map) return value.values();
  return isPlainObject(value) ? Object.values(value) : [];
}

function close(scope: Scope, survivors: ReadonlySet<Owned>): void {
  const handles: TensorHandle[] = [];
  for (const member of scope.members) {
    if (survivors.has(member) || Owned.isKept(member)) {
      Owned.escape(member, scope.parent);
      continue;
    }
    const handle = Owned.release(member);
    if (handle !== DISPOSED) handles.push(handle);
  }
  if (handles.length > 0) binding.releaseAll(handles);
}

/**
 * Runs `body` and frees every tensor that was made inside and is not part of its result.
 *
 * The result may be a tensor, or arrays, maps and plain objects of them; those live on in the scope around, if any.
 * Autograd keeps what a backward pass needs, so a graph may be built inside and used outside.
 *
 * @throws {TypeError} If `body` returns a promise: what it makes after its first `await` would escape the scope.
 * @example
 * const mean = tidy(() => tensor([1, 2, 3]).mul(2).mean()); // the product is freed, the mean is not
 */
export function tidy<T>(body: () => T): T {
  const scope: Scope = { parent: current, members: [] };
  current = scope;
  const survivors = new Set<Owned>();
  try {
    const result = body();
    if (result instanceof Promise) {
      result.catch(() => {}); // the TypeError below is what the caller should see
      throw new TypeError(
        "tidy(): expected a synchronous function, got one that returns a promise; await outside of it",
      );
    }
    collect(result, survivors);
    return result;
  } finally {
    current = scope.parent;
    close(scope, survivors);
  }
}

/** @internal Opens a scope that ends when the function it returns is called: for a test, which is not one call. */
export function openScope(): () => void {
  const scope: Scope = { parent: current, members: [] };
  current = scope;
  return () => {
    current = scope.parent;
    close(scope, new Set());
  };
}

/** Takes a tensor out of every scope: it lives until it is disposed or garbage-collected. Returns it. */
export function keep<T extends Owned>(tensor: T): T {
  Owned.markKept(tensor);
  return tensor;
}

export interface MemoryFigures {
  /** Tensors that this thread's JavaScript holds. */
  readonly tensors: number;
  /** Bytes of the distinct storages behind them, on all devices. */
  readonly bytes: number;
  /** How many tensors the garbage collector had to free so far, because no scope did. */
  readonly collected: number;
}

/** Counts the live tensors of this thread. What only autograd still holds is not counted. */
export function memory(): MemoryFigures {
  return { ...binding.memory(), collected };
}
