import type { Tensor } from "@armseg/torch";
import type { GraphBuilder } from "./graph-builder.ts";
import { tensorInitializer } from "./initializer.ts";

/** Puts the weights of convolutions into a graph, under the names that they have in the network. */
export class WeightStore {
  readonly #names: ReadonlyMap<Tensor, string>;

  /** @param state - The network's tensors by their names. */
  constructor(state: Iterable<readonly [string, Tensor]>) {
    this.#names = new Map(Array.from(state, ([name, tensor]) => [tensor, name]));
  }

  /** Returns the name of a tensor in the network. */
  nameOf(tensor: Tensor): string | undefined {
    return this.#names.get(tensor);
  }

  /** Adds the weight of a convolution, `[out, in / groups, height, width]`. @param make - Returns it as it is to be written. */
  weight(graph: GraphBuilder, kernel: Tensor, make: () => Tensor): string {
    const name = graph.unique(this.#names.get(kernel) ?? "weight");
    return graph.initializer(tensorInitializer(name, kernel.shape, "float32", make));
  }

  /** Adds the bias of a convolution, `[out]`. */
  bias(graph: GraphBuilder, kernel: Tensor, make: () => Tensor): string {
    const name = graph.unique((this.#names.get(kernel) ?? "weight").replace(/weight$/, "bias"));
    return graph.initializer(tensorInitializer(name, kernel.shape.slice(0, 1), "float32", make));
  }
}
