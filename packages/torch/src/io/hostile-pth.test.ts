import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { type ZipPart as Part, zip } from "../testing/zip.ts";
import { FileFormatError } from "./file-errors.ts";
import { isRawTensor } from "./raw-tensor.ts";
import { readPth } from "./read-pth.ts";

const folder = mkdtempSync(join(tmpdir(), "hostile-pth-"));
const path = join(folder, "file.pth");
const golden = (name: string) => readFileSync(fileURLToPath(new URL(`./golden/${name}`, import.meta.url)));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function readBytes(bytes: Uint8Array) {
  writeFileSync(path, bytes);
  return readPth(path);
}

/** True if read; false if refused as it should be. Any other error fails the test. */
function readOrRefuse(bytes: Uint8Array): boolean {
  try {
    readBytes(bytes);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(FileFormatError);
    expect((error as Error).message).toContain(`readPth(): ${path}: `);
    return false;
  }
}

const latin1 = (text: string) => Buffer.from(text, "latin1");
const int = (value: number) => {
  const bytes = Buffer.alloc(9, 0);
  bytes.writeBigInt64LE(BigInt(value), 0);
  return `\x8a\x08${bytes.subarray(0, 8).toString("latin1")}`;
};
const tuple = (...items: string[]) => `(${items.join("")}t`;
const text = (value: string) => `U${String.fromCharCode(value.length)}${value}`;

/** `_rebuild_tensor_v2` of a float32 storage under `key` with `count` elements. */
function tensor(key: string, count: number, shape: number[], stride: number[], offset = 0): string {
  const storage = `${tuple(text("storage"), "ctorch\nFloatStorage\n", text(key), text("cpu"), int(count))}Q`;
  const args = [storage, int(offset), tuple(...shape.map(int)), tuple(...stride.map(int)), "\x89", "}"];
  return `ctorch._utils\n_rebuild_tensor_v2\n${tuple(...args)}R`;
}

const pickled = (body: string): Part => ({ name: "a/data.pkl", content: latin1(`\x80\x02${body}.`) });
const storage = (key: string, content: Uint8Array, rest: Partial<Part> = {}): Part => ({
  name: `a/data/${key}`,
  content,
  ...rest,
});

test("the archives built here are good ones", () => {
  const read = readBytes(
    zip([pickled(tensor("0", 4, [2, 2], [2, 1])), storage("0", new Uint8Array(16).fill(7))]),
  );
  if (!isRawTensor(read)) throw new Error("no tensor");
  expect([read.dtype, read.shape, [...read.data]]).toEqual(["float32", [2, 2], Array(16).fill(7)]);
});

test("what later versions of PyTorch write is read", () => {
  const bytes = new Uint8Array(8).fill(1);
  const untyped = `${tuple(text("storage"), "ctorch.storage\nUntypedStorage\n", text("0"), text("cpu"), int(8))}Q`;
  const args = tuple(untyped, int(0), tuple(int(4)), tuple(int(1)), "\x89", "}", "ctorch\nint16\n");
  const v3 = `ctorch._utils\n_rebuild_tensor_v3\n${args}R`;
  const parameter = `ctorch._utils\n_rebuild_parameter_with_state\n${tuple(v3, "\x88", "}", "}")}R`;
  const build = "ctorch._utils\n_rebuild_tensor_v3\nctorch\nTensor\n";
  const subclass = `ctorch._tensor\n_rebuild_from_type_v2\n(${build}${args}}tR`;
  const notes = [".format_version", ".storage_alignment", "byteorder", "version"].map((name) => ({
    name: `a/${name}`,
    content: latin1(name === "byteorder" ? "little" : "3\n"),
  }));
  for (const body of [v3, parameter, subclass]) {
    const read = readBytes(zip([pickled(body), ...notes, storage("0", bytes)]));
    expect(read).toEqual(expect.objectContaining({ dtype: "int16", shape: [4], data: bytes }));
  }
});

