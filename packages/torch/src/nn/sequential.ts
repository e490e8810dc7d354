import { Owned } from "../scope.ts";
import type { Tensor } from "../tensor.ts";
import { Module } from "./module.ts";

/** Modules one after another, named by their indices. */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: Module[]) {
    super();
    this.layers = layers;
  }

  protected override *members(): Iterable<[name: string, member: unknown]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  forward(input: Tensor): Tensor {
    let x = input;
    for (const layer of this.layers) {
      const next = layer.call(x);
      // Freed at once, not with the scope: without gradients a long stack must not hold all of its activations.
      if (x !== input && x !== next && !Owned.isKept(x)) x.dispose();
      x = next;
    }
    return x;
  }
}
