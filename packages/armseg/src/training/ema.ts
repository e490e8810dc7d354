import { keep, type nn, noGrad, ops, type Tensor } from "@armseg/torch";

/**
 * Moving average of a network's weights: a ← d·a + (1 − d)·w after each update. Buffers that are counted or measured
 * (batch normalisation's) and frozen parameters are taken over as they are.
 *
 * After t updates d is at most 1 − 1/(t + 1), so that the average is soon that of all weights so far, and not still the random ones
 * that a training begins with (Tarvainen and Valpola 2017).
 */
export class Ema {
  readonly decay: number;
  #updates = 0;
  readonly #averages: Map<string, Tensor>;

  constructor(network: nn.Module<never, unknown>, decay: number) {
    this.decay = decay;
    this.#averages = noGrad(
      () => new Map([...network.stateDict()].map(([name, value]) => [name, keep(value.detach().clone())])),
    );
  }

  /** Counts on from so many updates, as where a training is resumed. */
  continueFrom(updates: number): void {
    this.#updates = updates;
  }

  /** Takes one step towards the weights as they are now. */
  update(network: nn.Module<never, unknown>): void {
    noGrad(() => {
      const trained = [...network.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
      const names = new Set(trained.map(([name]) => name));
      const state = [...network.stateDict()];
      const weights = state.filter(([name]) => names.has(name));
      const averages = weights.map(([name]) => this.#averages.get(name) as Tensor);
      this.#updates += 1;
      const decay = Math.min(this.decay, 1 - 1 / (this.#updates + 1));
      ops._foreachMul_(averages, decay);
      ops._foreachAdd_(
        averages,
        weights.map(([, value]) => value),
        { alpha: 1 - decay },
      );
      for (const [name, value] of state) if (!names.has(name)) this.#averages.get(name)?.copy_(value);
    });
  }

  /** Runs `body` with the averages in place of the weights, and puts the weights back. */
  async apply<T>(network: nn.Module<never, unknown>, body: () => Promise<T>): Promise<T> {
    const own = noGrad(
      () => new Map([...network.stateDict()].map(([name, value]) => [name, keep(value.detach().clone())])),
    );
    try {
      network.loadStateDict(this.#averages);
      return await body();
    } finally {
      network.loadStateDict(own);
      for (const value of own.values()) value.dispose();
    }
  }

  dispose(): void {
    for (const average of this.#averages.values()) average.dispose();
  }

  /** Returns the averages under the network's own names. */
  stateDict(): ReadonlyMap<string, Tensor> {
    return this.#averages;
  }

  loadStateDict(state: ReadonlyMap<string, Tensor>): void {
    noGrad(() => {
      for (const [name, average] of this.#averages) {
        const value = state.get(name);
        if (!value) throw new Error(`Ema.loadStateDict(): ${name} is missing`);
        average.copy_(value);
      }
    });
  }
}

/** Runs `body` with the averages in place of the network's weights, where there are averages. */
export function withAverages<T>(
  network: nn.Module<never, unknown>,
  ema: Ema | null,
  body: () => Promise<T>,
): Promise<T> {
  return ema ? ema.apply(network, body) : body();
}
