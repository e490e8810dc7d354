import { Generator, nn, noGrad, ops, type Tensor, tensor, tidy } from "@armseg/torch";
import type { Segmenter } from "../networks/index.ts";
import type { ModelMetadata } from "./metadata.ts";
import { RuntimeSession } from "./runtime/session.ts";

/** How a model compares with its network on one image. */
export interface Comparison {
  /** `[height, width]`. */
  readonly size: readonly [number, number];
  /** Largest difference of logits or likelihoods, divided by the largest logit where that is above 1; 0 for classes. */
  readonly difference: number;
  /** Share of the pixels with the same class. */
  readonly agreement: number;
  /** Pixels of another class whose two likeliest classes the network itself has within {@link TOLERANCE}. */
  readonly ties: number;
}

/** What logits and likelihoods may differ by, relative to the largest logit. */
export const TOLERANCE = 1e-4;
/** Share of the pixels that must have the same class. */
export const AGREEMENT = 0.9999;

/** The third is odd, so that every stride rounds. */
const SIZES = [
  [128, 192],
  [96, 96],
  [131, 177],
] as const;

/** Returns whether a comparison is as close as float32 lets it be. */
export function isEqual({ difference, agreement }: Comparison): boolean {
  return difference <= TOLERANCE && agreement >= AGREEMENT;
}

/** Runs a model beside the network that it was written from, on three images of three sizes. The network is in evaluation mode meanwhile. */
export function compareWithNetwork(network: Segmenter, path: string, metadata: ModelMetadata): Comparison[] {
  const wasTraining = network.isTraining;
  using session = new RuntimeSession(path);
  network.eval();
  try {
    return SIZES.map((size, i) => tidy(() => noGrad(() => compare(network, session, size, i, metadata))));
  } finally {
    network.train(wasTraining);
  }
}

function compare(
  network: Segmenter,
  session: RuntimeSession,
  size: readonly [number, number],
  seed: number,
  { output, normalise }: ModelMetadata,
): Comparison {
  const images = picture(size, seed);
  const [parameter] = network.parameters();
  const { device = "cpu", dtype = "float32" } = parameter ?? {};
  const shaped = (numbers: readonly number[]) => tensor(numbers).reshape([1, -1, 1, 1]);
  const seen = images.sub(shaped(normalise.mean)).div(shaped(normalise.std)).to(device, dtype);
  const logits = nn.interpolate(network.call(seen).logits.to("cpu", "float32"), { size }); // [1, C, H, W]
  const found = session.run(images).get(output) as Tensor;
  const classes = output === "classes" ? found.to("cpu", "int64") : found.argmax(1);
  const differs = classes.ne(logits.argmax(1)); // [1, H, W]
  const close = marginOf(logits).lt(TOLERANCE * scaleOf(logits));
  const ties = differs.logicalAnd(close).sum().item();
  return {
    size,
    difference: output === "classes" ? 0 : differenceOf(found, logits, output),
    agreement: 1 - (differs.sum().item() - ties) / differs.numel,
    ties,
  };
}

/** Smooth colours with noise over them, `[1, 3, H, W]`, whole levels of 0 to 255. */
function picture([height, width]: readonly [number, number], seed: number): Tensor {
  const generator = new Generator("cpu", seed);
  const coarse = ops.rand([1, 3, 5, 7], { generator });
  const smooth = nn.interpolate(coarse, { size: [height, width] });
  return smooth
    .mul(200)
    .add(ops.rand([1, 3, height, width], { generator }).mul(55))
    .round();
}

function scaleOf(logits: Tensor): number {
  return Math.max(1, logits.abs().max().item());
}

function differenceOf(found: Tensor, logits: Tensor, output: "logits" | "likelihoods"): number {
  const expected = output === "logits" ? logits : logits.softmax(1);
  const largest = found.sub(expected).abs().max().item();
  return output === "logits" ? largest / scaleOf(logits) : largest;
}

/** Returns by how much the likeliest class leads, `[1, H, W]`. */
function marginOf(logits: Tensor): Tensor {
  const [values] = logits.topk(2, 1) as unknown as [Tensor, Tensor];
  return values.select(1, 0).sub(values.select(1, 1));
}
