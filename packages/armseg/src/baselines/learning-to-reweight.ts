import type { Tensor } from "@armseg/torch";
import { noGrad, tidy } from "@armseg/torch";
import type { LookAhead } from "./look-ahead.ts";
import { cleanGradient, gradientAlignment, validCount } from "./look-ahead.ts";

/**
 * Learning-to-Reweight: pixels whose gradient agrees with that of a clean batch, in proportion (Ren et al. 2018, Alg. 1).
 *
 * The look-ahead starts from weights 0, so that θ̂ = θ: w_i ∝ max(−dL_clean/dw_i, 0) = max(α·⟨∇L_clean, ∇l_i⟩, 0), summing to 1.
 * A comparator of ARM without anything learned; it needs a clean held-out set, and four more passes an iteration.
 *
 * @returns n·w_i, `[N, H, W]`, 0 where ignored, detached: as `pixelWeights` the mean loss is Σ w_i·l_i. All 0 if no pixel
 * agrees.
 */
export function learningToReweight(ahead: LookAhead): Tensor {
  return tidy(() => {
    const clean = cleanGradient(ahead);
    return noGrad(() => {
      const agreeing = gradientAlignment(ahead, clean).clampMin(0).maskedFill(ahead.valid.logicalNot(), 0);
      const total = agreeing.sum({ dtype: "float64" }).item();
      return total === 0 ? agreeing : agreeing.mul(validCount(ahead) / total);
    });
  });
}
