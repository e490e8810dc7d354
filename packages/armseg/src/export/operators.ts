import { argumentError } from "../core/argument-error.ts";
import type { Attribute, GraphBuilder } from "./graph-builder.ts";
import { symbolicShape } from "./graph-builder.ts";
import { type Call, type Value, VaryingInteger } from "./symbolic-trace.ts";

/** Writes a call of an operator into the graph. */
export type Converter = (call: Call, graph: GraphBuilder) => void;

function isValue(argument: unknown): argument is Value {
  return typeof argument === "object" && argument !== null && "shapes" in argument;
}

function self(call: Call): Value {
  return (call.arguments.self ?? call.arguments.input) as Value;
}

function result(call: Call): Value {
  return call.results[0] as Value;
}

/** Returns the name of a tensor or of a number that stands in for one. */
function operand(argument: unknown, graph: GraphBuilder): string {
  return isValue(argument) ? graph.nameOf(argument) : graph.floats([argument as number]);
}

/** Returns an argument that must not follow the image, or its default. */
function fixed<T extends number | boolean>(call: Call, name: string, otherwise: T): T {
  const value = call.arguments[name] ?? otherwise;
  if (value instanceof VaryingInteger)
    throw argumentError(
      "exportOnnx",
      `${name} of ${call.operator} to be one number at every size`,
      value.pair,
    );
  return value as T;
}

function pair(call: Call, name: string, otherwise: number): [number, number] {
  const value = call.arguments[name] ?? otherwise;
  const list = Array.isArray(value) ? (value as number[]) : [value as number];
  return list.length === 0 ? [otherwise, otherwise] : [list[0] as number, (list[1] ?? list[0]) as number];
}

/** Counts a dimension from the front. */
function axisOf(dimension: number, { shapes }: Value): number {
  return dimension < 0 ? dimension + shapes[0].length : dimension;
}

/** A converter of an operator of one tensor that is one node. */
function unary(opType: string, attributes: Readonly<Record<string, Attribute>> = {}): Converter {
  return (call, graph) =>
    graph.define(result(call), graph.node(opType, [graph.nameOf(self(call))], attributes));
}

/** For what changes nothing that a graph knows of: the layout in memory, a conversion between floats, dropout in evaluation. */
const identity: Converter = (call, graph) => graph.define(result(call), graph.nameOf(self(call)));

const dropout: Converter = (call, graph) => {
  if (call.arguments.train)
    throw argumentError("exportOnnx", "a network in evaluation mode", "training mode", "call eval()");
  identity(call, graph);
};

const conversion: Converter = (call, graph) => {
  const [from, to] = [self(call).dtype, result(call).dtype];
  if (from !== to)
    throw argumentError("exportOnnx", "a network of one dtype", `a conversion from ${from} to ${to}`);
  identity(call, graph);
};

function arithmetic(opType: string): Converter {
  return (call, graph) => {
    const { self: left, other: right } = call.arguments;
    const alpha = fixed(call, "alpha", 1);
    const scaled =
      alpha === 1 ? operand(right, graph) : graph.node("Mul", [operand(right, graph), graph.floats([alpha])]);
    graph.define(result(call), graph.node(opType, [operand(left, graph), scaled]));
  };
}

const addcmul: Converter = (call, graph) => {
  const [first, second] = [call.arguments.tensor1 as Value, call.arguments.tensor2 as Value];
  const product = graph.node("Mul", [graph.nameOf(first), graph.nameOf(second)]);
  const value = fixed(call, "value", 1);
  const scaled = value === 1 ? product : graph.node("Mul", [product, graph.floats([value])]);
  graph.define(result(call), graph.node("Add", [graph.nameOf(self(call)), scaled]));
};

const clip: Converter = (call, graph) => {
  const bound = (value: unknown) => (typeof value === "number" ? graph.floats([value]) : "");
  const low = bound(call.arguments.minVal ?? call.arguments.min);
  const high = bound(call.arguments.maxVal ?? call.arguments.max);
  graph.define(result(call), graph.node("Clip", [graph.nameOf(self(call)), low, high]));
};

const silu: Converter = (call, graph) => {
  const name = graph.nameOf(self(call));
  graph.define(result(call), graph.node("Mul", [name, graph.node("Sigmoid", [name])]));
};

