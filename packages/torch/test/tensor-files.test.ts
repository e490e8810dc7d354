import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import {
  loadSafetensors,
  loadTensors,
  ops,
  saveSafetensors,
  type Tensor,
  tensor,
  tidy,
} from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "armseg-"));
afterAll(() => rmSync(folder, { recursive: true }));

const golden = (name: string): string => fileURLToPath(new URL(`../src/io/golden/${name}`, import.meta.url));

describe("safetensors", () => {
  test("tensors of every kind come back as they were, by name and in order", () => {
    tidy(() => {
      const path = join(folder, "all.safetensors");
      const tensors = new Map<string, Tensor>([
        ["wide", ops.randn([3, 4], { dtype: "float64" })],
        ["channels last", ops.randn([2, 3, 4, 5]).contiguous({ memoryFormat: "channels_last" })],
        ["bf16", ops.randn([7]).to("bfloat16")],
        ["half", ops.randn([7]).to("float16")],
        ["flags", tensor([1, 0, 1], { dtype: "bool" })],
        ["counter", tensor(BigInt64Array.of(2n ** 60n))],
        ["scalar", tensor(3.5)],
        ["nothing", ops.zeros([0, 3])],
      ]);
      saveSafetensors(path, tensors, [["note", "for a test"]]);
      const loaded = loadSafetensors(path);
      expect([...loaded.tensors.keys()].sort()).toEqual([...tensors.keys()].sort());
      for (const [name, value] of tensors) {
        const back = loaded.tensors.get(name)!;
        expect([name, back.dtype, back.shape]).toEqual([name, value.dtype, value.shape]);
        expect(back.equal(value.contiguous()), name).toBe(true);
      }
      expect(loaded.metadata.get("note")).toBe("for a test");
    });
  });

  test("changing a loaded tensor leaves the file alone", () => {
    tidy(() => {
      const path = join(folder, "copy-on-write.safetensors");
      saveSafetensors(path, [["x", tensor([1, 2])]]);
      const before = readFileSync(path);
      loadSafetensors(path).tensors.get("x")!.mul_(100);
      expect(readFileSync(path).equals(before)).toBe(true);
    });
  });
});

describe("loadTensors", () => {
  test.each(["zip-mmsegmentation.pth", "legacy-mmsegmentation.pth"])(
    "reads %s without executing anything",
    (name) => {
      expect(existsSync(golden(name))).toBe(true);
      tidy(() => {
        const tensors = loadTensors(golden(name));
        expect(tensors.size).toBeGreaterThan(0);
        for (const value of tensors.values()) expect(value.isContiguous()).toBe(true);
      });
    },
  );

  test("names a file that is neither", () => {
    const path = join(folder, "text.pth");
    writeFileSync(path, "this is not a checkpoint");
    expect(() => loadTensors(path)).toThrow(path);
    expect(() => loadTensors(folder)).toThrow(/expected a file, got the folder/);
  });
});
