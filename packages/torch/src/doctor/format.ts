import type { Diagnosis } from "./diagnose.ts";

const BACKENDS = { cpu: "Gloo (CPU)", cuda: "NCCL (CUDA)" } as const;

/** The diagnosis as lines for a terminal. */
export function formatDiagnosis(diagnosis: Diagnosis): string {
  const { libtorch, threads, blas, rates } = diagnosis;
  const rows: [string, string][] = [
    ["Node", diagnosis.node],
    ["libtorch", `${libtorch.version}  ${libtorch.path ?? ""}`],
    ["processor", diagnosis.processor],
    ["devices", diagnosis.devices.join(", ")],
    ["threads", `${threads.used} of ${threads.available}`],
    ["BLAS", `${blas.name}${blas.path ? `  ${blas.path}` : ""}`],
    ["matrix product", `${rates.matrixProduct.toFixed(0)} GFLOP/s`],
    ["3x3 convolution", `${rates.convolution.toFixed(0)} GFLOP/s`],
    ...Object.entries(diagnosis.autocast).map(([device, types]): [string, string] => [
      `autocast ${device}`,
      types.join(", ") || "none",
    ]),
    ["processes", diagnosis.processGroups.map((device) => BACKENDS[device]).join(", ") || "one only"],
  ];
  const facts = rows.map(([name, value]) => `${name.padEnd(16)}${value}`);
  const problems = diagnosis.problems.map(({ what, remedy }) => `! ${what}\n  ${remedy}`);
  return [...facts, "", ...(problems.length > 0 ? problems : ["Nothing is wrong."])].join("\n");
}