function pooling(opType: "MaxPool" | "AveragePool"): Converter {
  return (call, graph) => {
    const kernel = pair(call, "kernelSize", 1);
    const stride = (call.arguments.stride as number[] | undefined)?.length ? pair(call, "stride", 1) : kernel;
    const [top, left] = pair(call, "padding", 0);
    const own: Record<string, Attribute> =
      opType === "MaxPool"
        ? { dilations: pair(call, "dilation", 1) }
        : { count_include_pad: Number(fixed(call, "countIncludePad", true)) };
    const attributes = {
      kernel_shape: kernel,
      strides: stride,
      pads: [top, left, top, left],
      ceil_mode: Number(fixed(call, "ceilMode", false)),
      ...own,
    };
    graph.define(result(call), graph.node(opType, [graph.nameOf(self(call))], attributes));
  };
}

const globalPooling: Converter = (call, graph) => {
  const size = pair(call, "outputSize", 1);
  if (size.some((length) => length !== 1))
    throw argumentError("exportOnnx", "adaptive pooling to one pixel", size);
  graph.define(result(call), graph.node("GlobalAveragePool", [graph.nameOf(self(call))]));
};

function reduction(opType: "ReduceMean" | "ReduceSum"): Converter {
  return (call, graph) => {
    const input = self(call);
    const axes = (call.arguments.dim as number[]).map((dimension) => axisOf(dimension, input));
    const keepdims = Number(fixed(call, "keepdim", false));
    // Opset 17 has the axes of a sum as an input, those of a mean as an attribute.
    const node =
      opType === "ReduceSum"
        ? graph.node(opType, [graph.nameOf(input), graph.integers(axes)], { keepdims })
        : graph.node(opType, [graph.nameOf(input)], { axes, keepdims });
    graph.define(result(call), node);
  };
}

const softmax: Converter = (call, graph) => {
  const axis = axisOf(fixed(call, "dim", -1), self(call));
  graph.define(result(call), graph.node("Softmax", [graph.nameOf(self(call))], { axis }));
};

const concatenation: Converter = (call, graph) => {
  const tensors = call.arguments.tensors as Value[];
  const axis = axisOf(fixed(call, "dim", 0), tensors[0] as Value);
  graph.define(
    result(call),
    graph.node(
      "Concat",
      tensors.map((tensor) => graph.nameOf(tensor)),
      { axis },
    ),
  );
};

const matmul: Converter = (call, graph) => {
  const inputs = [graph.nameOf(self(call)), graph.nameOf(call.arguments.other as Value)];
  graph.define(result(call), graph.node("MatMul", inputs));
};

/** Flattening, unflattening and reshaping, told by the shape that results: `0` copies a size, `-1` takes what is left. */
const reshape: Converter = (call, graph) => {
  const [input, output] = [symbolicShape(self(call)), symbolicShape(result(call))];
  const copied = output.map((size, i) => (isSame(size, input[i]) ? 0 : size));
  const varying = copied.flatMap((size, i) => (size instanceof VaryingInteger ? [i] : []));
  const sizes = varying.length === 1 ? copied.map((size, i) => (i === varying[0] ? -1 : size)) : copied;
  graph.define(result(call), graph.node("Reshape", [graph.nameOf(self(call)), graph.integerList(sizes)]));
};

function isSame(one: number | VaryingInteger, other: number | VaryingInteger | undefined): boolean {
  if (one instanceof VaryingInteger && other instanceof VaryingInteger)
    return one.pair.join() === other.pair.join();
  return one === other;
}

const transposition: Converter = (call, graph) => {
  const input = self(call);
  const perm = input.shapes[0].map((_, i) => i);
  const first = axisOf(call.arguments.dim0 as number, input);
  const second = axisOf(call.arguments.dim1 as number, input);
  [perm[first], perm[second]] = [second, first];
  graph.define(result(call), graph.node("Transpose", [graph.nameOf(input)], { perm }));
};

const permutation: Converter = (call, graph) => {
  const input = self(call);
  const perm = (call.arguments.dims as number[]).map((dimension) => axisOf(dimension, input));
  graph.define(result(call), graph.node("Transpose", [graph.nameOf(input)], { perm }));
};

const unsqueezing: Converter = (call, graph) => {
  const axis = axisOf(fixed(call, "dim", 0), result(call));
  graph.define(result(call), graph.node("Unsqueeze", [graph.nameOf(self(call)), graph.integers([axis])]));
};

