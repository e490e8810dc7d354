import type { Tensor } from "@armseg/torch";
import { nn, noGrad, ops } from "@armseg/torch";
import { textTable } from "../core/text-table.ts";
import { Conv2d, type KernelShape, kernelShapeName } from "./conv-2d.ts";
import { PooledConv2d } from "./pooled-context.ts";
import { type Segmenter, type SegmenterConfig, segmenter } from "./segmenter.ts";
import { prefixOf } from "./weights/report.ts";

/** One part of a network: a stage of the backbone, a head. */
export interface PartSummary {
  readonly part: string;
  readonly convolutions: number;
  readonly parameters: number;
  /** Multiplications and additions of the convolutions of a forward pass, a pair counted once; also called MACs. */
  readonly multiplyAdds: number;
}

export interface NetworkSummary extends Omit<PartSummary, "part"> {
  readonly parts: readonly PartSummary[];
  /** Shape of the logits. */
  readonly logits: readonly number[];
  /**
   * Bytes that a training pass keeps for its backward pass: the inputs of all convolutions and normalisations, float32. What
   * pooling and resizing keep comes on top, as do parameters, gradients and the optimizer's state.
   */
  readonly activationBytes: number;
}

interface TraceOptions {
  readonly crop: readonly [height: number, width: number];
  readonly batch?: number;
}

const FLOAT32_BYTES = 4;

/** What a traced pass saw. */
interface Trace {
  readonly multiplyAdds: Map<string, number>;
  readonly convolutions: Map<string, number>;
  readonly kept: Set<Tensor>;
  readonly kernelShapes: Map<string, KernelShape>;
  keptBytes: number;
}

function keepForBackward(trace: Trace, input: Tensor): void {
  if (trace.kept.has(input)) return;
  trace.kept.add(input);
  trace.keptBytes += input.numel * FLOAT32_BYTES;
}

function outputSize(convolution: nn.Conv2d, input: Tensor, axis: 0 | 1): number {
  const kernel = convolution.weight.size(2 + axis);
  const reach = convolution.dilation[axis] * (kernel - 1);
  return (
    Math.floor(
      (input.size(2 + axis) + 2 * convolution.padding[axis] - reach - 1) / convolution.stride[axis],
    ) + 1
  );
}

/** Stands in for a convolution: gives the right shape without values. */
function traceConvolution(
  trace: Trace,
  name: string,
  convolution: nn.Conv2d,
  inputs: readonly Tensor[],
): Tensor {
  if (!convolution.isFrozen) for (const input of inputs) keepForBackward(trace, input);
  const map = inputs.at(-1) as Tensor;
  const [height, width] = [outputSize(convolution, map, 0), outputSize(convolution, map, 1)];
  const shape = [map.size(0), convolution.weight.size(0), height, width];
  const kernelShape = convolution instanceof Conv2d ? convolution.kernelShape(map.shape) : null;
  if (kernelShape) trace.kernelShapes.set(kernelShapeName(kernelShape), kernelShape);
  const pairs = (convolution.weight.numel / convolution.weight.size(0)) * shape.reduce((a, b) => a * b);
  const part = prefixOf(name);
  trace.multiplyAdds.set(part, (trace.multiplyAdds.get(part) ?? 0) + pairs);
  trace.convolutions.set(part, (trace.convolutions.get(part) ?? 0) + 1);
  return ops.empty(shape, { device: "meta" });
}

/** Replaces convolutions and normalisations, for this throw-away network alone, by what only computes shapes. */
function watch(network: nn.AnyModule, trace: Trace): void {
  for (const [name, module] of network.namedModules()) {
    if (module instanceof PooledConv2d)
      module.join = (...inputs) => traceConvolution(trace, name, module, inputs);
    else if (module instanceof nn.Conv2d) {
      module.call = (input) => traceConvolution(trace, name, module, [input]);
    } else if (module instanceof nn.BatchNorm2d) {
      module.call = (input) => {
        if (!module.isFrozen) keepForBackward(trace, input);
        return input.emptyLike();
      };
    }
  }
}

function parametersByPart(network: nn.AnyModule): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [name, { numel }] of network.namedParameters()) {
    counts.set(prefixOf(name), (counts.get(prefixOf(name)) ?? 0) + numel);
  }
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

/** Follows a training pass through a network that is not used afterwards. */
function traceNetwork(
  network: Segmenter,
  options: TraceOptions,
): { trace: Trace; logits: readonly number[] } {
  const trace: Trace = {
    multiplyAdds: new Map(),
    convolutions: new Map(),
    kept: new Set(),
    kernelShapes: new Map(),
    keptBytes: 0,
  };
  watch(network, trace);
  const logits = noGrad(() => {
    // Batch normalisation would refuse one image; the watched network never gets that far, but its heads look.
    for (const module of network.modules()) if (module instanceof nn.BatchNorm2d) module.eval();
    const images = ops.empty([options.batch ?? 1, 3, ...options.crop], { device: "meta" });
    return network.call(images).logits.shape;
  });
  return { trace, logits };
}

/** Returns the shapes of a network's convolutions that the kernels could compute, each once, without running it. */
export function kernelShapesOf(config: SegmenterConfig, crop: TraceOptions["crop"]): KernelShape[] {
  using network = segmenter(config);
  return [...traceNetwork(network, { crop }).trace.kernelShapes.values()];
}

/**
 * Counts layers, parameters, arithmetic and activation memory of a network in training, without running it.
 *
 * @param options.crop - `[height, width]` of the training images in pixels.
 * @param options.batch - Images per batch. Default 1.
 * @example
 * summarise({ backbone: "resnet50", classes: 19 }, { crop: [512, 1024] }).multiplyAdds / 1e9;
 */
export function summarise(config: SegmenterConfig, options: TraceOptions): NetworkSummary {
  using network = segmenter(config);
  const { trace, logits } = traceNetwork(network, options);
  const parameters = parametersByPart(network);
  const parts = [...parameters].map(([part, count]) => ({
    part,
    convolutions: trace.convolutions.get(part) ?? 0,
    parameters: count,
    multiplyAdds: trace.multiplyAdds.get(part) ?? 0,
  }));
  return {
    parts,
    convolutions: total(trace.convolutions),
    parameters: total(parameters),
    multiplyAdds: total(trace.multiplyAdds),
    activationBytes: trace.keptBytes,
    logits,
  };
}

/** Formats the summary as a table for a terminal. */
export function formatSummary(summary: NetworkSummary): string {
  const { convolutions, parameters, multiplyAdds, activationBytes, logits } = summary;
  const head = ["part", "convolutions", "parameters", "GMAC, forward"];
  const rows = [...summary.parts, { part: "all", convolutions, parameters, multiplyAdds }].map((row) => [
    row.part,
    String(row.convolutions),
    row.parameters.toLocaleString("en"),
    (row.multiplyAdds / 1e9).toFixed(2),
  ]);
  const memory = `activations kept for the backward pass: ${(activationBytes / 2 ** 30).toFixed(2)} GiB`;
  return [...textTable([head, ...rows]), `logits: [${logits.join(", ")}]`, memory].join("\n");
}
