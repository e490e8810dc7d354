import type { EvaluationSettings } from "../config/build-evaluation.ts";
import type { ImageRange } from "../data/image-form.ts";
import type { ClassInfo } from "../data/sample.ts";
import type { Network } from "../evaluation/index.ts";

/** What labels images: the network of a run, or an exported model. */
export interface Predictor extends Disposable {
  readonly settings: EvaluationSettings;
  /** Images as the settings read them to logits. */
  readonly predictLogits: Network;
  /** The file that it was loaded from. */
  readonly checkpoint: string;
  /** In the order of the outputs, as the run wrote them down. */
  readonly classes: readonly ClassInfo[];
  /** What images that are not 8-bit are spread over. */
  readonly imageRange: ImageRange | undefined;
}
