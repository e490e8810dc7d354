import { gradients, ops, type Tensor, tidy } from "@armseg/torch";
import { Conv2d, type KernelShape, kernelShapeName } from "./conv-2d.ts";
import { DepthwiseConv2d } from "./depthwise.ts";
import type { NetworkMemoryFormat } from "./segmenter.ts";
import { processorSeconds } from "./time-step.ts";

export interface TimeConvolutionOptions {
  readonly batch: number;
  readonly memoryFormat: NetworkMemoryFormat;
  /** Whether the kernels compute it, or libtorch. */
  readonly byKernel: boolean;
  /** Passes that are timed, behind one that is not. Default 2. */
  readonly repeats?: number;
}

/**
 * Measures a forward pass and both gradients of one convolution on noise: the fastest of a few, in seconds of all threads' processor time, on which other
 * programs have little influence. Draws random numbers; seed afterwards.
 */
export function timeConvolution(shape: KernelShape, options: TimeConvolutionOptions): number {
  const { batch, memoryFormat, byKernel, repeats = 2 } = options;
  const { inChannels, outChannels, dilation, isDepthwise, size } = shape;
  const Convolution = isDepthwise ? DepthwiseConv2d : Conv2d;
  const groups = isDepthwise ? inChannels : 1;
  using convolution = new Convolution(inChannels, outChannels, 3, {
    padding: dilation,
    dilation,
    groups,
    bias: false,
  });
  if (byKernel) convolution.kernelShapes = new Set([kernelShapeName(shape)]);
  convolution.to({ memoryFormat });
  const pass = (): number =>
    tidy(() => {
      const noise = (channels: number) => ops.randn([batch, channels, ...size]).contiguous({ memoryFormat });
      const [input, slope] = [noise(inChannels).requiresGrad_(), noise(outChannels)] as [Tensor, Tensor];
      const start = processorSeconds();
      gradients([convolution.call(input)], [input, convolution.weight], { gradOutputs: [slope] });
      return processorSeconds() - start;
    });
  pass(); // compiles kernels, chooses algorithms
  return Math.min(...Array.from({ length: repeats }, pass));
}
