import type { ByteSource } from "./byte-source.ts";
import type { PickleContext } from "./values.ts";

/** Real checkpoints stay below a hundredth of these; they bound what a hostile pickle can make us hold. */
export const MAX_PICKLE_BYTES = 64 * 2 ** 20;
const MAX_OBJECTS = 1_000_000;
/** An empty set or dict takes as much memory as so many other objects. */
const TABLE_OBJECTS = 16;
const MAX_STACK = 1_000_000;
const MAX_MEMO = 2_000_000;
const MAX_COPIED = 64 * 2 ** 20;

/** The stack, marks and memo of pickle's stack language, for the operations of `opcodes.ts`. It runs nothing: calls go to {@link PickleContext}. */
export class PickleMachine {
  readonly source: ByteSource;
  readonly context: PickleContext;
  readonly #stack: unknown[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #objects = 0;
  #copied = 0;

  constructor(source: ByteSource, context: PickleContext) {
    this.source = source;
    this.context = context;
  }

  /** Takes the one value that a whole pickle leaves. */
  result(): unknown {
    if (this.#stack.length !== 1 || this.#marks.length !== 0)
      throw this.damaged("it does not leave one value");
    return this.#stack[0];
  }

  push(value: unknown): void {
    if (this.#stack.length >= MAX_STACK) throw this.tooLarge(`more than ${MAX_STACK} values on its stack`);
    this.#stack.push(value);
  }

  /** Pushes something that takes more memory than its bytes in the pickle. */
  pushObject(value: unknown): void {
    this.countObject(value instanceof Set || value instanceof Map ? TABLE_OBJECTS : 1);
    this.push(value);
  }

  countObject(weight = 1): void {
    this.#objects += weight;
    if (this.#objects > MAX_OBJECTS) throw this.tooLarge(`more than ${MAX_OBJECTS} objects`);
  }

  /** Counts what a call copies, since the same long value can be named many times in a few bytes. */
  chargeCopy(size: number): void {
    this.#copied += size;
    if (this.#copied > MAX_COPIED) throw this.tooLarge("copies of long values without end");
  }

  pop(): unknown {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0))
      throw this.damaged("it takes a value that is not there");
    return this.#stack.pop();
  }

  top(): unknown {
    const value = this.pop();
    this.#stack.push(value);
    return value;
  }

  mark(): void {
    if (this.#marks.length >= MAX_STACK) throw this.tooLarge(`more than ${MAX_STACK} marks`);
    this.#marks.push(this.#stack.length);
  }

  /** Takes all values above the last mark, and the mark. */
  popToMark(): unknown[] {
    const start = this.#marks.pop();
    if (start === undefined) throw this.damaged("it takes a mark that is not there");
    return this.#stack.splice(start);
  }

  /** POP also removes a mark that lies on top of the stack. */
  popValueOrMark(): void {
    if (this.#marks.at(-1) === this.#stack.length) this.#marks.pop();
    else this.pop();
  }

  remember(index: number): void {
    if (this.#memo.size >= MAX_MEMO) throw this.tooLarge(`more than ${MAX_MEMO} memo entries`);
    this.#memo.set(index, this.top());
  }

  get memoSize(): number {
    return this.#memo.size;
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) throw this.damaged(`it asks for memo entry ${index}, which is not there`);
    this.push(this.#memo.get(index));
  }

  damaged(what: string): Error {
    const where = `the pickle is damaged near byte ${this.source.position}`;
    return this.context.error(`${where}: ${what}`, "fetch the file again");
  }

  tooLarge(what: string): Error {
    return this.context.error(`the pickle makes ${what}`, "no checkpoint does: save the state dict alone");
  }

  unknownOpcode(code: number): Error {
    const hex = `0x${code.toString(16).padStart(2, "0")}`;
    return this.damaged(`expected an operation of pickle protocols 2 to 4, got ${hex}`);
  }
}
