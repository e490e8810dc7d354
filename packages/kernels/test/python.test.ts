import { execFileSync, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { builtLibrary, libtorchInUse } from "@armseg/torch/setup";
import { describe, expect, test } from "vitest";
import { KERNELS } from "../src/library.ts";

const library = builtLibrary(KERNELS);
/** Where CMake builds the emulation, for the libtorch in use. */
const emulation = fileURLToPath(new URL(`../build/emulation-${libtorchInUse().version}`, import.meta.url));

/** The first Python whose PyTorch can load the library, or undefined: another libtorch's library does not load. */
function findPython(): string | undefined {
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
  const environment = {
    ...process.env,
    ARMSEG_KERNELS_LIBRARY: library,
    ARMSEG_EMULATED_LIBRARY: join(emulation, "libarmseg_emulated.so"),
    OMP_NUM_THREADS: "2",
  };
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
      const stdio = ["ignore", "ignore", "inherit"] as const;
      const libtorch = dirname(libtorchInUse().include);
      const configure = ["-S", KERNELS.sources, "-B", emulation, `-DLIBTORCH=${libtorch}`];
      execFileSync("cmake", configure, { stdio: [...stdio] });
      execFileSync("cmake", ["--build", emulation, "--target", "armseg_emulated"], { stdio: [...stdio] });
      runScript("test_emulated.py");
    },
    900_000,
  );
});
