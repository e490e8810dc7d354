import type { Size } from "../core/size.ts";

/** What a training runs on. */
export interface Machine {
  readonly device: "cpu" | "cuda";
  /** Multiply-adds of a network's forward pass per second of its training steps (forward, backward): what a probe measured. */
  readonly rate: number;
  /** In which it was measured, the fastest there is. */
  readonly precision: "float32" | "bfloat16" | "float16";
  /** False where nothing could be measured, and the rate is that of two processor cores. */
  readonly isMeasured: boolean;
}

/** What is trained on. */
export interface TrainingSize {
  /** `[height, width]` of the images, in pixels. */
  readonly imageSize: Size;
  readonly images: number;
  readonly validationImages: number;
}

/** A network, without what has its default. */
export interface FittedModel {
  readonly backbone: "resnet18" | "resnet50" | "resnet101";
  readonly stem?: "v1";
  readonly stages?: 3;
  readonly outputStride?: 16;
  readonly head?: "deeplabV3PlusOriginal";
  readonly headChannels?: number;
}

/** What of an optimiser is not the default. */
export interface FittedOptimizer {
  readonly type?: "adamw";
  readonly learningRate: number;
  readonly headMultiplier?: number;
  readonly weightDecay?: number;
}

/** A training that fits a machine and a time. */
export interface FittedTraining {
  /** In words, for one sentence. */
  readonly network: string;
  readonly model: FittedModel;
  readonly optimizer: FittedOptimizer;
  /** Rare classes are begun to be learned in few iterations with weights only; the paper has none. */
  readonly classWeights: "inverse-log" | "none";
  readonly schedule: "paper" | "poly";
  readonly iterations: number;
  /** `[height, width]`; `null` for the images' own. */
  readonly base: Size | null;
  readonly crop: Size;
  readonly batchSize: number;
  readonly accumulate: number;
  readonly evaluateEvery: number;
  /** Multiplies the curve's learning rate. */
  readonly curveMultiplier: number;
  /** Of one iteration, estimated. */
  readonly iterationSeconds: number;
  /** Of everything, estimated. */
  readonly hours: number;
}

/** A network that can be chosen. */
interface Candidate {
  readonly network: string;
  readonly model: FittedTraining["model"];
  /** Of the forward pass with auxiliary head and 19 classes, by `summarise`. */
  readonly multiplyAddsPerPixel: number;
}

const ORIGINAL = { stem: "v1", outputStride: 16, head: "deeplabV3PlusOriginal" } as const;

/** The paper's: mmsegmentation's DeepLabv3+ on ResNet-101. */
export const PAPER_NETWORK: Candidate = {
  network: "ResNet-101 at stride 8 with a head 512 wide, the paper's network",
  model: { backbone: "resnet101" },
  multiplyAddsPerPixel: 1_004_865,
};

export const LARGE: Candidate = {
  network: "ResNet-50 at stride 16 with the original head, 256 wide",
  model: { backbone: "resnet50", ...ORIGINAL, headChannels: 256 },
  multiplyAddsPerPixel: 152_967,
};

export const MIDDLE: Candidate = {
  network: "ResNet-18 at stride 16 with the original head, 256 wide",
  model: { backbone: "resnet18", ...ORIGINAL, headChannels: 256 },
  multiplyAddsPerPixel: 76_196,
};

export const SMALL: Candidate = {
  network: "ResNet-18 up to stage 3 with the original head, 128 wide",
  model: { backbone: "resnet18", ...ORIGINAL, stages: 3, headChannels: 128 },
  multiplyAddsPerPixel: 36_442,
};

/** What a processor may train, the best first. @see {@link fitTraining} */
const LEVELS = [
  { ...LARGE, side: 640, batch: 8 },
  { ...LARGE, side: 512, batch: 8 },
  { ...MIDDLE, side: 512, batch: 8 },
  { ...SMALL, side: 512, batch: 8 },
  { ...SMALL, side: 384, batch: 8 },
  { ...SMALL, side: 320, batch: 8 },
  { ...SMALL, side: 256, batch: 8 },
  { ...SMALL, side: 192, batch: 8 },
  { ...SMALL, side: 192, batch: 4 },
] as const;

