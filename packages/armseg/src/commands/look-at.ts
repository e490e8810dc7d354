import { fromTypedArray, tidy } from "@armseg/torch";
import type { EvaluationSettings } from "../config/build-evaluation.ts";
import type { LabelImage } from "../data/sample.ts";
import { imageTensor, type Network, predictWithLikelihoods } from "../evaluation/index.ts";
import type { EvaluationImage } from "../pipeline/index.ts";

/** What a network says of an image, row-major, in the size of its label. */
export interface SeenImage {
  readonly prediction: Uint8Array;
  /** p of the predicted class. */
  readonly likelihood: Float32Array;
  /** p of the given class, 0 where there is none. */
  readonly givenLikelihood: Float32Array;
}

/** Shows an image to a network, as evaluation does, beside the label that it was given. */
export function lookAt(
  network: Network,
  image: EvaluationImage,
  { data, height, width }: LabelImage,
  { device, inference }: Pick<EvaluationSettings, "device" | "inference">,
): SeenImage {
  return tidy(() => {
    const given = fromTypedArray(data, [1, height, width]).to(device, "uint8");
    const seen = predictWithLikelihoods(network, imageTensor(image, device), given, inference);
    return {
      prediction: seen.labels.toTypedArray() as Uint8Array,
      likelihood: seen.likelihood.toTypedArray() as Float32Array,
      givenLikelihood: seen.givenLikelihood.toTypedArray() as Float32Array,
    };
  });
}