const selection: Converter = (call, graph) => {
  const axis = axisOf(fixed(call, "dim", 0), self(call));
  const index = graph.integers([fixed(call, "index", 0)], []);
  graph.define(result(call), graph.node("Gather", [graph.nameOf(self(call)), index], { axis }));
};

/** Equal parts along one dimension. */
const splitting: Converter = (call, graph) => {
  const parts = call.results[0] as Value[];
  const axis = axisOf(fixed(call, "dim", 0), self(call));
  const sizes = parts.map((part) => symbolicShape(part)[axis] as number | VaryingInteger);
  const outputs = parts.map(() => graph.unique("Split"));
  graph.nodeWithOutputs("Split", [graph.nameOf(self(call)), graph.integerList(sizes)], { axis }, outputs);
  for (const [i, part] of parts.entries()) graph.define(part, outputs[i] as string);
};

const expansion: Converter = (call, graph) => {
  const sizes = graph.integerList(symbolicShape(result(call)));
  graph.define(result(call), graph.node("Expand", [graph.nameOf(self(call)), sizes]));
};

/** Centres of pixels as the trainer has them: half-pixel for bilinear, unless the corners are aligned. */
function resizing(mode: "linear" | "nearest"): Converter {
  return (call, graph) => {
    const corners = fixed(call, "alignCorners", false);
    graph.define(
      result(call),
      mode === "linear"
        ? resize(
            graph,
            self(call),
            symbolicShape(result(call)).slice(2),
            corners ? "align_corners" : "half_pixel",
          )
        : resize(graph, self(call), symbolicShape(result(call)).slice(2), "asymmetric"),
    );
  };
}

/** Adds a resize of `[N, C, h, w]` to a size that the graph finds, and returns its name. */
export function resize(
  graph: GraphBuilder,
  value: Value,
  size: readonly (number | VaryingInteger)[],
  coordinates: "half_pixel" | "align_corners" | "asymmetric",
): string {
  const sizes = graph.node(
    "Concat",
    [graph.sizeOf(value, 0), graph.sizeOf(value, 1), ...size.map((length) => graph.integer(length))],
    { axis: 0 },
  );
  const nearest = coordinates === "asymmetric";
  return graph.node("Resize", [graph.nameOf(value), "", "", sizes], {
    mode: nearest ? "nearest" : "linear",
    coordinate_transformation_mode: coordinates,
    ...(nearest && { nearest_mode: "floor" }),
  });
}

/** Every operator of the networks here in evaluation, but for those that {@link convolution} takes. */
export const CONVERTERS: Readonly<Record<string, Converter>> = {
  "aten::contiguous": identity,
  "aten::detach": identity,
  "aten::clone": identity,
  "aten::alias": identity,
  "aten::to": conversion,
  "aten::dropout": dropout,
  "aten::feature_dropout": dropout,
  "aten::relu": unary("Relu"),
  "aten::relu_": unary("Relu"),
  "aten::sigmoid": unary("Sigmoid"),
  "aten::silu": silu,
  "aten::silu_": silu,
  "aten::hardtanh": clip,
  "aten::hardtanh_": clip,
  "aten::clamp": clip,
  "aten::clamp_": clip,
  "aten::add": arithmetic("Add"),
  "aten::add_": arithmetic("Add"),
  "aten::sub": arithmetic("Sub"),
  "aten::mul": arithmetic("Mul"),
  "aten::mul_": arithmetic("Mul"),
  "aten::div": arithmetic("Div"),
  "aten::addcmul": addcmul,
  "aten::addcmul_": addcmul,
  "aten::matmul": matmul,
  "aten::softmax": softmax,
  "aten::mean": reduction("ReduceMean"),
  "aten::sum": reduction("ReduceSum"),
  "aten::cat": concatenation,
  "aten::chunk": splitting,
  "aten::select": selection,
  "aten::flatten": reshape,
  "aten::unflatten": reshape,
  "aten::reshape": reshape,
  "aten::view": reshape,
  "aten::transpose": transposition,
  "aten::permute": permutation,
  "aten::unsqueeze": unsqueezing,
  "aten::expand": expansion,
  "aten::max_pool2d": pooling("MaxPool"),
  "aten::avg_pool2d": pooling("AveragePool"),
  "aten::adaptive_avg_pool2d": globalPooling,
  "aten::upsample_bilinear2d": resizing("linear"),
  "aten::upsample_nearest2d": resizing("nearest"),
};
