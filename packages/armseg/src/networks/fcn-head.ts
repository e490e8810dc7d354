import type { Tensor } from "@armseg/torch";
import { nn, ops } from "@armseg/torch";
import { ConvNorm } from "./conv-norm.ts";
import type { Head, HeadOptions, HeadOutput } from "./head.ts";
import { classifier } from "./head.ts";
import { initialiseConvolutions } from "./initialise.ts";
import { batchNorm } from "./norm.ts";

export interface FcnHeadOptions extends HeadOptions {
  /** Channels of the stage that is read. */
  readonly inChannels: number;
  /** Which stage is read, from the coarsest: 1 the last, 2 the one before. Default 1. */
  readonly stageFromLast?: number;
  /** Default 1. */
  readonly convolutions?: number;
  /** Size of the kernels. Default 3. */
  readonly kernelSize?: 1 | 3;
  /** Whether input and output of the convolutions are joined by one more. Default false. */
  readonly joinInput?: boolean;
}

/**
 * Convolutions with normalisation and ReLU, dropout, classifier (Long et al. 2015; mmsegmentation's FCNHead).
 *
 * The auxiliary head of the recipes is one 3×3 convolution of stage 3 to 256 channels with dropout 0.1.
 */
export class FcnHead extends nn.Module<[stages: readonly Tensor[]], HeadOutput> implements Head {
  readonly convSeg: nn.Conv2d;
  readonly dropout: nn.Dropout2d;
  readonly convs: nn.Sequential;
  readonly convCat: ConvNorm | null;
  readonly featureChannels: number;
  readonly #stageFromLast: number;

  constructor(options: FcnHeadOptions) {
    super();
    const {
      classes,
      inChannels,
      headChannels: channels = 256,
      convolutions = 1,
      kernelSize = 3,
      dropout = 0.1,
    } = options;
    const { norm = batchNorm, joinInput = false } = options;
    const shape = { padding: (kernelSize - 1) / 2, norm };
    const layers = Array.from(
      { length: convolutions },
      (_, i) => new ConvNorm(i === 0 ? inChannels : channels, channels, kernelSize, shape),
    );
    this.#stageFromLast = options.stageFromLast ?? 1;
    this.featureChannels = channels;
    this.dropout = new nn.Dropout2d(dropout);
    this.convs = new nn.Sequential(...layers);
    this.convCat = joinInput ? new ConvNorm(inChannels + channels, channels, kernelSize, shape) : null;
    initialiseConvolutions(this);
    this.convSeg = classifier(channels, classes);
  }

  forward(stages: readonly Tensor[]): HeadOutput {
    const input = stages.at(-this.#stageFromLast) as Tensor; // [N, I, h, w]
    const convolved = this.convs.call(input); // [N, F, h, w]
    const features = this.convCat?.call(ops.cat([input, convolved], 1)) ?? convolved; // [N, F, h, w]
    const logits = this.convSeg.call(this.dropout.call(features)); // [N, C, h, w]
    return { logits, features };
  }
}
