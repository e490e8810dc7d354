import { amp, manualSeed, nn, noGrad, type Tensor } from "@armseg/torch";
import { testDevice } from "@armseg/torch/testing";
import { CounterRandom } from "../../core/random.ts";
import { Affinity } from "../../correction/affinity.ts";
import { CoverageOffset } from "../../correction/coverage-offset.ts";
import { ONE_PROCESS } from "../../distributed/context.ts";
import { SegmentationLoss } from "../../losses/index.ts";
import { type Backbone, FcnHead, Segmenter } from "../../networks/index.ts";
import type { Batch } from "../../pipeline/index.ts";
import { ArmCurve } from "../../reweighting/index.ts";
import { Ema } from "../ema.ts";
import {
  curveGroup,
  type NetworkGroupOptions,
  networkGroups,
  ParameterGroups,
  type UpdateRule,
} from "../parameter-groups.ts";
import type { Training } from "../step.ts";

export const CLASSES = 3;
const SIZE = [32, 32] as const;

export interface SmallTrainingOptions {
  readonly rule?: UpdateRule;
  readonly learningRate?: number;
  readonly groups?: Partial<NetworkGroupOptions>;
  readonly precision?: "float32" | "bfloat16" | "float16";
  readonly clipNorm?: number;
  readonly ema?: number;
  readonly hasCurve?: boolean;
  /** Whether losses are scaled, as under float16. Default: under float16. */
  readonly isScaled?: boolean;
  /** Default 65536. */
  readonly initialScale?: number;
  /** Default 0. */
  readonly dropout?: number;
  /** Whether there is a coverage offset. Default false. */
  readonly hasCoverage?: boolean;
  /** Weight of the affinity. Default none. */
  readonly affinity?: number;
}

/** Two convolutions of stride 2, with a stage behind each. */
class TinyBackbone extends nn.Module<[images: Tensor], readonly Tensor[]> implements Backbone {
  readonly channels = [4, 6];
  readonly omitted = [];
  readonly conv1 = new nn.Conv2d(3, 4, 3, { stride: 2, padding: 1, bias: false });
  readonly bn1 = new nn.BatchNorm2d(4);
  readonly conv2 = new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1 });

  stageModules() {
    return [[], [this.conv1, this.bn1], [this.conv2]];
  }

  forward(images: Tensor): readonly Tensor[] {
    const fine = this.bn1.call(this.conv1.call(images)).relu();
    return [fine, this.conv2.call(fine).relu()];
  }
}

/** A whole segmentation network of a thousand weights. */
function tinyNetwork(dropout: number): Segmenter {
  const shared = { classes: CLASSES, headChannels: 4, dropout };
  const head = new FcnHead({ ...shared, inChannels: 6 });
  noGrad(() => head.convSeg.weight.mul_(100)); // some pixels are confident
  const parts = {
    backbone: new TinyBackbone(),
    head,
    auxiliary: new FcnHead({ ...shared, inChannels: 4, stageFromLast: 2 }),
    logScale: null,
  };
  return new Segmenter(parts, { classes: CLASSES, memoryFormat: "contiguous" });
}

export type SmallTraining = Training & { readonly groups: ParameterGroups } & Disposable;

/** A tiny network with auxiliary head, and ARM's curve; two of them begin with the same weights. */
export function smallTraining(options: SmallTrainingOptions = {}): SmallTraining {
  const {
    rule = { type: "sgd", momentum: 0, nesterov: false },
    learningRate = 0.1,
    hasCurve = true,
  } = options;
  const { precision = "float32", clipNorm = null, initialScale = 65536 } = options;
  const { isScaled = precision === "float16" } = options;
  manualSeed(0);
  const network = tinyNetwork(options.dropout ?? 0);
  network.to({ device: testDevice }).train();
  const curve = hasCurve ? new ArmCurve().to({ device: testDevice }) : null;
  const groups = new ParameterGroups(
    [
      ...networkGroups(network, {
        headMultiplier: 1,
        weightDecay: 0,
        decayNormAndBias: true,
        ...options.groups,
      }),
      ...(curve ? [curveGroup(curve, {})] : []),
    ],
    rule,
    learningRate,
  );
  const ema = options.ema === undefined ? null : new Ema(network, options.ema);
  const coverage = options.hasCoverage ? new CoverageOffset(CLASSES, testDevice) : null;
  return {
    coverage,
    affinity: options.affinity === undefined ? null : new Affinity(options.affinity, [58, 57, 57]),
    network,
    curve,
    groups,
    optimizer: groups.optimizer,
    scaler: new amp.GradScaler({ enabled: isScaled, initialScale }),
    ema,
    losses: {
      main: new SegmentationLoss({ curve }),
      auxiliary: new SegmentationLoss(),
      auxiliaryWeight: 0.4,
      sumsOver: "process",
    },
    context: ONE_PROCESS,
    reducer: ONE_PROCESS.reducer([]),
    settings: { device: testDevice, precision, clipNorm },
    [Symbol.dispose]: () => {
      for (const owner of [network, curve, groups.optimizer, ema, coverage]) owner?.dispose();
    },
  };
}

/** Two images of noise with a class to each half; the same number makes the same batch. */
export function noiseBatch(
  iteration: number,
  change: Partial<Pick<Batch, "images" | "labels" | "validPixels">> = {},
): Batch {
  const random = new CounterRandom({ seed: 0, iteration, index: 0, stream: 0 });
  const pixels = 2 * SIZE[0] * SIZE[1];
  return {
    iteration,
    images: Float32Array.from({ length: 3 * pixels }, () => random.uniform(-2, 2)),
    labels: Uint8Array.from(
      { length: pixels },
      (_, i) => (iteration + Math.floor((2 * i) / pixels)) % CLASSES,
    ),
    names: [],
    validPixels: pixels,
    format: { batchSize: 2, size: SIZE, weights: false },
    [Symbol.dispose]: () => {},
    ...change,
  };
}

/** The numbers of every parameter and buffer, on the host, by name. */
export function numbersOf(
  module: { stateDict(): ReadonlyMap<string, Tensor> } | null,
): Map<string, number[]> {
  return new Map(
    [...(module?.stateDict() ?? [])].map(([name, tensor]) => {
      using host = tensor.detach().to("cpu", "float64").contiguous();
      return [name, Array.from(host.toTypedArray() as Float64Array)];
    }),
  );
}
