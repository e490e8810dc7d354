import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { FileAccessError, FileFormatError } from "./file-errors.ts";
import { BYTES_PER_ELEMENT, byteLengthOf, type DTypeName, type RawTensor } from "./raw-tensor.ts";
import { readSafetensorsHeader } from "./safetensors-header.ts";
import { readSafetensors } from "./safetensors-read.ts";
import { writeSafetensors } from "./safetensors-write.ts";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
const path = join(folder, "file.safetensors");
const golden = (name: string) => new URL(`./golden/${name}`, import.meta.url);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file by hand: header text (or value), then bytes. */
function compose(header: unknown, data: Uint8Array = new Uint8Array(0), declared?: bigint): string {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(declared ?? BigInt(text.length));
  writeFileSync(path, Buffer.concat([prefix, text, data]));
  return path;
}

function place(content: string): string {
  writeFileSync(path, content);
  return path;
}

const dtypes = fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as DTypeName[]));
const tensors: fc.Arbitrary<RawTensor> = fc
  .tuple(dtypes, fc.array(fc.nat(4), { maxLength: 4 }))
  .chain(([dtype, shape]) => {
    const length = byteLengthOf(dtype, shape)!;
    const bytes = fc.uint8Array({ minLength: length, maxLength: length });
    return bytes.map((data) => ({ dtype, shape, data }));
  });
const names = fc.string({ unit: "grapheme", maxLength: 12 }).filter((name) => name !== "__metadata__");
const files = fc.uniqueArray(fc.tuple(names, tensors), { selector: ([name]) => name, maxLength: 8 });

describe("a file written by Python", () => {
  const expected = JSON.parse(readFileSync(golden("tensors.json"), "utf8"));
  const { tensors: read, metadata } = readSafetensors(golden("tensors.safetensors").pathname);

  test("reads as Python sees it", () => {
    const described = [...read].map(([name, { dtype, shape, data }]) => [
      name,
      { tensor: [dtype, shape, Buffer.from(data).toString("hex")] },
    ]);
    expect(new Map(described as [string, object][])).toEqual(new Map(expected.tensors.dict));
    expect(Object.fromEntries(metadata)).toEqual(expected.metadata);
  });

  test("is what we write, to the byte", () => {
    const inPythonsOrder = expected.tensors.dict.map(([name]: [string]) => [name, read.get(name)]);
    writeSafetensors(path, inPythonsOrder, metadata);
    expect(readFileSync(path)).toEqual(readFileSync(golden("tensors.safetensors")));
  });
});

describe("what is written", () => {
  test("is read back: names, types, shapes, bytes, metadata", () => {
    const texts = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(files, texts, (file, metadata) => {
        writeSafetensors(path, file, Object.entries(metadata));
        const read = readSafetensors(path);
        expect(read.tensors).toEqual(new Map(file));
        expect(Object.fromEntries(read.metadata)).toEqual({ ...metadata });
      }),
    );
  });

  test("has every tensor aligned, in a stable order, at the offset the header gives", () => {
    fc.assert(
      fc.property(files, (file) => {
        writeSafetensors(path, file);
        const bytes = readFileSync(path);
        const { entries, fileSize } = readSafetensorsHeader(path);
        expect(fileSize).toBe(bytes.length);
        for (const { name, dtype, offset, byteLength } of entries) {
          expect(offset % BYTES_PER_ELEMENT[dtype]).toBe(0);
          const { data } = new Map(file).get(name)!;
          expect(new Uint8Array(bytes.subarray(offset, offset + byteLength))).toEqual(data);
        }
        writeSafetensors(path, file);
        expect(readFileSync(path).equals(bytes)).toBe(true);
      }),
    );
  });

  test("may come in pieces, made one tensor at a time", () => {
    const order: string[] = [];
    const source = (name: string, pieces: number[][]) => {
      const data = () => {
        order.push(name);
        return pieces.map((piece) => Uint8Array.from(piece));
      };
      return [name, { dtype: "uint8", shape: [pieces.flat().length], data }] as const;
    };
    const sources = [source("a", [[1, 2], [], [3]]), source("b", [[4]])];
    writeSafetensors(path, sources);
    expect(order).toEqual(["a", "b"]);
    expect([...readSafetensors(path).tensors.get("a")!.data]).toEqual([1, 2, 3]);
  });

  test("must agree with its shape; the old file stays", () => {
    writeSafetensors(path, [["old", { dtype: "uint8", shape: [1], data: Uint8Array.of(7) }]]);
    const write = (data: Uint8Array | (() => Uint8Array)) => () =>
      writeSafetensors(path, [["weight", { dtype: "int16", shape: [2], data }]]);
    expect(write(new Uint8Array(3))).toThrow(/file\.safetensors: tensor weight: expected 4 bytes .* got 3/);
    expect(write(() => new Uint8Array(5))).toThrow(/tensor weight: expected 4 bytes .* got more/);
    expect(readSafetensors(path).tensors.has("old")).toBe(true);
    expect(readdirSync(folder)).toEqual(["file.safetensors"]);
  });

  test("must have good names and shapes", () => {
    const tensor = { dtype: "uint8", shape: [0], data: new Uint8Array(0) } as const;
    const write =
      (...named: [string, RawTensor][]) =>
      () =>
        writeSafetensors(path, named);
    expect(write(["a", tensor], ["a", tensor])).toThrow(/each name once, got "a" twice/);
    expect(write(["__metadata__", tensor])).toThrow(/reserved/);
    expect(write(["\ud800", tensor])).toThrow(/no valid Unicode/);
    expect(write(["a", { ...tensor, shape: [-1] }])).toThrow(/impossible shape \[-1\]/);
  });
});

