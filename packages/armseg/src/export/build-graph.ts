import { noGrad, ops, type Tensor, tidy } from "@armseg/torch";
import type { Segmenter } from "../networks/index.ts";
import { convolution, isFoldable, normalisation } from "./convolutions.ts";
import { GraphBuilder, symbolicShape } from "./graph-builder.ts";
import { CONVERTERS, resize } from "./operators.ts";
import type { Call, SymbolicTrace, Value, VaryingInteger } from "./symbolic-trace.ts";
import { symbolicTrace } from "./symbolic-trace.ts";
import type { WeightStore } from "./weight-store.ts";

/** What a model gives: `logits` and `likelihoods` are `[N, C, H, W]` float32, `classes` are `[N, H, W]` uint8. */
export type OutputKind = "logits" | "likelihoods" | "classes";

export interface GraphOptions {
  readonly output: OutputKind;
  /** Whether the likelihood of the likeliest class is a second output, `confidence`, `[N, H, W]` float32. */
  readonly confidence: boolean;
  /** What the input's levels are normalised by, red, green, blue. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** ONNX's number of uint8. */
const UINT8 = 2;

/** Name of the input, `[N, 3, H, W]` float32, levels of 0 to 255. */
export const INPUT = "images";

/**
 * The sizes that a network is recorded at, `[N, 3, H, W]`: no two dimensions of its maps, at stride 1 to 32, have the same two sizes, no
 * dimension and no number of pixels is one at both.
 */
const RECORDED = [
  [1, 3, 65, 97],
  [2, 3, 98, 134],
] as const;

/** Records one evaluation pass of a network and writes it as a graph: normalisation, network, resize to the image, output. */
export function buildGraph(network: Segmenter, options: GraphOptions, weights: WeightStore): GraphBuilder {
  const recording = record(network);
  const graph = new GraphBuilder();
  graph.define(recording.input, normalised(graph, options));
  writeCalls(recording.calls, graph, weights);
  const [logits] = recording.outputs as [Value];
  const size = symbolicShape(recording.input).slice(2) as (number | VaryingInteger)[];
  writeOutputs(graph, resize(graph, logits, size, "half_pixel"), options);
  return graph;
}

function record(network: Segmenter): SymbolicTrace {
  const wasTraining = network.isTraining;
  network.eval();
  try {
    return noGrad(() => {
      const inputs = RECORDED.map((shape) => imageLike(network, shape)) as [Tensor, Tensor];
      return symbolicTrace(inputs, (images) => tidy(() => [network.call(images).logits]));
    });
  } finally {
    network.train(wasTraining);
  }
}

function imageLike(network: Segmenter, shape: readonly number[]): Tensor {
  const [parameter] = network.parameters();
  return ops.zeros(shape, { device: parameter?.device ?? "cpu", dtype: parameter?.dtype ?? "float32" });
}

function normalised(graph: GraphBuilder, { mean, std }: GraphOptions): string {
  const centred = graph.node("Sub", [INPUT, graph.floats(mean, [1, mean.length, 1, 1])]);
  return graph.node("Div", [centred, graph.floats(std, [1, std.length, 1, 1])]);
}

function writeCalls(calls: readonly Call[], graph: GraphBuilder, weights: WeightStore): void {
  const readers = readersOf(calls);
  const taken = new Set<Call>();
  for (const call of calls) {
    if (taken.has(call)) continue;
    if (call.operator === "aten::conv2d") {
      const [only, ...others] = readers.get(call.results[0] as Value) ?? [];
      const norm = others.length === 0 && isFoldable(only) ? only : null;
      if (norm) taken.add(norm);
      convolution(call, norm, graph, weights);
    } else if (call.operator === "aten::batch_norm") normalisation(call, graph);
    else convert(call, graph);
  }
}

function convert(call: Call, graph: GraphBuilder): void {
  const converter = CONVERTERS[call.operator];
  if (!converter) throw unknownOperator(call.operator);
  converter(call, graph);
}

function unknownOperator(operator: string): Error {
  const known = Object.keys(CONVERTERS).map((name) => name.replace("aten::", ""));
  return new Error(
    `exportOnnx(): expected operators that are known in ONNX, got ${operator}; ` +
      `write the network with others (${known.join(", ")}), or add it to export/operators.ts`,
  );
}

/** Returns which calls read each value. */
function readersOf(calls: readonly Call[]): Map<Value, Call[]> {
  const readers = new Map<Value, Call[]>();
  for (const call of calls)
    for (const argument of Object.values(call.arguments).flat()) {
      if (typeof argument !== "object" || argument === null) continue;
      readers.set(argument as Value, [...(readers.get(argument as Value) ?? []), call]);
    }
  return readers;
}

function writeOutputs(graph: GraphBuilder, logits: string, { output, confidence }: GraphOptions): void {
  const needsLikelihoods = output === "likelihoods" || confidence;
  const likelihoods = needsLikelihoods ? graph.node("Softmax", [logits], { axis: 1 }) : "";
  if (output === "classes") {
    const indices = graph.node("ArgMax", [logits], { axis: 1, keepdims: 0 });
    graph.node("Cast", [indices], { to: UINT8 }, output);
  } else graph.node("Identity", [output === "logits" ? logits : likelihoods], {}, output);
  if (confidence) graph.node("ReduceMax", [likelihoods], { axes: [1], keepdims: 0 }, "confidence");
}