/**
 * A backbone that is pretrained and a head that is not, for a few thousand iterations. ResNet-18 to stage 3 on CamVid (fine labels,
 * 800 iterations of 4, colours left alone): 47.2 % mIoU; SGD with 0.01 and ten times that for the head, 43.5 %. One training each; larger
 * networks have not been tried (docs/results.md).
 */
const SHORT_OPTIMIZER = { type: "adamw", learningRate: 5e-4, headMultiplier: 4, weightDecay: 0.01 } as const;

/** Fewer are too few even with pretrained weights. */
const ENOUGH_ITERATIONS = 1_500;
const FEWEST_ITERATIONS = 200;
const PAPER_ITERATIONS = 40_000;
/** Of Cityscapes' images, and the area of the paper's crops of them. */
const PAPER_SIDE = 2048;
const PAPER_CROP = 512 * 1024;
/** Further passes over a few images learn them by heart. */
const MOST_EPOCHS = 200;
/** Of the time: loading, evaluations, checkpoints and the report take the rest. */
const SHARE_OF_STEPS = 0.75;
const SHARE_OF_EVALUATIONS = 0.1;
/** A training step is a forward pass and a backward pass of about twice the work. */
const STEP_OVER_FORWARD = 3;
/** The curve needs thousands of iterations at the paper's rate (docs/method.md). */
const SHORT = 10_000;

/**
 * Chooses the best training that a machine finishes in a time.
 *
 * A processor takes the first of a list of networks, sizes and batches that leaves {@link ENOUGH_ITERATIONS}; images are shrunk so that a crop
 * covers two thirds of their sides. A GPU takes the paper's, with fewer iterations where the time is short.
 */
export function fitTraining(machine: Machine, data: TrainingSize, hours: number): FittedTraining {
  const seconds = hours * 3600 * SHARE_OF_STEPS;
  return machine.device === "cuda" ? fitPaper(machine, data, seconds) : fitProcessor(machine, data, seconds);
}

function fitProcessor(machine: Machine, data: TrainingSize, seconds: number): FittedTraining {
  const fitted = LEVELS.map((level) => {
    const { base, crop } = sizesFor(data.imageSize, level.side);
    const batchSize = Math.max(2, Math.min(level.batch, data.images));
    const iterationSeconds = (batchSize * crop[0] * crop[1] * level.multiplyAddsPerPixel) / machine.rate;
    return { level, base, crop, batchSize, iterationSeconds, affordable: seconds / iterationSeconds };
  });
  const chosen = fitted.find(({ affordable }) => affordable >= ENOUGH_ITERATIONS) ?? fitted.at(-1)!;
  const { level, base, crop, batchSize, iterationSeconds } = chosen;
  const most = Math.max(2_000, (MOST_EPOCHS * data.images) / batchSize);
  const iterations = rounded(
    Math.max(FEWEST_ITERATIONS, Math.min(chosen.affordable, most, PAPER_ITERATIONS)),
  );
  const evaluationSeconds = evaluation(machine, data, base ?? data.imageSize, level);
  return {
    network: level.network,
    model: level.model,
    optimizer: SHORT_OPTIMIZER,
    classWeights: "inverse-log",
    schedule: "poly",
    iterations,
    base,
    crop,
    batchSize,
    accumulate: 1,
    ...evaluations(iterations, seconds, evaluationSeconds),
    curveMultiplier: iterations < SHORT ? 10 : 1,
    iterationSeconds,
    hours: (iterations * iterationSeconds) / SHARE_OF_STEPS / 3600,
  };
}

