import { argumentError } from "../argument-error.ts";
import { noGrad } from "../autograd.ts";
import type { Tensor } from "../tensor.ts";

/** Which of a layer's two sides keeps its variance: its input in the forward pass, or its output's gradient. */
export type FanMode = "fanIn" | "fanOut";

/** The function that follows a layer. */
export type Nonlinearity = "linear" | "conv2d" | "sigmoid" | "tanh" | "relu" | "leakyRelu" | "selu";

/** Returns the factor on the standard deviation that a nonlinearity asks for; `slope` is that of the leaky ReLU's left half. */
export function gainOf(nonlinearity: Nonlinearity, slope = 0.01): number {
  switch (nonlinearity) {
    case "tanh":
      return 5 / 3;
    case "relu":
      return Math.SQRT2;
    case "leakyRelu":
      return Math.sqrt(2 / (1 + slope ** 2));
    case "selu":
      return 3 / 4;
    default:
      return 1;
  }
}

/**
 * Connections into and out of one unit of a weight `[out, in, ...kernel]`.
 *
 * @throws {RangeError} If the weight has fewer than two dimensions.
 */
export function fansOf(weight: Tensor): { fanIn: number; fanOut: number } {
  const [outputs, inputs, ...kernel] = weight.shape;
  if (outputs === undefined || inputs === undefined) {
    throw argumentError("fansOf", "a weight [out, in, ...kernel]", weight.shape);
  }
  const field = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * field, fanOut: outputs * field };
}

export interface KaimingOptions {
  /** Default `fanIn`. */
  readonly mode?: FanMode;
  /** Default `leakyRelu`. */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of the leaky ReLU's left half. Default 0, which makes it a ReLU. */
  readonly slope?: number;
}

function kaimingDeviation(weight: Tensor, options: KaimingOptions): number {
  const { mode = "fanIn", nonlinearity = "leakyRelu", slope = 0 } = options;
  return gainOf(nonlinearity, slope) / Math.sqrt(fansOf(weight)[mode]);
}

/** Fills from N(mean, deviation²). */
export function normal_<T extends Tensor>(tensor: T, mean = 0, deviation = 1): T {
  noGrad(() => tensor.normal_(mean, deviation));
  return tensor;
}

/** Fills from the uniform distribution on [low, high). */
export function uniform_<T extends Tensor>(tensor: T, low = 0, high = 1): T {
  noGrad(() => tensor.uniform_(low, high));
  return tensor;
}

/** Fills with one value. */
export function constant_<T extends Tensor>(tensor: T, value: number): T {
  noGrad(() => tensor.fill_(value));
  return tensor;
}

/** Fills from N(0, gain² / fan): He et al. 2015, as PyTorch's `kaiming_normal_`. */
export function kaimingNormal_<T extends Tensor>(weight: T, options: KaimingOptions = {}): T {
  return normal_(weight, 0, kaimingDeviation(weight, options));
}

/** Fills from U(-b, b) with b = gain·√(3 / fan): He et al. 2015, as PyTorch's `kaiming_uniform_`. */
export function kaimingUniform_<T extends Tensor>(weight: T, options: KaimingOptions = {}): T {
  const bound = Math.sqrt(3) * kaimingDeviation(weight, options);
  return uniform_(weight, -bound, bound);
}

function xavierDeviation(weight: Tensor, gain: number): number {
  const { fanIn, fanOut } = fansOf(weight);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
}

/** Fills from N(0, 2·gain² / (fanIn + fanOut)): Glorot and Bengio 2010. */
export function xavierNormal_<T extends Tensor>(weight: T, gain = 1): T {
  return normal_(weight, 0, xavierDeviation(weight, gain));
}

/** Fills from U(-b, b) with b = gain·√(6 / (fanIn + fanOut)): Glorot and Bengio 2010. */
export function xavierUniform_<T extends Tensor>(weight: T, gain = 1): T {
  const bound = Math.sqrt(3) * xavierDeviation(weight, gain);
  return uniform_(weight, -bound, bound);
}
