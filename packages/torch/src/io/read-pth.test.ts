import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FileAccessError, FileFormatError } from "./file-errors.ts";
import { InertObject } from "./pickle/values.ts";
import type { PthValue } from "./pth/tree.ts";
import { BYTES_PER_ELEMENT, isRawTensor, type RawTensor } from "./raw-tensor.ts";
import { readPth } from "./read-pth.ts";
import { stateDictOf } from "./state-dict-of.ts";

const folder = fileURLToPath(new URL("./golden/", import.meta.url));
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".pth"))
  .map((name) => name.slice(0, -4));

/** The value as the golden script describes it. */
function describeValue(value: PthValue): unknown {
  if (typeof value === "bigint") return { big: String(value) };
  if (typeof value === "number" && !Number.isFinite(value))
    return { float: Number.isNaN(value) ? "nan" : "inf" };
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("hex") };
  if (isRawTensor(value))
    return { tensor: [value.dtype, value.shape, Buffer.from(value.data).toString("hex")] };
  if (Array.isArray(value)) return { list: value.map(describeValue) };
  if (value instanceof Set) return { set: [...value].sort().map(describeValue) };
  if (value instanceof Map)
    return { dict: [...value].map(([key, item]) => [describeValue(key), describeValue(item)]) };
  throw new TypeError(`unexpected ${value.className}`);
}

function readMap(name: string): Map<PthValue, PthValue> {
  const value = readPth(`${folder}${name}.pth`);
  if (!(value instanceof Map)) throw new TypeError(`${name} is no dict`);
  return value;
}

function tensorOf(value: PthValue | undefined): RawTensor {
  if (!isRawTensor(value)) throw new TypeError("no tensor");
  return value;
}

test.each(names.filter((name) => !name.startsWith("refused-")))("%s reads as Python sees it", (name) => {
  const expected = JSON.parse(readFileSync(`${folder}${name}.json`, "utf8"));
  expect(describeValue(readPth(`${folder}${name}.pth`))).toEqual(expected);
});

test.each(["zip-views", "legacy-views", "zip-deflated"])(
  "tensors of one storage of %s share its buffer, aligned",
  (name) => {
    const tree = readMap(name);
    const [base, rows, again] = ["base", "rows", "same_again"].map((key) => tensorOf(tree.get(key)));
    expect(rows!.data.buffer).toBe(base!.data.buffer);
    expect(rows!.data.byteOffset).toBe(base!.data.byteOffset + 6 * 4);
    expect(again!.data.buffer).toBe(base!.data.buffer);
    expect(tensorOf(tree.get("transposed")).data.buffer).not.toBe(base!.data.buffer);
    for (const tensor of tree.values()) {
      const { data, dtype } = tensorOf(tensor);
      expect(data.byteOffset % BYTES_PER_ELEMENT[dtype]).toBe(0);
    }
  },
);

test("the state dict of an mmsegmentation checkpoint is found", () => {
  for (const name of ["zip-mmsegmentation", "legacy-mmsegmentation"]) {
    const keys = [...stateDictOf(readMap(name)).keys()];
    expect(keys).toEqual([
      "0.weight",
      "0.bias",
      ..."weight bias running_mean running_var num_batches_tracked".split(" ").map((key) => `1.${key}`),
    ]);
  }
});

test("a key named __proto__ reaches no prototype", () => {
  const tree = readMap("zip-values");
  expect(tree.get("__proto__")).toEqual(new Map([["polluted", true]]));
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

describe("a file is refused by name:", () => {
  const cases: Record<string, RegExp> = {
    "os-system":
      /refuses the global posix\.system, .* nothing was run; do not open this file with torch\.load\(\)/,
    "os-system-legacy": /refuses the global posix\.system/,
    sparse: /refuses the global torch\._utils\._rebuild_sparse_tensor, .*to_dense/,
    quantized: /refuses the global torch\._utils\._rebuild_qtensor, .*dequantize/,
    complex: /refuses the global torch\.ComplexFloatStorage, .*view_as_real/,
    namespace: /refuses the global argparse\.Namespace, .*unknownGlobals: "inert"/,
    module: /refuses the global torch\.nn\.modules\.linear\.Linear/,
    cycle: /refuses a value that contains itself/,
    deep: /refuses values nested deeper than 200/,
    torchscript: /refuses a TorchScript program/,
    "plain-pickle": /expected a file of torch\.save\(\), got another pickle/,
  };

  test("every golden file of this kind is listed", () => {
    const found = names.filter((name) => name.startsWith("refused-")).map((name) => name.slice(8));
    expect(found.sort()).toEqual(Object.keys(cases).sort());
  });

  test.each(Object.entries(cases))("%s", (name, message) => {
    const path = `${folder}refused-${name}.pth`;
    expect(() => readPth(path)).toThrow(FileFormatError);
    expect(() => readPth(path)).toThrow(message);
    expect(() => readPth(path)).toThrow(`readPth(): ${path}: `);
  });

  test("and nothing of it has run", () => {
    for (const mode of ["refuse", "inert"] as const) {
      for (const name of ["os-system", "os-system-legacy"]) {
        try {
          readPth(`${folder}refused-${name}.pth`, { unknownGlobals: mode });
        } catch {}
      }
    }
    expect(existsSync("pth-was-executed")).toBe(false);
    expect(existsSync(`${folder}pth-was-executed`)).toBe(false);
  });
});

describe("with inert globals", () => {
  const inert = { unknownGlobals: "inert" } as const;

  test("objects of unknown classes become records beside the tensors", () => {
    const tree = readPth(`${folder}refused-namespace.pth`, inert) as Map<PthValue, PthValue>;
    const args = tree.get("args") as InertObject;
    expect(args).toBeInstanceOf(InertObject);
    expect(args.className).toBe("argparse.Namespace");
    expect(args.state).toEqual(
      new Map<string, unknown>([
        ["lr", 0.1],
        ["name", "r50"],
      ]),
    );
    expect([...stateDictOf(tree).keys()]).toEqual(["w"]);
  });

  test("calls become records too", () => {
    const tree = readPth(`${folder}refused-os-system.pth`, inert) as Map<PthValue, PthValue>;
    const call = tree.get("state_dict") as InertObject;
    expect([call.className, call.args]).toEqual(["posix.system", ["touch pth-was-executed"]]);
  });

  test("a sparse tensor becomes a record", () => {
    const tree = readPth(`${folder}refused-sparse.pth`, inert) as Map<PthValue, PthValue>;
    expect((tree.get("w") as InertObject).className).toBe("torch._utils._rebuild_sparse_tensor");
  });
});

test("files of other kinds are named as such", () => {
  expect(() => readPth(`${folder}tensors.safetensors`)).toThrow(/got neither; .*readSafetensors/);
  expect(() => readPth(`${folder}absent.pth`)).toThrow(FileAccessError);
  expect(() => readPth(folder)).toThrow(/expected a regular file/);
});
