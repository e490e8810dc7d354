/** Runs an ONNX model in a thread of its own, so that the thread that waits for it can do so without a promise. */
import { type MessagePort, workerData } from "node:worker_threads";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { PlainTensor, WorkerAnswer, WorkerSettings } from "./messages.ts";

interface Data extends WorkerSettings {
  readonly port: MessagePort;
  /** Set to 1 and notified when an answer has been posted. */
  readonly signal: Int32Array;
}

const { path, threads, port, signal } = workerData as Data;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function answer(message: WorkerAnswer): void {
  port.postMessage(message);
  Atomics.store(signal, 0, 1);
  Atomics.notify(signal, 0);
}

// Whoever waits sleeps, and would never hear of it otherwise.
process.on("uncaughtException", (error) => answer({ error: messageOf(error) }));

async function loadRuntime(): Promise<typeof import("onnxruntime-node") | null> {
  try {
    return await import("onnxruntime-node");
  } catch (error) {
    answer({ error: messageOf(error), isMissing: true });
    return null;
  }
}

function plain({ data, dims }: Tensor): PlainTensor {
  return { data: data as Float32Array | Uint8Array, dims };
}

async function serve(runtime: typeof import("onnxruntime-node"), session: InferenceSession): Promise<void> {
  port.on("message", async ({ data, dims }: PlainTensor) => {
    try {
      const images = new runtime.Tensor("float32", data as Float32Array, dims);
      const results = await session.run({ images });
      const outputs = Object.entries(results).map(
        ([name, tensor]) => [name, plain(tensor as Tensor)] as const,
      );
      answer({ outputs: Object.fromEntries(outputs) });
    } catch (error) {
      answer({ error: messageOf(error) });
    }
  });
}

const runtime = await loadRuntime();
if (runtime) {
  try {
    const session = await runtime.InferenceSession.create(path, {
      intraOpNumThreads: threads,
      logSeverityLevel: 4,
    });
    await serve(runtime, session);
    answer({ outputs: {} });
  } catch (error) {
    answer({ error: messageOf(error) });
  }
}
