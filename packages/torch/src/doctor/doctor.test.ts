import { expect, test } from "vitest";
import { manualSeed } from "../random.ts";
import { setThreads } from "../runtime.ts";
import { tidy } from "../scope.ts";
import { ops } from "../tensor.ts";
import { type Diagnosis, diagnose, findBlas } from "./diagnose.ts";
import { formatDiagnosis } from "./format.ts";
import { convolutionSpeedup } from "./rates.ts";

test("tells what the engine stands on", () => {
  const diagnosis = diagnose();
  expect(diagnosis.libtorch.version).toBe(diagnosis.libtorch.builtAgainst);
  expect(diagnosis.libtorch.path).toMatch(/libtorch_cpu/);
  expect(diagnosis.devices).toContain("cpu");
  expect(diagnosis.rates.matrixProduct).toBeGreaterThan(0.1);
  expect(diagnosis.rates.convolution).toBeGreaterThan(0.1);
});

test("warns of idle processors, with the remedy", () => {
  const { available } = diagnose().threads;
  setThreads(available + 1);
  expect(diagnose().problems.filter(({ what }) => what.includes("processors"))).toEqual([]);
  setThreads(1);
  const expected = available > 1 ? [`libtorch uses 1 of ${available} processors`] : [];
  expect(
    diagnose()
      .problems.map(({ what }) => what)
      .filter((what) => what.includes("processors")),
  ).toEqual(expected);
  setThreads(available);
});

test("measuring a dtype takes no random numbers", () => {
  const draw = (measure: boolean) => {
    manualSeed(7);
    if (measure) expect(convolutionSpeedup("float64")).toBeGreaterThan(0);
    return tidy(() => ops.rand([4]).toArray());
  };
  expect(draw(true)).toEqual(draw(false));
});

test("falls back on the build configuration for a BLAS that is linked in", () => {
  expect(["OpenBLAS", "MKL", "BLIS", "reference BLAS"]).toContain(findBlas("BLAS_INFO=mkl").name);
});

test("prints problems with their remedies", () => {
  const diagnosis: Diagnosis = {
    node: "20.19.0",
    libtorch: {
      version: "1.13.0",
      path: "/usr/lib/libtorch_cpu.so",
      builtAgainst: "1.13.0",
      tested: ["2.1"],
    },
    processor: "a processor",
    devices: ["cpu"],
    threads: { used: 1, available: 2 },
    blas: { name: "OpenBLAS", path: null },
    rates: { matrixProduct: 100, convolution: 80 },
    autocast: { cpu: [{ dtype: "bfloat16", speedup: 0.25 }] },
    processGroups: ["cpu"],
    problems: [{ what: "something is slow", remedy: "fix it" }],
  };
  expect(formatDiagnosis(diagnosis)).toMatch(
    /tested with +libtorch 2\.1; not with this one[\s\S]*threads +1 of 2[\s\S]*bfloat16 \(4\.0 times slower than float32\)[\s\S]*processes +Gloo \(CPU\)[\s\S]*! something is slow\n {2}fix it$/,
  );
});