describe("a file that breaks the format is refused with its name:", () => {
  const entry = (begin: number, end: number, shape = [end - begin], dtype = "U8") => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });
  const bytes = new Uint8Array(8);
  const cases: [string, () => string, RegExp][] = [
    ["empty", () => place(""), /file of 0 bytes/],
    ["shorter than its prefix", () => place("abc"), /file of 3 bytes/],
    [
      "header longer than the bound",
      () => compose("{}", bytes, 100_000_001n),
      /at most 100000000 bytes, got one of 100000001/,
    ],
    [
      "header of 2^64 - 1 bytes",
      () => compose("{}", bytes, 2n ** 64n - 1n),
      /got one of 18446744073709551615/,
    ],
    ["header longer than the file", () => compose("{}", bytes, 1000n), /expected bytes 8 to 1008/],
    ["header not JSON", () => compose("{]"), /valid UTF-8 JSON/],
    ["header an array", () => compose([]), /begins with \{/],
    ["header not UTF-8", () => compose("{}", Uint8Array.of(0xff), 3n), /valid UTF-8 JSON/],
    [
      "header nested deep",
      () => compose(`{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
      /deeper than 3/,
    ],
    [
      "a name twice",
      () => compose('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{}}'),
      /"a" twice/,
    ],
    ["a hole", () => compose({ a: entry(0, 2), b: entry(4, 8) }, bytes), /"b": .* a hole before it/],
    ["a hole in front", () => compose({ a: entry(1, 8) }, bytes), /a hole before it/],
    ["an overlap", () => compose({ a: entry(0, 5), b: entry(4, 8) }, bytes), /"b": .* an overlap/],
    ["bytes left over", () => compose({ a: entry(0, 4) }, bytes), /file of \d+ bytes by its header/],
    ["bytes missing", () => compose({ a: entry(0, 9) }, bytes), /file of \d+ bytes by its header/],
    [
      "a size that disagrees",
      () => compose({ a: entry(0, 8, [3], "F32") }, bytes),
      /float32 \[3\] in 8 bytes/,
    ],
    [
      "a shape that overflows",
      () => compose({ a: entry(0, 8, [2 ** 40, 2 ** 40]) }, bytes),
      /shape and size disagree/,
    ],
    [
      "strides that overflow",
      () => compose({ a: entry(0, 0, [0, 2 ** 40, 2 ** 40]) }),
      /shape and size disagree/,
    ],
    [
      "too many dimensions",
      () => compose({ a: entry(0, 1, Array(65).fill(1)) }, bytes.slice(1)),
      /shape and size/,
    ],
    [
      "a negative size",
      () => compose({ a: entry(0, 8, [-8]) }, bytes),
      /expected dtype, shape and data_offsets/,
    ],
    ["offsets turned round", () => compose({ a: entry(8, 0, [8]) }, bytes), /shape and size disagree/],
    ["a fraction", () => compose({ a: entry(0, 7.5) }, bytes), /expected dtype, shape/],
    [
      "an unknown type",
      () => compose({ a: entry(0, 8, [8], "F8_E4M3") }, bytes),
      /got "F8_E4M3"; convert it first/,
    ],
    [
      "a type of the prototype",
      () => compose({ a: entry(0, 8, [8], "constructor") }, bytes),
      /got "constructor"/,
    ],
    ["no fields", () => compose({ a: null }), /"a": expected dtype/],
    [
      "metadata not text",
      () => compose({ __metadata__: { a: 1 } }),
      /__metadata__ to map strings to strings/,
    ],
    ["metadata a list", () => compose({ __metadata__: ["a"] }), /__metadata__ to map strings/],
    ["metadata a text", () => compose({ __metadata__: "abc" }), /__metadata__ to map strings/],
  ];
  test.each(cases)("%s", (_, make, message) => {
    const file = make();
    expect(() => readSafetensors(file)).toThrow(FileFormatError);
    expect(() => readSafetensors(file)).toThrow(message);
    expect(() => readSafetensorsHeader(file)).toThrow(`readSafetensorsHeader(): ${file}: `);
  });

  test("names such as __proto__ stay names", () => {
    compose(`{"__proto__":${JSON.stringify(entry(0, 8))}}`, bytes);
    expect([...readSafetensors(path).tensors.keys()]).toEqual(["__proto__"]);
  });
});

test("what is no regular file is refused without waiting for it", () => {
  expect(() => readSafetensors(folder)).toThrow(/expected a regular file/);
  expect(() => readSafetensors(join(folder, "absent"))).toThrow(FileAccessError);
  expect(() => readSafetensors(join(folder, "absent"))).toThrow(/absent: cannot be opened: ENOENT/);
});

test.runIf(process.platform !== "win32")("a pipe is refused at once", () => {
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  expect(() => readSafetensors(pipe)).toThrow(/expected a regular file, got a folder, pipe or device/);
  rmSync(pipe);
});

describe("damaged files never crash:", () => {
  const whole = readFileSync(golden("tensors.safetensors"));
  const readOrRefuse = (bytes: Uint8Array): boolean => {
    writeFileSync(path, bytes);
    try {
      readSafetensors(path);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(FileFormatError);
      expect((error as Error).message).toContain(path);
      return false;
    }
  };

  test("cut anywhere, a file is refused", () => {
    fc.assert(fc.property(fc.nat(whole.length - 1), (length) => !readOrRefuse(whole.subarray(0, length))));
  });

  test("with bytes appended, a file is refused", () => {
    expect(readOrRefuse(Buffer.concat([whole, Buffer.alloc(1)]))).toBe(false);
  });

  test("with bytes changed, a file is read or refused", () => {
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        readOrRefuse(bytes);
      }),
      { numRuns: 300 },
    );
  });
});
