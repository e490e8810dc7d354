/** Writes the part of pickle, protocol 2, that a state dict is made of; names and codes are those of Python's `pickletools`. */
export class PickleWriter {
  readonly #parts: Buffer[] = [Buffer.from([0x80, 2])]; // PROTO

  finish(): Buffer {
    this.#code(0x2e); // STOP
    return Buffer.concat(this.#parts);
  }

  /** A dictionary; `entries` writes a key and a value by turns. */
  dictionary(entries: () => void): this {
    this.#code(0x7d).#code(0x28); // EMPTY_DICT, MARK
    entries();
    return this.#code(0x75); // SETITEMS
  }

  tuple(members: () => void): this {
    this.#code(0x28); // MARK
    members();
    return this.#code(0x74); // TUPLE
  }

  /** The result of a call. */
  call(module: string, name: string, args: () => void): this {
    return this.global(module, name).tuple(args).#code(0x52); // REDUCE
  }

  /** What stands for something outside of the pickle. */
  persistent(id: () => void): this {
    return this.tuple(id).#code(0x51); // BINPERSID
  }

  /** A class or function of Python. */
  global(module: string, name: string): this {
    return this.#bytes(Buffer.from(`c${module}\n${name}\n`)); // GLOBAL
  }

  text(value: string): this {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(5, 0x58); // BINUNICODE
    length.writeUInt32LE(bytes.length, 1);
    return this.#bytes(length).#bytes(bytes);
  }

  /** A whole number of at least 0. */
  integer(value: number): this {
    const bytes = Buffer.alloc(10); // LONG1, with 8 bytes
    bytes.set([0x8a, 8]);
    bytes.writeBigInt64LE(BigInt(value), 2);
    return this.#bytes(bytes);
  }

  false(): this {
    return this.#code(0x89); // NEWFALSE
  }

  #code(code: number): this {
    return this.#bytes(Buffer.from([code]));
  }

  #bytes(bytes: Buffer): this {
    this.#parts.push(bytes);
    return this;
  }
}
