import type { NativeObject } from "../native/binding.ts";
import { door } from "../native/load.ts";
import { Tensor } from "../tensor.ts";
import type { Place } from "./place.ts";

/** How the values of the processes become one. */
export type Reduction = "sum" | "max" | "min";

/** Minutes that a process waits for the others before it gives up; c10d's own default. */
const TIMEOUT_MINUTES = 30;

/** The devices whose tensors a process group of this build carries: `cpu` through Gloo, `cuda` through NCCL. */
export function processGroupDevices(): readonly ("cpu" | "cuda")[] {
  return door.processGroupDevices?.() ?? [];
}

/**
 * Processes that work on one thing together, through c10d of libtorch.
 *
 * Every method is a meeting: it returns when all processes have called it, and throws when one of them has gone.
 *
 * @example
 * using group = ProcessGroup.join(placeFromEnvironment());
 * group.allReduce_(sum);
 */
export class ProcessGroup implements Disposable {
  /** @internal */
  readonly native: NativeObject;
  readonly rank: number;
  readonly worldSize: number;

  private constructor(native: NativeObject, { rank, worldSize }: Place) {
    this.native = native;
    this.rank = rank;
    this.worldSize = worldSize;
  }

  /**
   * Waits for the other processes.
   *
   * @param options.timeoutMinutes - How long this and every meeting may take. Default 30.
   * @throws {Error} If they do not come in time, or this build has no backend.
   */
  static join(place: Place, options: { timeoutMinutes?: number } = {}): ProcessGroup {
    if (processGroupDevices().length === 0) {
      throw new Error(
        "ProcessGroup: the native door was built without Gloo and NCCL; install libgloo-dev and run `npm run setup`",
      );
    }
    const { masterAddress, masterPort, rank, worldSize, agentPrefix = "" } = place;
    const timeoutMs = 60_000 * (options.timeoutMinutes ?? TIMEOUT_MINUTES);
    return new ProcessGroup(
      door.joinProcessGroup(masterAddress, masterPort, rank, worldSize, timeoutMs, agentPrefix),
      place,
    );
  }

  /** Replaces the tensor, of one shape and dtype everywhere and contiguous, by the reduction of all processes' tensors. */
  allReduce_(tensor: Tensor, reduction: Reduction = "sum"): void {
    door.allReduce(this.native, tensor.handle, reduction);
  }

  /** Replaces the tensor by that of the process `source`. */
  broadcast_(tensor: Tensor, source = 0): void {
    door.broadcast(this.native, tensor.handle, source);
  }

  /** The tensors of all processes, of one shape and dtype, stacked: `[worldSize, ...]`. */
  allGather(tensor: Tensor): Tensor {
    return new Tensor(door.allGather(this.native, tensor.handle));
  }

  /** Closes the connections. */
  dispose(): void {
    door.leaveProcessGroup(this.native);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
