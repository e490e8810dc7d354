import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Job, Outcome } from "./job.ts";

/** The first message to a job's process. */
export interface StartMessage {
  readonly kind: "start";
  readonly job: Job;
  /** Of the experiment. */
  readonly folder: string;
  /** Threads of one operator; `null` for libtorch's own choice. */
  readonly threads: number | null;
  /** Whether the progress of the training is shown. */
  readonly isShown: boolean;
}

/** Asks a job's process to stop in order. */
export interface StopMessage {
  readonly kind: "stop";
}

/** The one message back. */
export type JobReport = { readonly outcome: Outcome } | { readonly error: string };

export interface ProcessOptions {
  /** Of the experiment. */
  readonly folder: string;
  readonly signal?: AbortSignal;
  /** Threads of one operator; `null` for libtorch's own choice. */
  readonly threads: number | null;
  /** Whether the progress of the training is shown on standard error. */
  readonly isShown: boolean;
}

/** TypeScript as it is, while this file is; JavaScript once it is built. */
const IS_SOURCE = import.meta.url.endsWith(".ts");
const PROGRAM = fileURLToPath(new URL(IS_SOURCE ? "./job-process.ts" : "./job-process.js", import.meta.url));

/**
 * Runs a job in a process of its own: jobs run side by side without sharing generators and threads, and one that is killed
 * (for want of memory, say) takes none with it.
 *
 * @throws If the job fails, or its process ends without a word.
 */
export function runJobInProcess(
  job: Job,
  { folder, signal, threads, isShown }: ProcessOptions,
): Promise<Outcome> {
  const child = fork(PROGRAM, {
    execArgv: IS_SOURCE ? ["--import", "tsx", "--conditions=@armseg/source"] : [],
    // A group of its own: Ctrl-C on the terminal comes to the grid alone, which passes it on once.
    detached: true,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    ...(threads !== null && { env: { ...process.env, OMP_NUM_THREADS: String(threads) } }),
  });
  const stop = () => child.send({ kind: "stop" } satisfies StopMessage);
  signal?.addEventListener("abort", stop, { once: true });
  child.send({ kind: "start", job, folder, threads, isShown } satisfies StartMessage);
  return new Promise<Outcome>((resolve, reject) => {
    let report: JobReport | undefined;
    child.on("message", (message) => {
      report = message as JobReport;
    });
    child.on("error", reject);
    child.on("exit", (code, name) => {
      signal?.removeEventListener("abort", stop);
      if (!report)
        reject(new Error(`the process of ${job.entry}, seed ${job.seed}, ended with ${name ?? code}`));
      else if ("error" in report) reject(new Error(report.error));
      else resolve(report.outcome);
    });
  });
}
