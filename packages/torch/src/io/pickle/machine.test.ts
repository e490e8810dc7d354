import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FileFormatError } from "../file-errors.ts";
import { ByteSource } from "./byte-source.ts";
import { containerGlobals } from "./container-globals.ts";
import { runPickle } from "./opcodes.ts";

const makeError = (what: string) => new FileFormatError(`test(): ${what}`, "file");

function run(pickle: Uint8Array | string, extra: Record<string, unknown> = {}): unknown {
  const bytes = typeof pickle === "string" ? Uint8Array.from(Buffer.from(pickle, "latin1")) : pickle;
  const globals = new Map([...containerGlobals(makeError), ...Object.entries(extra)]);
  const findGlobal = (module: string, name: string) => {
    if (!globals.has(`${module}.${name}`)) throw makeError(`refuses ${module}.${name}`);
    return globals.get(`${module}.${name}`);
  };
  const loadPersistent = () => "storage";
  return runPickle(ByteSource.of(bytes, makeError), {
    error: makeError,
    findGlobal,
    loadPersistent,
  });
}

// Opcodes in letters, as `pickletools` lists them: ( MARK, ] EMPTY_LIST, } EMPTY_DICT, ) EMPTY_TUPLE, . STOP and so on.
describe("values", () => {
  test.each([
    ["K\x07.", 7],
    ["M\x01\x02.", 513],
    ["J\xff\xff\xff\xff.", -1],
    ["\x8a\x00.", 0],
    ["\x8a\x01\xff.", -1],
    ["\x8a\x02\xff\x00.", 255],
    ["\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", 2n ** 64n],
    ["\x8b\x01\x00\x00\x00\x80.", -128],
    ["G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 1.5],
    ["U\x02ab.", "ab"],
    ["T\x02\x00\x00\x00ab.", "ab"],
    ["(K\x01K\x02l.", [1, 2]],
    ["(K\x01K\x02d.", new Map([[1, 2]])],
    ["](K\x01K\x02e.", [1, 2]],
    ["]K\x01a.", [1]],
    ["K\x01K\x020.", 1],
    ["(K\x01K\x021N.", null],
    ["]2\x86.", [[], []]],
    ["\x8f(K\x01K\x01\x90.", new Set([1])],
    ["K\x05q\x000h\x00.", 5],
    ["c__builtin__\nset\n](K\x01e\x85R.", new Set([1])],
    ["ccollections\nOrderedDict\n]](K\x01K\x02ea\x85R.", new Map([[1, 2]])],
  ])("%j", (pickle, expected) => {
    expect(run(pickle)).toEqual(expected);
  });
});

describe("what is refused", () => {
  test.each([
    ["an empty stack", "a.", /takes a value that is not there/],
    ["nothing left", ".", /does not leave one value/],
    ["two values left", "NN.", /does not leave one value/],
    ["no mark", "Nt.", /takes a mark that is not there/],
    ["a value beyond the mark", "N(\x85t.", /takes a value that is not there/],
    ["an unknown operation", "\xff.", /expected an operation of pickle protocols 2 to 4, got 0xff/],
    ["an old textual operation", "I7\n.", /got 0x49/],
    ["out-of-band buffers", "\x97.", /got 0x97/],
    ["a newer protocol", "\x80\x06N.", /expected pickle protocol 2 to 5, got 6/],
    ["no end", "N", /expected 1 more bytes of pickle/],
    ["a text longer than the file", "X\xff\xff\xff\x7fab.", /expected 2147483647 more bytes/],
    ["bytes longer than any file", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", /more bytes of pickle/],
    ["an absurd integer", `\x8b\x00\x10\x00\x00${"\0".repeat(4096)}.`, /an integer of 4096 bytes/],
    ["a memo entry never set", "h\x07.", /memo entry 7/],
    ["text that is not UTF-8", "U\x01\xff.", /not UTF-8/],
    ["a global never ending", `c${"x".repeat(300)}`, /a line of more than 256/],
    ["a nameless global", "NN\x93.", /a global without a name/],
    ["calling a number", "K\x01)R.", /it calls a number/],
    ["calling a factory", "c__builtin__\nlist\n)R.", /it calls the class list/],
    ["calling with no tuple", "c__builtin__\nset\nNR.", /calls with None for arguments/],
    ["appending to a dict", "}K\x01a.", /appends to a dict/],
    ["setting in a list", "]K\x01K\x02s.", /sets an item of a list/],
    ["a key without a value", "}(K\x01u.", /sets a key without a value/],
    ["adding to a list", "](K\x01\x90.", /adds to a list/],
    ["state of a list", "]Nb.", /restores attributes of a list/],
    ["keyword arguments", "c__builtin__\nset\n)}K\x01K\x01s\x92.", /keyword arguments/],
    ["an unknown global", "cos\nsystem\nX\x02\x00\x00\x00id\x85R.", /refuses os.system/],
    ["a dict of no pairs", "ccollections\nOrderedDict\n]K\x01a\x85R.", /expected the pairs of a dict/],
    ["bytes in another encoding", "c_codecs\nencode\nU\x01aU\x05utf-8\x86R.", /expected latin-1 text/],
    ["a numpy object", "cnumpy\ndtype\nU\x01O\x85R.", /refuses the numpy type "O"/],
  ])("%s", (_, pickle, message) => {
    expect(() => run(pickle)).toThrow(FileFormatError);
    expect(() => run(pickle)).toThrow(message);
  });
});

describe("memory is bounded", () => {
  const many = (unit: string, count: number, before = "", after = "") =>
    Uint8Array.from(Buffer.from(before + unit.repeat(count) + after, "latin1"));

  test.each([
    ["dicts without end", many("}0", 1_000_001), /more than 1000000 objects/],
    ["empty sets, which take more memory than others", many("\x8f0", 62_501), /more than 1000000 objects/],
    ["a stack without end", many("N", 1_000_001), /more than 1000000 values on its stack/],
    ["marks without end", many("(", 1_000_001), /more than 1000000 marks/],
    ["a memo without end", many("\x94", 2_000_001, "N"), /more than 2000000 memo entries/],
    ["globals without end", many("c__builtin__\nset\n0", 1_000_001), /more than 1000000 objects/],
  ])("%s", (_, pickle, message) => {
    expect(() => run(pickle)).toThrow(message);
  });

  test("one long text cannot be copied over and over", () => {
    const text = `X\x00\x00\x10\x00${"a".repeat(2 ** 20)}q\x000`;
    const encode = "c_codecs\nencode\nh\x00U\x06latin1\x86R0";
    expect(() => run(many(encode, 100, text, "N."))).toThrow(/copies of long values without end/);
  });

  test("a list that doubles itself by sharing takes no memory", () => {
    expect(run(many("2\x86", 100_000, "]", "."))).toHaveLength(2);
  });
});

test("any bytes end in a value or a named error", () => {
  const codes = [
    ...Buffer.from("(01]}).KNJhqatueslbRcQ2\x85\x86\x87\x88\x89\x8a\x8c\x8f\x90\x93\x94U\n", "latin1"),
  ];
  const byte = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...codes) },
    { weight: 1, arbitrary: fc.nat(255) },
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
      try {
        run(Uint8Array.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(FileFormatError);
      }
    }),
    { numRuns: 20_000 },
  );
});

test("a source hands out its bytes in order and fetches few of them twice", () => {
  const bytes = Uint8Array.from({ length: 600_000 }, (_, i) => (i * 31) % 256);
  const reads: [number, number][] = [];
  const readAt = (offset: number, length: number) => {
    reads.push([offset, length]);
    return bytes.slice(offset, offset + length);
  };
  const source = new ByteSource(readAt, 0, bytes.length, makeError);
  const seen: number[] = [];
  for (let length = 1; source.position + length <= bytes.length; length = (length * 7) % 4001) {
    for (const byte of source.bytes(length)) seen.push(byte);
  }
  expect(seen).toEqual([...bytes.subarray(0, source.position)]);
  const total = reads.reduce((sum, [, length]) => sum + length, 0);
  expect(total).toBeLessThan(bytes.length + reads.length * 4001);
});
