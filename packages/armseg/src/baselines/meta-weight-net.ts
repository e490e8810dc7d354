import type { Tensor } from "@armseg/torch";
import { nn, noGrad, ops, tidy } from "@armseg/torch";
import { CURVE_INTERVALS, interpolateKnots } from "../reweighting/curve.ts";
import type { LookAhead } from "./look-ahead.ts";
import {
  gradientAlignment,
  metaGradient,
  movedBy,
  trainingGradient,
  trainingLosses,
  validCount,
} from "./look-ahead.ts";

/**
 * Meta-Weight-Net: a perceptron 1-100-1 from a pixel's loss to its weight in (0, 1) (Shu et al. 2019, section 2).
 *
 * A baseline for ARM: it needs images with clean labels, and four more passes per iteration. Its weights go into the loss as
 * `pixelWeights`, with no curve: the objective is (1/n) Σ V(l_i)·l_i.
 *
 * @example
 * const net = new MetaWeightNet();
 * const optimizer = new optim.Adam(net, { learningRate: 1e-3, weightDecay: 1e-4 });
 * const pixelWeights = metaWeightNetStep(net, optimizer, ahead);
 */
export class MetaWeightNet extends nn.Module {
  readonly linear1 = new nn.Linear(1, 100);
  readonly linear2 = new nn.Linear(100, 1);

  /** @param loss - Any shape. @returns V(l) in (0, 1), of the same shape. */
  forward(loss: Tensor): Tensor {
    const hidden = this.linear1.call(loss.reshape([-1, 1])).relu();
    return this.linear2.call(hidden).sigmoid().reshape(loss.shape);
  }
}

/** What steps the perceptron's parameters; the paper uses Adam at 1e-3, its code with weight decay 1e-4. */
interface Steps {
  zeroGrad(): void;
  step(): void;
}

/**
 * Returns V of every pixel, through 1025 knots between the smallest and the largest loss.
 *
 * A hidden layer of 100 for a million pixels would take 400 MB; V is a scalar curve, so knots lose nothing that matters.
 */
export function lossWeights(net: MetaWeightNet, lossMap: Tensor): Tensor {
  return tidy(() => {
    const loss = lossMap.detach();
    const [least, most] = [loss.min().item(), loss.max().item()];
    const span = Math.max(most - least, 1e-6);
    const place = { dtype: loss.dtype, device: loss.device };
    const knots = net.call(ops.linspace(least, least + span, CURVE_INTERVALS + 1, place));
    const position = loss
      .sub(least)
      .mul(2 / span)
      .sub(1);
    return interpolateKnots(knots, position.clamp(-1, 1));
  });
}

/**
 * Updates the perceptron once, and returns the weights of the batch after it (Shu et al. 2019, Eqs. 3 to 5).
 *
 * 1. θ̂ = θ − α·∇(1/n) Σ V(l_i)·l_i; 2. g = the meta loss's gradient at θ̂; 3. dL/dw_i = −(α/n)·⟨g, ∇l_i(θ)⟩, by
 * {@link gradientAlignment}; 4. V follows that gradient by its own optimiser. V's input is detached, as in the authors'
 * code. The network's parameters are as before afterwards.
 *
 * @returns V(l) of the updated perceptron, `[N, H, W]`, 0 where ignored, detached: `pixelWeights` of the loss.
 */
export function metaWeightNetStep(net: MetaWeightNet, optimizer: Steps, ahead: LookAhead): Tensor {
  return tidy(() => {
    const lossMap = trainingLosses(ahead);
    const valid = ahead.valid.to(lossMap.dtype);
    const slope = weightGradient(ahead, lossMap, lossWeights(net, lossMap).mul(valid));
    optimizer.zeroGrad();
    lossWeights(net, lossMap).mul(slope).sum().backward();
    optimizer.step();
    return noGrad(() => lossWeights(net, lossMap).mul(valid));
  });
}

/**
 * Returns dL_meta(θ̂)/dw_i = −(α/n)·⟨∇L_meta(θ̂), ∇l_i(θ)⟩ for the look-ahead θ̂ of weights w.
 *
 * @param lossMap - l at θ, recorded.
 * @returns `[N, H, W]`, 0 where ignored.
 */
export function weightGradient(ahead: LookAhead, lossMap: Tensor, weights: Tensor): Tensor {
  return tidy(() => {
    const training = trainingGradient(ahead, lossMap, weights);
    const direction = movedBy(ahead, training, -ahead.learningRate, () => metaGradient(ahead));
    const alignment = gradientAlignment(ahead, direction);
    return alignment.mul(-ahead.learningRate / validCount(ahead)).maskedFill(ahead.valid.logicalNot(), 0);
  });
}