function fitPaper(machine: Machine, data: TrainingSize, seconds: number): FittedTraining {
  const shrunk = Math.min(1, PAPER_SIDE / Math.max(...data.imageSize));
  const base = shrunk === 1 ? null : scaled(data.imageSize, shrunk);
  const size = base ?? data.imageSize;
  const crop = cropOf(size, Math.min(1, Math.sqrt(PAPER_CROP / (size[0] * size[1]))));
  const [batchSize, accumulate] = [2, 8];
  const pixels = batchSize * accumulate * crop[0] * crop[1];
  const iterationSeconds = (pixels * PAPER_NETWORK.multiplyAddsPerPixel) / machine.rate;
  const iterations = rounded(
    Math.max(FEWEST_ITERATIONS, Math.min(seconds / iterationSeconds, PAPER_ITERATIONS)),
  );
  return {
    network: PAPER_NETWORK.network,
    model: PAPER_NETWORK.model,
    optimizer: { learningRate: 0.02 },
    classWeights: "none",
    schedule: "paper",
    iterations,
    base,
    crop,
    batchSize,
    accumulate,
    ...evaluations(iterations, seconds, evaluation(machine, data, size, PAPER_NETWORK)),
    curveMultiplier: iterations < SHORT ? 10 : 1,
    iterationSeconds,
    hours: (iterations * iterationSeconds) / SHARE_OF_STEPS / 3600,
  };
}

/** Seconds of one pass over the validation images. */
function evaluation(
  { rate }: Machine,
  { validationImages }: TrainingSize,
  [height, width]: Size,
  { multiplyAddsPerPixel }: Candidate,
): number {
  return (validationImages * height * width * multiplyAddsPerPixel) / (rate * STEP_OVER_FORWARD);
}

/** Ten evaluations, or as many as a tenth of the time allows. */
function evaluations(iterations: number, seconds: number, each: number): { readonly evaluateEvery: number } {
  const count = Math.floor((SHARE_OF_EVALUATIONS * seconds) / SHARE_OF_STEPS / each);
  return { evaluateEvery: Math.ceil(iterations / Math.min(10, Math.max(1, count))) };
}

/** Images are shrunk to one and a half times the crop's longer side; smaller ones stay. */
function sizesFor(imageSize: Size, side: number): { readonly base: Size | null; readonly crop: Size } {
  const longer = Math.max(...imageSize);
  const scale = Math.min(1, (1.5 * side) / longer);
  const crop = cropOf(imageSize, Math.min(1, side / longer));
  return { base: scale === 1 ? null : scaled(imageSize, scale), crop };
}

function scaled([height, width]: Size, scale: number): Size {
  return [Math.round(height * scale), Math.round(width * scale)];
}

/** In whole strides, so that no feature is cut; at least two of them. */
function cropOf([height, width]: Size, scale: number): Size {
  const whole = (side: number) => Math.max(64, 32 * Math.round((side * scale) / 32));
  return [whole(height), whole(width)];
}

/** To two digits, downwards. */
function rounded(count: number): number {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return Math.floor(count / unit) * unit;
}

/** Says in one or two sentences what was chosen and why. */
export function fittedSentence(machine: Machine, fitted: FittedTraining, hours: number): string {
  const { network, base, crop, batchSize, accumulate, iterations, iterationSeconds } = fitted;
  const place = machine.device === "cuda" ? "the GPU" : "this machine's processors";
  const origin = machine.isMeasured ? `measured on ${place}` : "assumed, as libtorch is not set up here";
  const images = base ? `images shrunk to ${base.join("x")}, ` : "";
  const minutes = Math.max(1, Math.round(fitted.hours * 60));
  const time = minutes < 100 ? `${minutes} minutes` : `${(minutes / 60).toFixed(1)} hours`;
  const late = fitted.hours > 1.1 * hours ? ", more than was asked for" : "";
  return (
    `Training, for about ${time} (${iterationSeconds.toPrecision(2)} s an iteration, ${origin}${late}): ${network}; ${images}crops of ` +
    `${crop.join("x")}, ${batchSize * accumulate} per update, ${iterations.toLocaleString("en")} iterations, ${machine.precision}. ` +
    (machine.device === "cuda"
      ? "`--hours` sets the time."
      : "`--hours 8` takes more time and a larger network; on a GPU it would be the paper's: ResNet-101, a head 512 wide, crops of 512x1024, 40,000 iterations of 16.")
  );
}
