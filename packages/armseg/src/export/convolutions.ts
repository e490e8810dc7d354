import { noGrad, type Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import type { GraphBuilder } from "./graph-builder.ts";
import type { Call, Value } from "./symbolic-trace.ts";
import type { WeightStore } from "./weight-store.ts";

function pairOf(value: unknown, otherwise: number): [number, number] {
  const list = Array.isArray(value) ? (value as number[]) : [(value ?? otherwise) as number];
  return [list[0] as number, (list[1] ?? list[0]) as number];
}

function sourceOf(argument: unknown, what: string): Tensor {
  const source = (argument as Value | undefined)?.source;
  if (source) return source;
  throw argumentError(
    "exportOnnx",
    `${what} to be a parameter or a buffer`,
    "a tensor that an operator made",
  );
}

/** A batch normalisation by its running statistics, as x·scale + shift per channel. */
interface Affine {
  readonly scale: () => Tensor;
  readonly shift: () => Tensor;
}

function affineOf(call: Call): Affine {
  const { weight, bias, runningMean, runningVar, training, eps } = call.arguments;
  if (training)
    throw argumentError("exportOnnx", "a network in evaluation mode", "training mode", "call eval()");
  const wide = (argument: unknown, what: string) => sourceOf(argument, what).detach().to("cpu", "float64");
  const scale = () => {
    const deviation = wide(runningVar, "the running variance")
      .add(eps as number)
      .sqrt();
    return weight ? wide(weight, "the scale").div(deviation) : deviation.reciprocal();
  };
  const shift = () => {
    const moved = wide(runningMean, "the running mean").mul(scale()).neg();
    return bias ? moved.add(wide(bias, "the shift")) : moved;
  };
  return { scale, shift };
}

/** Returns whether a call is a normalisation that the convolution in front of it can take in. */
export function isFoldable(call: Call | undefined): call is Call {
  return call?.operator === "aten::batch_norm" && !call.arguments.training;
}

/**
 * Writes a convolution; with the batch normalisation behind it, which is no node then but part of the weights.
 *
 * w' = w·γ/√(σ² + ε), b' = β + (b − μ)·γ/√(σ² + ε), computed in float64.
 */
export function convolution(call: Call, norm: Call | null, graph: GraphBuilder, weights: WeightStore): void {
  const { input, weight, bias, stride, padding, dilation, groups } = call.arguments;
  const kernel = sourceOf(weight, "the weight of a convolution");
  const affine = norm && affineOf(norm);
  const [top, left] = pairOf(padding, 0);
  const inputs = [graph.nameOf(input as Value), weights.weight(graph, kernel, folded(kernel, affine))];
  const offset = bias ? sourceOf(bias, "the bias of a convolution") : null;
  if (offset || affine) inputs.push(weights.bias(graph, kernel, shifted(offset, affine)));
  const name = graph.node("Conv", inputs, {
    kernel_shape: kernel.shape.slice(2),
    strides: pairOf(stride, 1),
    pads: [top, left, top, left],
    dilations: pairOf(dilation, 1),
    group: (groups as number | undefined) ?? 1,
  });
  graph.define((norm ?? call).results[0] as Value, name);
}

function folded(kernel: Tensor, affine: Affine | null): () => Tensor {
  if (!affine) return () => kernel.detach();
  return () => noGrad(() => kernel.to("cpu", "float64").mul(affine.scale().reshape([-1, 1, 1, 1])));
}

function shifted(bias: Tensor | null, affine: Affine | null): () => Tensor {
  return () =>
    noGrad(() => {
      if (!affine) return (bias as Tensor).detach();
      return bias ? bias.to("cpu", "float64").mul(affine.scale()).add(affine.shift()) : affine.shift();
    });
}

/** Writes a batch normalisation that stands alone. */
export function normalisation(call: Call, graph: GraphBuilder): void {
  const { scale, shift } = affineOf(call);
  const constant = (make: () => Tensor) => {
    const values = Array.from(noGrad(make).toTypedArray() as Float64Array);
    return graph.floats(values, [1, values.length, 1, 1]);
  };
  const scaled = graph.node("Mul", [graph.nameOf(call.arguments.input as Value), constant(scale)]);
  graph.define(call.results[0] as Value, graph.node("Add", [scaled, constant(shift)]));
}
