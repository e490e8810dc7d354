import type { MakeError } from "../file-errors.ts";

/** Reads bytes `[offset, offset + length)` of something longer. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

const WINDOW_BYTES = 256 * 1024;

/** A forward reader over a range of bytes, fetched a window at a time so that nothing is read twice. */
export class ByteSource {
  readonly error: MakeError;
  readonly #readAt: ReadAt;
  readonly #end: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart: number;
  #cursor = 0;

  constructor(readAt: ReadAt, start: number, end: number, error: MakeError) {
    this.#readAt = readAt;
    this.#windowStart = start;
    this.#end = end;
    this.error = error;
  }

  static of(bytes: Uint8Array, error: MakeError): ByteSource {
    return new ByteSource(
      (offset, length) => bytes.subarray(offset, offset + length),
      0,
      bytes.length,
      error,
    );
  }

  /** Position of the next byte. */
  get position(): number {
    return this.#windowStart + this.#cursor;
  }

  byte(): number {
    if (this.#cursor >= this.#window.length) this.#refill(1);
    return this.#window[this.#cursor++]!;
  }

  /** The next bytes; valid only until the next call. */
  bytes(length: number): Uint8Array {
    if (this.#cursor + length > this.#window.length) this.#refill(length);
    this.#cursor += length;
    return this.#window.subarray(this.#cursor - length, this.#cursor);
  }

  view(length: number): DataView {
    const { buffer, byteOffset } = this.bytes(length);
    return new DataView(buffer, byteOffset, length);
  }

  /** Text up to the next line feed, as the oldest opcodes write their arguments. */
  line(maxLength: number): string {
    let text = "";
    for (let code = this.byte(); code !== 0x0a; code = this.byte()) {
      text += String.fromCharCode(code);
      if (text.length > maxLength)
        throw this.error(`a line of more than ${maxLength} characters in the pickle`);
    }
    return text;
  }

  #refill(length: number): void {
    const position = this.position;
    if (position + length > this.#end) {
      const what = `expected ${length} more bytes of pickle at byte ${position}, got its end at ${this.#end}`;
      throw this.error(what, "the file is truncated or damaged: fetch it again");
    }
    const fetched = Math.min(Math.max(length, WINDOW_BYTES), this.#end - position);
    this.#window = this.#readAt(position, fetched);
    this.#windowStart = position;
    this.#cursor = 0;
  }
}
