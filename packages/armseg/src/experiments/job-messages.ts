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
