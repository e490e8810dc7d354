import { distributed, fromTypedArray, noGrad, ops, type Parameter, type Tensor, tidy } from "@armseg/torch";
import { whileWaiting } from "./heartbeat.ts";

/** Averages gradients over the processes while the backward pass runs. */
export interface GradientReducer {
  /** Makes the next backward pass leave averaged gradients; without this call a backward pass stays local. */
  prepareForBackward(): void;
}

/**
 * The processes that train or evaluate one network together; each sees its own part of the data.
 *
 * The methods are collective: every process must call them, in the same order, and each waits for the others. They throw
 * where another process has gone. For one process ({@link ONE_PROCESS}) they do nothing, at no cost.
 */
export interface DistributedContext {
  /** 0 to `worldSize - 1`. */
  readonly rank: number;
  readonly worldSize: number;
  /** Rank among the processes of this host: which GPU is this process's. */
  readonly localRank: number;
  /** Processes on this host that share its processors, where the launcher says so; else 1. */
  readonly localWorldSize: number;
  /** Whether this is the main process, the one that writes: rank 0. */
  readonly isMain: boolean;
  /** What a normalisation shares its statistics through; `null` for one process. */
  readonly group: distributed.ProcessGroup | null;
  /** Waits until all processes are here. */
  barrier(): void;
  /** Returns whether any process says so. */
  any(flag: boolean): boolean;
  /** Replaces numbers, in place, by their sums over the processes. */
  sum(values: Float64Array): void;
  /** Returns what each process has, by rank; anything that JSON holds. */
  gather<T>(value: T): T[];
  /** Returns the tensors of all processes, of one shape and dtype: `[worldSize, ...]`, on the CPU. */
  stack(tensor: Tensor): Tensor;
  /** Replaces tensors, in place, by those of the main process. */
  broadcast_(tensors: Iterable<Tensor>): void;
  /** Replaces a contiguous tensor, in place, by its sum over the processes. */
  allReduce_(tensor: Tensor): void;
  /** Replaces gradients by their mean over the processes; for what no {@link GradientReducer} looks after. */
  averageGradients(parameters: Iterable<Parameter>): void;
  /** Returns what averages the gradients of these parameters, given in the order of their use and alike on every process. */
  reducer(parameters: Iterable<Parameter>): GradientReducer;
}

/** A process on its own. */
export const ONE_PROCESS: DistributedContext = {
  rank: 0,
  worldSize: 1,
  localRank: 0,
  localWorldSize: 1,
  isMain: true,
  group: null,
  barrier: () => {},
  any: (flag) => flag,
  sum: () => {},
  gather: (value) => [value],
  stack: (tensor) => tidy(() => tensor.cpu().unsqueeze(0)),
  broadcast_: () => {},
  allReduce_: () => {},
  averageGradients: () => {},
  reducer: () => ({ prepareForBackward: () => {} }),
};

let ofThisProcess: DistributedContext | undefined;

/**
 * Returns the context of this process, as torchrun, Slurm, Kubernetes operators and `armseg --nproc` describe it in the
 * environment; {@link ONE_PROCESS} where they describe none.
 *
 * The process group is joined at the first call, and left with the process: a connection that ends tells the others that it died.
 *
 * @throws If the environment makes no sense, the others do not come within half an hour, or the build has no backend.
 */
export function distributedContext(): DistributedContext {
  if (ofThisProcess === undefined) {
    const rendezvous = distributed.rendezvousFromEnvironment();
    ofThisProcess = rendezvous ? new ProcessGroupContext(rendezvous) : ONE_PROCESS;
  }
  return ofThisProcess;
}

/** Whether this is the main process, by the environment alone: joins no process group. */
export function isMainProcess(): boolean {
  return (distributed.rendezvousFromEnvironment()?.rank ?? 0) === 0;
}

/** Several processes, connected by a process group of c10d. */
class ProcessGroupContext implements DistributedContext {
  readonly group: distributed.ProcessGroup;
  readonly localRank: number;
  readonly localWorldSize: number;
  /** Where numbers of the host are carried: the CPU, or the GPU in a build without Gloo. */
  readonly #device: "cpu" | `cuda:${number}`;

  constructor(rendezvous: distributed.Rendezvous) {
    this.group = whileWaiting(() => distributed.ProcessGroup.join(rendezvous));
    this.localRank = rendezvous.localRank;
    this.localWorldSize = rendezvous.localWorldSize ?? 1;
    this.#device = distributed.processGroupDevices().includes("cpu") ? "cpu" : `cuda:${rendezvous.localRank}`;
  }

  get rank(): number {
    return this.group.rank;
  }

  get worldSize(): number {
    return this.group.worldSize;
  }

  get isMain(): boolean {
    return this.rank === 0;
  }

  barrier(): void {
    this.any(false);
  }

  any(flag: boolean): boolean {
    const values = Float64Array.of(flag ? 1 : 0);
    this.sum(values);
    return values[0]! > 0;
  }

  sum(values: Float64Array): void {
    tidy(() => {
      const sums = fromTypedArray(values, [values.length]).to(this.#device, "float64");
      whileWaiting(() => {
        this.group.allReduce_(sums);
        values.set(sums.cpu().toTypedArray() as Float64Array); // on a GPU, this is what waits
      });
    });
  }

  gather<T>(value: T): T[] {
    const text = new TextEncoder().encode(JSON.stringify(value));
    return tidy(() => {
      const own = fromTypedArray(Float64Array.of(text.length), [1]);
      const lengths = this.stack(own).toTypedArray() as Float64Array;
      const longest = Math.max(...lengths);
      const padded = new Uint8Array(longest);
      padded.set(text);
      const all = this.stack(fromTypedArray(padded, [longest])).toTypedArray() as Uint8Array;
      return Array.from(lengths, (length, rank) =>
        JSON.parse(new TextDecoder().decode(all.slice(rank * longest, rank * longest + length))),
      );
    });
  }

  stack(tensor: Tensor): Tensor {
    return tidy(() => {
      const own = tensor.to(this.#device, tensor.dtype);
      return whileWaiting(() => this.group.allGather(own).cpu());
    });
  }

  broadcast_(tensors: Iterable<Tensor>): void {
    noGrad(() => {
      for (const tensor of tensors) {
        tidy(() => {
          const values = tensor.contiguous();
          whileWaiting(() => this.group.broadcast_(values));
          tensor.copy_(values);
        });
      }
    });
  }

  allReduce_(tensor: Tensor): void {
    whileWaiting(() => this.group.allReduce_(tensor));
  }

  averageGradients(parameters: Iterable<Parameter>): void {
    const gradients = [...parameters].flatMap(({ grad }) => (grad ? [grad] : []));
    if (gradients.length === 0) return;
    noGrad(() =>
      tidy(() => {
        const flat = ops.cat(gradients.map((gradient) => gradient.reshape([-1])));
        this.allReduce_(flat);
        flat.div_(this.worldSize);
        let start = 0;
        for (const gradient of gradients) {
          gradient.copy_(flat.narrow(0, start, gradient.numel).reshape(gradient.shape));
          start += gradient.numel;
        }
      }),
    );
  }

  reducer(parameters: Iterable<Parameter>): GradientReducer {
    return new distributed.Reducer(this.group, parameters);
  }
}

/** Runs `body` on the main process, then on the others: what the main one makes on the disk, the others find. */
export async function mainFirst<T>(context: DistributedContext, body: () => Promise<T>): Promise<T> {
  if (!context.isMain) context.barrier();
  const result = await body();
  if (context.isMain) context.barrier();
  return result;
}
