import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { type EvaluateOptions, type EvaluationInput, evaluate } from "../evaluation/index.ts";

/** Pixels by predicted class, `[C]` each. */
export interface CoverageCounts {
  /** Those that carry a label, of whatever class. */
  readonly labelled: Float64Array;
  /** All. */
  readonly predicted: Float64Array;
}

/**
 * Counts how many of the pixels that a network predicts as each class carry a label. Whole images, one by one: the memory does
 * not grow with the set.
 *
 * @throws {Error} Naming the image, if it has no label or the network fails on it.
 */
export async function countCoverage(
  options: Pick<
    EvaluateOptions,
    "predictLogits" | "numClasses" | "images" | "inference" | "device" | "peers"
  >,
): Promise<CoverageCounts> {
  const { confusion } = await evaluate({ ...options, images: byPresence(options.images) });
  const [unlabelled, labelled] = [ABSENT, PRESENT].map((row) =>
    Float64Array.from({ length: options.numClasses }, (_, k) => confusion.at(row, k)),
  ) as [Float64Array, Float64Array];
  return { labelled, predicted: labelled.map((count, k) => count + (unlabelled[k] as number)) };
}

/** In place of a class: whether there is a label. The confusion matrix then counts predictions by it. */
const ABSENT = 0;
const PRESENT = 1;

async function* byPresence(images: AsyncIterable<EvaluationInput>): AsyncGenerator<EvaluationInput> {
  for await (const image of images) {
    const { label } = image;
    const data = label?.data.map((value) => (value === IGNORE_INDEX ? ABSENT : PRESENT));
    yield label && data ? { ...image, label: { ...label, data } } : image;
  }
}

/** No class is taken to be labelled more rarely than this: a smaller share would give it an offset that few pixels bear out. */
export const LEAST_COVERAGE = 0.05;

/**
 * The pixels, as a share of all, by which a class is drawn towards the mean of all classes: what is hardly predicted says
 * little of its own coverage, and what is never predicted nothing.
 */
const PRIOR_SHARE = 1e-4;

/**
 * Returns the coverage of each class: c_k = (labelled pixels predicted as k) / (pixels predicted as k), drawn towards the mean
 * of all classes where few pixels are predicted as k, and clipped to [{@link LEAST_COVERAGE}, 1].
 *
 * @returns `[C]`; all 1 where nothing is predicted, or nothing labelled.
 */
export function coverageOf({ labelled, predicted }: CoverageCounts): Float64Array {
  const total = sum(predicted);
  const mean = total > 0 ? sum(labelled) / total : 0;
  if (mean === 0) return new Float64Array(predicted.length).fill(1);
  const prior = PRIOR_SHARE * total;
  return predicted.map((pixels, k) =>
    Math.min(1, Math.max(LEAST_COVERAGE, ((labelled[k] as number) + prior * mean) / (pixels + prior))),
  );
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
