import { distributed, fromTypedArray, noGrad, ops, type Tensor, tidy } from "@armseg/torch";

/**
 * The processes that train or evaluate one network together; each sees its own part of the data.
 *
 * Every method but the getters is a meeting: all processes must call it, in the same order. It throws where another
 * process has gone.
 */
export class World {
  static #own: World | null | undefined;

  readonly group: distributed.ProcessGroup;
  /** Among the processes of this host: which GPU is this one's. */
  readonly localRank: number;
  /** Processes on this host that share its processors, where the launcher says so. */
  readonly localSize: number;
  /** Where facts of the host are carried: the CPU, or the GPU in a build without Gloo. */
  readonly #device: "cpu" | `cuda:${number}`;

  private constructor(place: distributed.Place) {
    this.group = distributed.ProcessGroup.join(place);
    this.localRank = place.localRank;
    this.localSize = place.localWorldSize ?? 1;
    this.#device = distributed.processGroupDevices().includes("cpu") ? "cpu" : `cuda:${place.localRank}`;
  }

  /**
   * The world of this process, as torchrun, Slurm, Kubernetes operators and `armseg --nproc` describe it in the environment;
   * `null` for a process on its own. Joined at the first call, and left with the process: a connection that ends tells the others that it died.
   *
   * @throws If the environment makes no sense, the others do not come within half an hour, or the build has no backend.
   */
  static ofThisProcess(): World | null {
    if (World.#own === undefined) {
      const place = distributed.placeFromEnvironment();
      World.#own = place && new World(place);
    }
    return World.#own;
  }

  /** 0 to `size - 1`. */
  get rank(): number {
    return this.group.rank;
  }

  get size(): number {
    return this.group.worldSize;
  }

  /** Whether this is the process that writes. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /** Waits until all are here. */
  meet(): void {
    this.any(false);
  }

  /** Whether any process says so. */
  any(flag: boolean): boolean {
    const values = Float64Array.of(flag ? 1 : 0);
    this.sum(values);
    return values[0]! > 0;
  }

  /** Replaces numbers by their sums over the processes. */
  sum(values: Float64Array): void {
    tidy(() => {
      const sums = fromTypedArray(values, [values.length]).to(this.#device, "float64");
      this.group.allReduce_(sums);
      values.set(sums.cpu().toTypedArray() as Float64Array);
    });
  }

  /** What each process has, by rank; anything that JSON holds. */
  gather<T>(value: T): T[] {
    const text = new TextEncoder().encode(JSON.stringify(value));
    return tidy(() => {
      const lengths = this.stack(
        fromTypedArray(Float64Array.of(text.length), [1]),
      ).toTypedArray() as Float64Array;
      const longest = Math.max(...lengths);
      const padded = new Uint8Array(longest);
      padded.set(text);
      const all = this.stack(fromTypedArray(padded, [longest])).toTypedArray() as Uint8Array;
      return Array.from(lengths, (length, rank) =>
        JSON.parse(new TextDecoder().decode(all.slice(rank * longest, rank * longest + length))),
      );
    });
  }

  /** A tensor of one shape and dtype of each process: `[size, ...]`, on the CPU. */
  stack(tensor: Tensor): Tensor {
    return tidy(() => this.group.allGather(tensor.to(this.#device, tensor.dtype)).cpu());
  }

  /** Replaces tensors, in place, by those of the first process. */
  takeFromFirst(tensors: Iterable<Tensor>): void {
    noGrad(() => {
      for (const tensor of tensors) {
        tidy(() => {
          const values = tensor.contiguous();
          this.group.broadcast_(values);
          tensor.copy_(values);
        });
      }
    });
  }

  /** Replaces gradients by their mean over the processes; for what no `Reducer` looks after. */
  averageGradients(parameters: Iterable<{ readonly grad: Tensor | null }>): void {
    const gradients = [...parameters].flatMap(({ grad }) => (grad ? [grad] : []));
    if (gradients.length === 0) return;
    noGrad(() =>
      tidy(() => {
        const flat = ops.cat(gradients.map((gradient) => gradient.reshape([-1])));
        this.group.allReduce_(flat);
        flat.div_(this.size);
        let start = 0;
        for (const gradient of gradients) {
          gradient.copy_(flat.narrow(0, start, gradient.numel).reshape(gradient.shape));
          start += gradient.numel;
        }
      }),
    );
  }
}
