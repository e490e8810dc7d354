import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const library =
  process.env.ARMSEG_KERNELS_LIBRARY ??
  fileURLToPath(new URL("../native/build/libarmseg_kernels.so", import.meta.url));

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

function runScript(name: string): void {
  const script = fileURLToPath(new URL(`./python/${name}`, import.meta.url));
  const environment = { ...process.env, ARMSEG_KERNELS_LIBRARY: library, OMP_NUM_THREADS: "2" };
  const run = spawnSync(python ?? "", [script], { env: environment, encoding: "utf8" });
  expect(run.status, run.stderr).toBe(0);
}

describe("the kernels as a PyTorch library", () => {
  test.skipIf(!python)(
    "agree with the composed float64 loss, on every instruction set",
    () => runScript("test_kernels.py"),
    300_000,
  );
});

describe("the CUDA kernels without a GPU", () => {
  test.skipIf(!python)("are found, compiled and kept", () => runScript("test_loading.py"), 120_000);

  test.skipIf(!python)(
    "agree with the composed float64 loss when emulated",
    () => {
      const build = ["--build", dirname(library), "--target", "armseg_emulated"];
      execFileSync("cmake", build, { stdio: ["ignore", "ignore", "inherit"] });
      runScript("test_emulated.py");
    },
    900_000,
  );
});
