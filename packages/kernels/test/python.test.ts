import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const library =
  process.env.ARMSEG_KERNELS_LIBRARY ??
  fileURLToPath(new URL("../native/build/libarmseg_kernels.so", import.meta.url));
const script = fileURLToPath(new URL("./python/test_kernels.py", import.meta.url));

/** The first Python whose PyTorch can load the library, or undefined: another libtorch's library does not load. */
function findPython(): string | undefined {
  if (!existsSync(library)) return undefined;
  return ["python3", "/usr/bin/python3"].find((python) => {
    try {
      execFileSync(python, ["-c", `import torch; torch.ops.load_library(${JSON.stringify(library)})`], {
        stdio: "ignore",
      });
      return true;
    } catch {
      return false;
    }
  });
}

const python = findPython();
if (!python) {
  console.warn(`skipped: the kernels' Python tests need ${library} and a python3 with the same libtorch`);
}

describe("the kernels as a PyTorch library", () => {
  test.skipIf(!python)(
    "agree with the composed float64 loss, on every instruction set",
    () => {
      const environment = { ...process.env, ARMSEG_KERNELS_LIBRARY: library, OMP_NUM_THREADS: "2" };
      const run = spawnSync(python ?? "", [script], { env: environment, encoding: "utf8" });
      expect(run.status, run.stderr).toBe(0);
    },
    300_000,
  );
});
