import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ops, tensor } from "@armseg/torch";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadTensors, savePth } from "../tensor-files.ts";
import { FileAccessError } from "./file-errors.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "armseg-pth-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function tensors() {
  return [
    [
      "layer.weight",
      ops.arange(24).reshape([2, 3, 2, 2]).to("cpu", "float32").contiguous({ memoryFormat: "channels_last" }),
    ],
    ["layer.half", tensor([0.5, -2], { dtype: "float16" })],
    ["layer.num_batches_tracked", tensor(7, { dtype: "int64" })],
    ["empty", ops.zeros([0, 3])],
    ["größe", tensor([true, false], { dtype: "bool" })],
  ] as const;
}

test("a state dict that is written is read back: names, dtypes, shapes, values", async () => {
  const path = join(folder, "model.pth");
  const written = tensors();
  await savePth(path, written);
  const read = loadTensors(path);
  expect([...read.keys()]).toEqual(written.map(([name]) => name));
  for (const [name, expected] of written) {
    const found = read.get(name)!;
    expect([found.dtype, found.shape, found.toArray()]).toEqual([
      expected.dtype,
      expected.shape,
      expected.toArray(),
    ]);
  }
  expect(readdirSync(folder)).toEqual(["model.pth"]);
});

test("a folder that is missing is named, and nothing is left behind", async () => {
  const path = join(folder, "none", "model.pth");
  await expect(savePth(path, tensors())).rejects.toThrow(FileAccessError);
  await expect(savePth(path, tensors())).rejects.toThrow(/none\/model\.pth: cannot be written/);
  expect(existsSync(join(folder, "none"))).toBe(false);
});

const PYTHON = process.env.ARMSEG_PYTHON ?? "python3";

function hasTorch(): boolean {
  try {
    execFileSync(PYTHON, ["-c", "import torch"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!hasTorch())("PyTorch loads it, as a file of strangers", async () => {
  const path = join(folder, "model.pth");
  await savePth(path, tensors());
  const script = `
import sys, torch, inspect
safe = {"weights_only": True} if "weights_only" in inspect.signature(torch.load).parameters else {}
state = torch.load(sys.argv[1], **safe)
assert list(state) == ["layer.weight", "layer.half", "layer.num_batches_tracked", "empty", "größe"], list(state)
assert torch.equal(state["layer.weight"], torch.arange(24.).reshape(2, 3, 2, 2))
assert state["layer.half"].dtype == torch.float16 and state["layer.half"].tolist() == [0.5, -2]
assert state["layer.num_batches_tracked"].item() == 7 and state["empty"].shape == (0, 3)
assert state["größe"].tolist() == [True, False]
`;
  execFileSync(PYTHON, ["-c", script, path], { stdio: "pipe" });
});
