import type { Tensor } from "@armseg/torch";
import { noGrad, tidy } from "@armseg/torch";
import type { LookAhead } from "./look-ahead.ts";
import { gradientAlignment, metaGradient, validCount } from "./look-ahead.ts";

/**
 * Weighs pixels by Learning-to-Reweight: in proportion to how well their gradient agrees with that of a meta batch (Ren et al. 2018, Alg. 1).
 *
 * The look-ahead starts from weights 0, so that θ̂ = θ: w_i ∝ max(−dL_meta/dw_i, 0) = max(α·⟨∇L_meta, ∇l_i⟩, 0), summing to 1.
 * A baseline for ARM without anything learned; it needs images with clean labels, and four more passes per iteration.
 *
 * @returns n·w_i, `[N, H, W]`, 0 where ignored, detached: as `pixelWeights` the mean loss is Σ w_i·l_i. All 0 if no pixel
 * agrees.
 */
export function learningToReweight(ahead: LookAhead): Tensor {
  return tidy(() => {
    const direction = metaGradient(ahead);
    return noGrad(() => {
      const agreeing = gradientAlignment(ahead, direction)
        .clampMin(0)
        .maskedFill(ahead.valid.logicalNot(), 0);
      const total = agreeing.sum({ dtype: "float64" }).item();
      return total === 0 ? agreeing : agreeing.mul(validCount(ahead) / total);
    });
  });
}
