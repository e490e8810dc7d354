import { createRequire } from "node:module";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { fromTypedArray, getThreads, type Tensor, tidy } from "@armseg/torch";
import { workerFile } from "../../pipeline/slot.ts";
import type { WorkerAnswer } from "./messages.ts";

/** ONNX Runtime is not installed: it is optional. */
export class RuntimeMissingError extends Error {
  override readonly name = "RuntimeMissingError";
  readonly code = "ERR_NO_ONNX_RUNTIME";
}

/** Returns whether `onnxruntime-node` is installed. */
export function hasRuntime(): boolean {
  try {
    createRequire(import.meta.url).resolve("onnxruntime-node");
    return true;
  } catch {
    return false;
  }
}

/**
 * A model in ONNX Runtime, called as a function: all of evaluation, with its windows and views, is then the same code for it as for a network.
 *
 * The runtime knows promises only. So it lives in a thread of its own, and the caller sleeps until that has answered.
 */
export class RuntimeSession implements Disposable {
  readonly #path: string;
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #signal: Int32Array;

  /**
   * Loads a model.
   *
   * @throws {RuntimeMissingError} If `onnxruntime-node` is not installed.
   * @throws {Error} If the runtime does not take the model.
   */
  constructor(path: string) {
    const channel = new MessageChannel();
    this.#path = path;
    this.#port = channel.port1;
    this.#signal = new Int32Array(new SharedArrayBuffer(4));
    this.#worker = new Worker(workerFile(import.meta.url), {
      workerData: { path, threads: getThreads(), port: channel.port2, signal: this.#signal },
      transferList: [channel.port2],
      execArgv: [],
      name: "armseg-onnx",
    });
    this.#worker.unref();
    try {
      this.#await();
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** @param images - `[N, 3, H, W]`, levels of 0 to 255. @returns The model's outputs by name, on the CPU. */
  run(images: Tensor): Map<string, Tensor> {
    const { data, dims } = tidy(() => {
      const dense = images.to("cpu", "float32").contiguous();
      return { data: dense.toTypedArray() as Float32Array, dims: dense.shape };
    });
    this.#port.postMessage({ data, dims }, [data.buffer as ArrayBuffer]);
    const outputs = Object.entries(this.#await());
    return new Map(outputs.map(([name, tensor]) => [name, fromTypedArray(tensor.data, tensor.dims)]));
  }

  [Symbol.dispose](): void {
    this.#port.close();
    void this.#worker.terminate();
  }

  #await() {
    Atomics.wait(this.#signal, 0, 0);
    Atomics.store(this.#signal, 0, 0);
    const { message } = receiveMessageOnPort(this.#port) as { message: WorkerAnswer };
    if ("outputs" in message) return message.outputs;
    if (message.isMissing) throw missing(message.error);
    throw new Error(`${this.#path}: ONNX Runtime could not run the model: ${message.error}`);
  }
}

function missing(reason: string): RuntimeMissingError {
  return new RuntimeMissingError(
    `ONNX models need ONNX Runtime, which could not be loaded (${reason}); install it beside armseg: npm install onnxruntime-node`,
  );
}
