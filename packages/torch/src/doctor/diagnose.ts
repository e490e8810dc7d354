import { availableParallelism, cpus } from "node:os";
import { processGroupDevices } from "../distributed/index.ts";
import type { Device, DType } from "../dtype.ts";
import { buildInfo, door } from "../native/load.ts";
import { type Blas, findBlas } from "./blas.ts";
import { convolutionSpeedup, measureRates, type Rates } from "./rates.ts";

/** Something that is wrong or slow, and how to mend it. */
export interface Problem {
  readonly what: string;
  readonly remedy: string;
}

/** A type that a convolution under autocast can run in. */
export interface AutocastType {
  readonly dtype: DType;
  /** Times as fast as float32, measured now. */
  readonly speedup: number;
}

/** What the engine stands on, here and now. */
export interface Diagnosis {
  readonly node: string;
  readonly libtorch: {
    readonly version: string;
    readonly path: string | null;
    readonly builtAgainst: string | null;
  };
  readonly processor: string;
  readonly devices: readonly Device[];
  readonly threads: { readonly used: number; readonly available: number };
  readonly blas: Blas;
  /** 10^9 floating-point operations a second on the CPU, measured now. */
  readonly rates: Rates;
  /** Of reduced precision, by device. */
  readonly autocast: Readonly<Record<string, readonly AutocastType[]>>;
  /** What several processes can send each other: tensors of the CPU through Gloo, of GPUs through NCCL. */
  readonly processGroups: readonly ("cpu" | "cuda")[];
  readonly problems: readonly Problem[];
}

/** Below this a thread, no tuned BLAS of the last fifteen years is at work. */
const SLOW_GIGAFLOPS_A_THREAD = 5;

function devices(): Device[] {
  const cuda = door.hasCuda() ? Array.from({ length: door.cudaDeviceCount() }, (_, i) => `cuda:${i}`) : [];
  return ["cpu", ...cuda];
}

function autocastTypes(device: Device): AutocastType[] {
  const candidates: DType[] = device === "cpu" ? ["bfloat16"] : ["bfloat16", "float16"];
  return candidates.flatMap((dtype) => {
    try {
      return [{ dtype, speedup: convolutionSpeedup(dtype, device) }];
    } catch {
      return []; // no such convolution here
    }
  });
}

function blasProblems(blas: Blas, rates: Rates, threads: number): Problem[] {
  const remedy =
    "install OpenBLAS (sudo apt-get install libopenblas0-pthread), or use a libtorch that brings MKL: LIBTORCH=/path npm run setup";
  if (blas.name === "reference BLAS") {
    return [
      {
        what: `libtorch multiplies matrices with the reference BLAS (${blas.path}), about ten times too slow`,
        remedy,
      },
    ];
  }
  const rate = rates.matrixProduct / threads;
  if (rate >= SLOW_GIGAFLOPS_A_THREAD) return [];
  return [
    { what: `a matrix product runs at ${rate.toFixed(1)} GFLOP/s a thread; 20 or more is usual`, remedy },
  ];
}

function threadProblems(used: number, available: number): Problem[] {
  if (used >= available) return [];
  return [
    {
      what: `libtorch uses ${used} of ${available} processors`,
      remedy: process.env.OMP_NUM_THREADS
        ? `unset OMP_NUM_THREADS (it is ${process.env.OMP_NUM_THREADS})`
        : `call setThreads(${available})`,
    },
  ];
}

function versionProblems(loaded: string, built: string | null): Problem[] {
  if (built === null || built === loaded) return [];
  return [
    { what: `the door was built against libtorch ${built}, ${loaded} is loaded`, remedy: "npm run setup" },
  ];
}

/** Looks at libtorch, its devices, threads and BLAS, measures it, and says what is wrong. Takes about a second. */
export function diagnose(): Diagnosis {
  const blas = findBlas(door.buildConfiguration());
  const rates = measureRates();
  const threads = { used: door.threads(), available: availableParallelism() };
  const builtAgainst = buildInfo()?.version ?? null;
  const found = devices();
  return {
    node: process.versions.node,
    libtorch: { version: door.version(), path: door.libraryPath(), builtAgainst },
    processor: cpus()[0]?.model.trim() ?? "unknown",
    devices: found,
    threads,
    blas,
    rates,
    autocast: Object.fromEntries(found.map((device) => [device, autocastTypes(device)])),
    processGroups: processGroupDevices(),
    problems: [
      ...versionProblems(door.version(), builtAgainst),
      ...threadProblems(threads.used, threads.available),
      ...blasProblems(blas, rates, threads.used),
    ],
  };
}