describe("archives that lie are refused:", () => {
  const good = tensor("0", 4, [4], [1]);
  const floats = new Uint8Array(16);
  const cases: [string, readonly Part[], RegExp][] = [
    ["no pickle", [storage("0", floats)], /expected one <root>\/data\.pkl in the zip archive, got 0/],
    ["two roots", [pickled("N"), { name: "b/data.pkl", content: latin1("N.") }], /got 2/],
    ["two entries of one name", [pickled("N"), pickled("N")], /two entries named "a\/data\.pkl"/],
    ["no storage", [pickled(good)], /expected an entry a\/data\/0, got none/],
    [
      "a storage too short",
      [pickled(good), storage("0", floats.subarray(4))],
      /storage 0: expected 16 bytes, got 12/,
    ],
    [
      "a view too long",
      [pickled(tensor("0", 4, [5], [1])), storage("0", floats)],
      /\[5\], .* does not fit into its storage of 16/,
    ],
    ["a view too far", [pickled(tensor("0", 4, [2], [1], 3)), storage("0", floats)], /offset 3 does not fit/],
    [
      "a stride too long",
      [pickled(tensor("0", 4, [2], [4])), storage("0", floats)],
      /stride \[4\], .* does not fit/,
    ],
    [
      "a negative stride",
      [pickled(tensor("0", 4, [2], [-1])), storage("0", floats)],
      /expected a tensor of storage, offset/,
    ],
    [
      "a shape of many dimensions",
      [pickled(tensor("0", 4, Array(65).fill(1), Array(65).fill(1)))],
      /expected a tensor of storage, offset/,
    ],
    ["no stride", [pickled(tensor("0", 4, [2], [])), storage("0", floats)], /does not fit/],
    [
      "an absurd storage",
      [pickled(tensor("0", 2 ** 60, [4], [1])), storage("0", floats)],
      /expected a possible size/,
    ],
    ["an absurd empty shape", [pickled(tensor("0", 4, [0, 2 ** 40, 2 ** 40], [1, 1, 1]))], /does not fit/],
    [
      "an expanded view",
      [pickled(tensor("0", 4, [2 ** 40], [0])), storage("0", floats)],
      /expected at most \d+ bytes in memory/,
    ],
    [
      "a newer version",
      [pickled("N"), { name: "a/version", content: latin1("11\n") }],
      /format version up to 10, got "11"/,
    ],
    [
      "big-endian storages",
      [pickled("N"), { name: "a/byteorder", content: latin1("big") }],
      /little-endian storages, got "big"/,
    ],
    [
      "a long version",
      [pickled("N"), { name: "a/version", content: new Uint8Array(999) }],
      /at most 64 bytes, got 999/,
    ],
    [
      "an encrypted entry",
      [pickled(good), storage("0", floats, { claims: { flags: 1 } })],
      /a\/data\/0 is encrypted/,
    ],
    [
      "another method",
      [pickled(good), storage("0", floats, { claims: { method: 12 } })],
      /stored or deflated, got method 12/,
    ],
    [
      "a size beyond the file",
      [pickled(good), storage("0", floats, { claims: { size: 9e8, compressedSize: 9e8 } })],
      /entries overlap/,
    ],
    [
      "a place beyond the file",
      [pickled(good), storage("0", floats, { claims: { headerOffset: 9e8 } })],
      /expected bytes 900000000 to/,
    ],
    [
      "a place that is none",
      [pickled(good), storage("0", floats, { claims: { headerOffset: 1 } })],
      /expected its header at byte 1/,
    ],
    [
      "64-bit sizes missing",
      [pickled(good), storage("0", floats, { claims: { size: 0xffffffff } })],
      /expected 64-bit sizes/,
    ],
  ];
  test.each(cases)("%s", (_, parts, message) => {
    expect(() => readBytes(zip(parts))).toThrow(FileFormatError);
    expect(() => readBytes(zip(parts))).toThrow(message);
  });

  test("a wrong checksum", () => {
    const bytes = zip([pickled(good), storage("0", floats)]);
    bytes[bytes.indexOf("a/data/0") + 10] = 1;
    expect(() => readBytes(bytes)).toThrow(/a\/data\/0: expected bytes with the checksum/);
  });

  test("a checksum of 0 among others", () => {
    const bytes = zip([pickled(good), storage("0", floats, { claims: { crc: 0 } })]);
    expect(() => readBytes(bytes)).toThrow(
      /a\/data\/0: expected bytes with the checksum of the zip directory, got others; the archive is truncated or damaged/,
    );
  });

  test("deflated entries that all have a checksum of 0, which PyTorch never writes", () => {
    const lie = { deflated: true, claims: { crc: 0 } };
    const bytes = zip([{ ...pickled(good), ...lie }, storage("0", floats, lie)]);
    expect(() => readBytes(bytes)).toThrow(/a\/data\.pkl: expected bytes with the checksum/);
  });

  test("an archive without checksums that was cut off or whose structure was changed", () => {
    const bytes = golden("zip-no-checksums.pth");
    expect(() => readBytes(bytes.subarray(0, -40))).toThrow(/truncated or damaged: fetch it again/);
    const pickle = Buffer.from(bytes);
    pickle[pickle.indexOf("ctorch._utils")] = 0x7f;
    expect(() => readBytes(pickle)).toThrow(/the pickle is damaged near byte/);
  });

  test("a 64-bit directory at the end of the world", () => {
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50, 0);
    locator.writeBigUInt64LE(2n ** 62n, 8);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    expect(() => readBytes(Buffer.concat([latin1("PK"), locator, end]))).toThrow(
      /expected bytes 46116860184273\d+ to /,
    );
  });

  test("a directory of more entries than it has bytes", () => {
    const bytes = zip([pickled("N")]);
    bytes.writeUInt16LE(60_000, bytes.length - 12);
    expect(() => readBytes(bytes)).toThrow(/got 60000 entries in \d+ bytes/);
  });
});

