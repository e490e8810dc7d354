import type { AutocastType, Diagnosis } from "./diagnose.ts";

const BACKENDS = { cpu: "Gloo (CPU)", cuda: "NCCL (CUDA)" } as const;

function autocastText({ dtype, speedup }: AutocastType): string {
  const comparison =
    speedup >= 1
      ? `${speedup.toFixed(1)} times as fast as float32`
      : `${(1 / speedup).toFixed(1)} times slower than float32`;
  return `${dtype} (${comparison})`;
}

function testedText({ version, tested }: Diagnosis["libtorch"]): string {
  const isTested = tested.some((one) => version.startsWith(`${one}.`));
  return `libtorch ${tested.join(", ")}${isTested ? "" : "; not with this one"}`;
}

/** Returns name and value of each fact of a diagnosis but Node's version. */
export function diagnosisRows(diagnosis: Diagnosis): [string, string][] {
  const { libtorch, threads, blas, rates } = diagnosis;
  return [
    ["libtorch", `${libtorch.version}  ${libtorch.path ?? ""}`],
    ["tested with", testedText(libtorch)],
    ["processor", diagnosis.processor],
    ["devices", diagnosis.devices.join(", ")],
    ["threads", `${threads.used} of ${threads.available}`],
    ["BLAS", `${blas.name}${blas.path ? `  ${blas.path}` : ""}`],
    ["matrix product", `${rates.matrixProduct.toFixed(0)} GFLOP/s`],
    ["3x3 convolution", `${rates.convolution.toFixed(0)} GFLOP/s`],
    ...Object.entries(diagnosis.autocast).map(([device, types]): [string, string] => [
      `autocast ${device}`,
      types.map(autocastText).join(", ") || "none",
    ]),
    ["processes", diagnosis.processGroups.map((device) => BACKENDS[device]).join(", ") || "one only"],
  ];
}

/** Formats the diagnosis as lines for a terminal. */
export function formatDiagnosis(diagnosis: Diagnosis): string {
  const rows = [["Node", diagnosis.node] as const, ...diagnosisRows(diagnosis)];
  const facts = rows.map(([name, value]) => `${name.padEnd(16)}${value}`);
  const problems = diagnosis.problems.map(({ what, remedy }) => `! ${what}\n  ${remedy}`);
  return [...facts, "", ...(problems.length > 0 ? problems : ["Nothing is wrong."])].join("\n");
}
