import { noGrad, type Tensor, tidy } from "@armseg/torch";
import type { GraphBuilder } from "./graph-builder.ts";
import { tensorInitializer } from "./initializer.ts";

/** How weights are kept in a model; computed with they are as float32 whatever it is. */
export type Precision = "float32" | "float16" | "int8";

/** ONNX's number of float32. */
const FLOAT32 = 1;
/** Largest int8 that has an opposite. */
const INT8_LIMIT = 127;

/**
 * Puts the weights of convolutions into a graph, under the names that they have in the network.
 *
 * float16 halves the file, int8 quarters it: one scale per output channel, symmetric about 0, so that the largest weight of a channel is ±127. The
 * graph widens them to float32 when a runtime loads it. Biases stay as they are.
 */
export class WeightStore {
  readonly #names: ReadonlyMap<Tensor, string>;
  readonly #precision: Precision;

  /** @param state - The network's tensors by their names. */
  constructor(state: Iterable<readonly [string, Tensor]>, precision: Precision = "float32") {
    this.#names = new Map(Array.from(state, ([name, tensor]) => [tensor, name]));
    this.#precision = precision;
  }

  /** Adds the weight of a convolution, `[out, in / groups, height, width]`. @param make - Returns it as it is to be computed with. */
  weight(graph: GraphBuilder, kernel: Tensor, make: () => Tensor): string {
    const name = graph.unique(this.#names.get(kernel) ?? "weight");
    if (this.#precision === "int8") return quantised(graph, name, kernel.shape, make);
    const stored = graph.initializer(tensorInitializer(name, kernel.shape, this.#precision, make));
    return this.#precision === "float32" ? stored : graph.node("Cast", [stored], { to: FLOAT32 });
  }

  /** Adds the bias of a convolution, `[out]`. */
  bias(graph: GraphBuilder, kernel: Tensor, make: () => Tensor): string {
    const name = graph.unique((this.#names.get(kernel) ?? "weight").replace(/weight$/, "bias"));
    return graph.initializer(tensorInitializer(name, kernel.shape.slice(0, 1), "float32", make));
  }
}

function quantised(graph: GraphBuilder, name: string, shape: readonly number[], make: () => Tensor): string {
  const scale = () => noGrad(() => scaleOf(make()));
  const levels = () =>
    noGrad(() => {
      const weight = make();
      return weight.div(scaleOf(weight).reshape([-1, 1, 1, 1])).round();
    });
  const stored = graph.initializer(tensorInitializer(name, shape, "int8", levels));
  const scales = graph.initializer(tensorInitializer(`${name}_scale`, shape.slice(0, 1), "float32", scale));
  return graph.node("DequantizeLinear", [stored, scales], { axis: 0 });
}

/** Returns the step between two levels of each output channel, `[out]`; 1 for a channel of zeros. */
function scaleOf(weight: Tensor): Tensor {
  return tidy(() => {
    // As the model will have it, so that levels and scale belong together.
    const largest = weight.abs().amax([1, 2, 3]).div(INT8_LIMIT).to("cpu", "float32");
    return largest.add(largest.eq(0)); // a channel of zeros has a scale of 1
  });
}