describe("memory stays bounded:", () => {
  const refusesWithin = (bytes: Uint8Array, message: RegExp, limit: number) => {
    writeFileSync(path, bytes);
    const before = process.memoryUsage().rss;
    expect(() => readPth(path)).toThrow(message);
    expect(process.memoryUsage().rss - before).toBeLessThan(limit);
  };
  const zeros = new Uint8Array(256 * 2 ** 20);

  test("a zip bomb is refused before it is inflated", () => {
    const bomb = zip([
      pickled(tensor("0", 2 ** 26, [2 ** 26], [1])),
      storage("0", zeros, { deflated: true }),
    ]);
    expect(bomb.length).toBeLessThan(2 ** 19);
    refusesWithin(
      bomb,
      /expected at most \d+ bytes in memory .* the inflated entry a\/data\/0/,
      32 * 2 ** 20,
    );
  });

  test("a zip bomb that claims to be small is cut off", () => {
    const lie = { deflated: true, claims: { size: 2 ** 20 } };
    const bomb = zip([pickled(tensor("0", 4, [4], [1])), storage("0", zeros, lie)]);
    refusesWithin(bomb, /expected deflated data of 1048576 bytes/, 64 * 2 ** 20);
  });

  test("a pickle bomb is refused by its size", () => {
    const bomb = zip([{ name: "a/data.pkl", content: zeros, deflated: true }]);
    refusesWithin(bomb, /a\/data\.pkl: expected at most 67108864 bytes, got 268435456/, 32 * 2 ** 20);
  });

  test("entries laid over each other are refused", () => {
    const count = 200;
    const content = new Uint8Array(2 ** 20);
    const keys = Array.from({ length: count }, (_, i) => String(i));
    const tensors = keys.map((key) => tensor(key, 4, [4], [1])).join("");
    const pickle = pickled(`(${tensors}l`);
    const place = 30 + pickle.name.length + pickle.content.length;
    const claims = {
      headerOffset: place,
      size: content.length,
      compressedSize: content.length,
      crc: crc32(content),
    };
    const aliases = keys.slice(1).map((key) => ({ ...storage(key, new Uint8Array(0)), claims }));
    refusesWithin(
      zip([pickle, storage("0", content), ...aliases]),
      /refuses a zip archive whose entries overlap/,
      64 * 2 ** 20,
    );
  });

  test("a list grown by sharing is never printed or counted out", () => {
    // Each DUP TUPLE2 doubles what it would take to write the list down: 2^150 items here.
    const doubling = `]${"2\x86".repeat(150)}`;
    const count = `${tuple(text("storage"), "ctorch\nFloatStorage\n", text("0"), text("cpu"), doubling)}Q`;
    expect(() => readBytes(zip([pickled(count)]))).toThrow(
      /expected a possible size, got a list of 2 elements/,
    );
    const encoded = `c_codecs\nencode\n${text("a")}${doubling}\x86R`;
    expect(() => readBytes(zip([pickled(encoded)]))).toThrow(
      /latin-1 text for bytes, got a string in a list of 2/,
    );
    expect(readBytes(zip([pickled(doubling)]))).toHaveLength(2);
  });

  test("many expanded views of one storage are refused together", () => {
    const views = tensor("0", 1, [2 ** 22], [0]).repeat(8);
    refusesWithin(
      zip([pickled(`(${views}l`), storage("0", new Uint8Array(4))]),
      /bytes in memory/,
      128 * 2 ** 20,
    );
  });
});

