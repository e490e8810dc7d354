import type { NativeObject } from "../native/binding.ts";
import { binding } from "../native/load.ts";
import { type Parameter, Tensor } from "../tensor.ts";
import type { Rendezvous } from "./rendezvous.ts";

/** How the values of the processes become one. */
export type Reduction = "sum" | "max" | "min";

/** Minutes that a process waits for the others before it gives up; c10d's own default. */
const TIMEOUT_MINUTES = 30;

/** Lists the devices whose tensors a process group of this build carries: `cpu` through Gloo, `cuda` through NCCL. */
export function processGroupDevices(): readonly ("cpu" | "cuda")[] {
  return binding.processGroupDevices?.() ?? [];
}

/**
 * Processes that work on one thing together, through c10d of libtorch.
 *
 * Every method is collective: it returns when all processes have called it, and throws when one of them has gone.
 *
 * @example
 * using group = ProcessGroup.join(rendezvousFromEnvironment());
 * group.allReduce_(sum);
 */
export class ProcessGroup implements Disposable {
  /** @internal */
  readonly native: NativeObject;
  readonly rank: number;
  readonly worldSize: number;

  private constructor(native: NativeObject, { rank, worldSize }: Rendezvous) {
    this.native = native;
    this.rank = rank;
    this.worldSize = worldSize;
  }

  /**
   * Waits for the other processes.
   *
   * @param options.timeoutMinutes - How long this and every collective call may take. Default 30.
   * @throws {Error} If they do not come in time, or this build has no backend.
   */
  static join(rendezvous: Rendezvous, options: { timeoutMinutes?: number } = {}): ProcessGroup {
    if (processGroupDevices().length === 0) {
      throw new Error(
        "ProcessGroup.join(): the native binding was built without Gloo and NCCL; install libgloo-dev and run `npx armseg setup`",
      );
    }
    const { masterAddress, masterPort, rank, worldSize, agentPrefix = "" } = rendezvous;
    const timeoutMs = 60_000 * (options.timeoutMinutes ?? TIMEOUT_MINUTES);
    return new ProcessGroup(
      binding.joinProcessGroup(masterAddress, masterPort, rank, worldSize, timeoutMs, agentPrefix),
      rendezvous,
    );
  }

  /** Replaces the tensor, of one shape and dtype everywhere and contiguous, by the reduction of all processes' tensors. */
  allReduce_(tensor: Tensor, reduction: Reduction = "sum"): void {
    binding.allReduce(this.native, tensor.handle, reduction);
  }

  /** Replaces the tensor by that of the process `source`. */
  broadcast_(tensor: Tensor, source = 0): void {
    binding.broadcast(this.native, tensor.handle, source);
  }

  /** Returns the tensors of all processes, of one shape and dtype, stacked: `[worldSize, ...]`. */
  allGather(tensor: Tensor): Tensor {
    return new Tensor(binding.allGather(this.native, tensor.handle));
  }

  /** Closes the connections. */
  dispose(): void {
    binding.leaveProcessGroup(this.native);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Averages gradients over processes while the backward pass runs: c10d's Reducer, what PyTorch's DistributedDataParallel
 * is made of.
 *
 * Every parameter must take part in every reduced backward pass, on every process.
 */
export class Reducer {
  readonly #native: NativeObject;

  /** @param parameters - In the order of their use; the same on every process. */
  constructor(group: ProcessGroup, parameters: Iterable<Parameter>) {
    const handles = [...parameters].map((parameter) => parameter.handle);
    this.#native = binding.createReducer(group.native, handles);
  }

  /**
   * Makes the next backward pass leave averaged gradients. Without this call a backward pass stays local, which is how
   * gradients of several batches are accumulated before the last one is reduced.
   */
  prepareForBackward(): void {
    binding.prepareForBackward(this.#native);
  }
}
