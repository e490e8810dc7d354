/** The process of one job; `job-in-process.ts` starts it and speaks to it. */
import { setThreads } from "@armseg/torch";
import type { JobReport, StartMessage, StopMessage } from "./job-in-process.ts";
import { runJob } from "./run-job.ts";

const stop = new AbortController();

async function reportOf({ job, folder, threads, isShown }: StartMessage): Promise<JobReport> {
  try {
    if (threads !== null) setThreads(threads);
    const stream = isShown ? process.stderr : null;
    return { outcome: await runJob(job, { folder, signal: stop.signal, stream }) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

process.on("message", async (message: StartMessage | StopMessage) => {
  if (message.kind === "stop") return stop.abort();
  const report = await reportOf(message);
  if (!process.connected) return;
  process.send?.(report, () => process.disconnect());
});

// The grid is gone: stop in order, so that the run can be resumed.
process.on("disconnect", () => stop.abort());