describe("the older format:", () => {
  const preamble =
    "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}U\x0dlittle_endian\x88s.";
  const body = tensor("0", 4, [4], [1]).replace(`${int(4)}t`, `${int(4)}Nt`);
  const file = (keys: string, rest: Uint8Array | string) =>
    Buffer.concat([latin1(`${preamble}\x80\x02${body}.\x80\x02${keys}.`), Buffer.from(rest)]);
  const counted = (count: bigint, bytes: number) => {
    const storage = Buffer.alloc(8 + bytes);
    storage.writeBigUInt64LE(count, 0);
    return storage;
  };
  const keys = `]${text("0")}a`;

  test("the files built here are good ones", () => {
    expect(isRawTensor(readBytes(file(keys, counted(4n, 16))))).toBe(true);
  });

  test.each([
    [
      "a storage beyond the file",
      file(keys, counted(2n ** 60n, 16)),
      /storage 0 has 1152921504606846976 elements/,
    ],
    ["a storage cut off", file(keys, counted(4n, 15)), /storage 0 has 4 elements, more than the file holds/],
    ["a storage too short", file(keys, counted(3n, 12)), /storage 0: expected 16 bytes, got 12/],
    ["no storage", file("]", ""), /expected storage 0 behind the pickle, got none/],
    [
      "a storage twice",
      file(`]${text("0")}a${text("0")}a`, counted(4n, 99)),
      /list of storages and the pickle disagree/,
    ],
    [
      "a storage too many",
      file(`]${text("1")}a`, counted(4n, 16)),
      /list of storages and the pickle disagree/,
    ],
    ["no list", file("N", ""), /expected the list of storages/],
    [
      "a global in the list",
      file("cos\nsystem\n", ""),
      /expected plain numbers and text here, got the global os\.system/,
    ],
    ["another magic number", Buffer.from("\x80\x02N.", "latin1"), /got another pickle/],
    [
      "a version grown by sharing",
      latin1(preamble.replace("M\xe9\x03", `]${"2\x86".repeat(150)}`)),
      /protocol version 1001, got a list of 2/,
    ],
    ["another version", latin1(preamble.replace("\xe9\x03", "\xea\x03")), /protocol version 1001, got 1002/],
    ["a big-endian machine", latin1(preamble.replace("\x88s", "\x89s")), /a little-endian machine/],
  ])("%s is refused", (_, bytes, message) => {
    expect(() => readBytes(bytes)).toThrow(FileFormatError);
    expect(() => readBytes(bytes)).toThrow(message);
  });

  test("a pickled module is refused", () => {
    const module = `${tuple(text("module"), "N", "N", "N")}Q`;
    expect(() => readBytes(latin1(`${preamble}\x80\x02${module}.`))).toThrow(
      /refuses a whole pickled module/,
    );
  });

  test("the tar format before it is refused by name", () => {
    const tar = Buffer.alloc(1024);
    tar.write("storages", 0);
    tar.write("ustar", 257);
    expect(() => readBytes(tar)).toThrow(/refuses the tar format .* torch\.save\(\)/);
  });
});

const FILES = ["zip-views", "zip-mmsegmentation", "zip-deflated", "legacy-views", "legacy-mmsegmentation"];

describe.each(FILES)("%s, damaged, never crashes:", (name) => {
  const whole = golden(`${name}.pth`);

  test("cut off", () => {
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (length) => {
        expect(readOrRefuse(whole.subarray(0, length))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test("bytes changed", () => {
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

test("a pickle with bytes changed, in an archive whose checksums are right, never crashes", () => {
  const whole = golden("legacy-mmsegmentation.pth");
  const pickle = whole.subarray(whole.indexOf(latin1("\x80\x02}q\x00(X\x04\x00\x00\x00meta")));
  const change = fc.tuple(fc.nat(pickle.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const bytes = Buffer.from(pickle);
      for (const [at, value] of changes) bytes[at] = value;
      readOrRefuse(zip([{ name: "a/data.pkl", content: bytes }]));
    }),
    { numRuns: 300 },
  );
});
