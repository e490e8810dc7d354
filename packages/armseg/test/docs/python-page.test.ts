import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KERNELS } from "@armseg/kernels";
import { builtLibrary } from "@armseg/torch/setup";
import { exportOnnx } from "armseg/export";
import { savePthWeights, segmenter } from "armseg/networks";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testMetadata } from "../../src/export/testing/metadata.ts";
import { snippets } from "./snippets.ts";

/** The page's Python: `ARMSEG_PYTHON`, or the first of these that can run a snippet. */
const PYTHONS = [process.env.ARMSEG_PYTHON, "python3", "/usr/bin/python3"].filter(
  (path) => path !== undefined,
);
const scripts = snippets()
  .filter(({ place, language }) => place.startsWith("docs/python.md") && language === "python")
  .map(({ place, text }) => [place, text] as const);
const environment = { ...process.env, ARMSEG_KERNELS_LIBRARY: builtLibrary(KERNELS) };
const folder = mkdtempSync(join(tmpdir(), "armseg-python-"));

beforeAll(async () => {
  using network = segmenter({ backbone: "mobilenetV2", stages: 2, head: "fcn", headChannels: 4, classes: 2 });
  await exportOnnx(network, join(folder, "model.onnx"), testMetadata(2, { output: "classes" }));
  await savePthWeights(network, join(folder, "model.pth"));
  const raw = { width: 60, height: 40, channels: 3 } as const;
  writeFileSync(
    join(folder, "photo.png"),
    await sharp(Buffer.alloc(60 * 40 * 3, 90), { raw })
      .png()
      .toBuffer(),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Returns a Python that has what a script imports and can load the kernels where it does, or undefined. */
function pythonFor(script: string): string | undefined {
  const imports = script.split("\n").filter((line) => /^(import|from) |load_library/.test(line));
  return PYTHONS.find((python) => {
    try {
      execFileSync(python, ["-c", imports.join("\n")], { stdio: "ignore", env: environment });
      return true;
    } catch {
      return false;
    }
  });
}

test.each(scripts)("%s runs", (place, script) => {
  const python = pythonFor(script);
  if (!python) {
    console.warn(`skipped: ${place}, as no Python has what it imports (ARMSEG_PYTHON names one)`);
    return;
  }
  const run = spawnSync(python, ["-c", script], { cwd: folder, env: environment, encoding: "utf8" });
  expect(run.status, run.stderr).toBe(0);
});

test("the page has three", () => {
  expect(scripts).toHaveLength(3);
});
