import type { Tensor } from "@armseg/torch";
import { Generator, gradients, noGrad, tidy } from "@armseg/torch";

/** A training batch and a meta batch, as functions of the network's present parameters. */
export interface LookAhead {
  /** What the look-ahead step moves; the losses may depend on other parameters too, which stay. */
  readonly parameters: readonly Tensor[];
  /** Losses of the training batch, `[N, H, W]`, 0 where ignored. Called with and without recording. */
  readonly trainingLoss: () => Tensor;
  /** Where the training batch is not ignored, bool `[N, H, W]`. */
  readonly valid: Tensor;
  /** Mean loss of a batch with clean labels that the training set does not hold, `[]`. */
  readonly metaLoss: () => Tensor;
  /** α, the step of the look-ahead: plain gradient descent, as in both papers' code. The network's learning rate. */
  readonly learningRate: number;
}

/** Step of the difference, relative to the direction: ε = 0.01/‖g‖, as DARTS (Liu et al. 2019) takes it. */
const RELATIVE_STEP = 0.01;

/**
 * Returns the gradient of Σ w_i·l_i / n of the training batch, the one that the look-ahead step follows.
 *
 * @param lossMap - l, from {@link LookAhead.trainingLoss}, recorded.
 * @param weights - w, `[N, H, W]`, 0 where ignored.
 */
export function trainingGradient(ahead: LookAhead, lossMap: Tensor, weights: Tensor): Tensor[] {
  const mean = lossMap.mul(weights.detach()).sum().div(validCount(ahead));
  return gradientsOf(ahead, mean);
}

/** Returns the gradient of the meta loss at the present parameters. */
export function metaGradient(ahead: LookAhead): Tensor[] {
  return tidy(() => gradientsOf(ahead, withoutEffects(ahead, ahead.metaLoss)));
}

function gradientsOf(ahead: LookAhead, loss: Tensor): Tensor[] {
  const found = gradients([loss], ahead.parameters, { allowUnused: true });
  return found.map((gradient, i) => gradient ?? (ahead.parameters[i] as Tensor).zerosLike());
}

/** Returns the number of valid pixels of the training batch, at least 1. */
export function validCount(ahead: LookAhead): number {
  return Math.max(1, ahead.valid.sum().item());
}

/**
 * Returns how well each pixel's gradient agrees with a direction: a_i = ⟨g, ∇l_i⟩.
 *
 * A weight w_i moves the look-ahead parameters by −α·∇l_i/n, and so the meta loss by −α·a_i/n where g is the meta
 * gradient: all that Meta-Weight-Net and Learning-to-Reweight need of second derivatives. With a million pixels there can
 * be no gradient per pixel, but a_i is the derivative of l_i along g, and one difference gives it for all of them:
 * a_i = (l_i(θ + ε·g) − l_i(θ − ε·g))/2ε + O(ε²). Two forward passes, no graph of second order.
 *
 * @param direction - g, one tensor per parameter.
 * @returns `[N, H, W]`; 0 if the direction is.
 */
export function gradientAlignment(ahead: LookAhead, direction: readonly Tensor[]): Tensor {
  return noGrad(() => {
    const norm = Math.hypot(...direction.map((part) => part.norm().item()));
    if (norm === 0) return ahead.trainingLoss().zerosLike();
    const step = RELATIVE_STEP / norm;
    const above = movedBy(ahead, direction, step, () => withoutEffects(ahead, ahead.trainingLoss));
    const below = movedBy(ahead, direction, -step, () => withoutEffects(ahead, ahead.trainingLoss));
    return above.sub(below).div(2 * step);
  });
}

/** Runs `body` with the parameters at θ + step·direction, and puts them back to the last bit. */
export function movedBy<T>(ahead: LookAhead, direction: readonly Tensor[], step: number, body: () => T): T {
  const before = noGrad(() => ahead.parameters.map((parameter) => parameter.clone()));
  try {
    noGrad(() => {
      for (const [i, parameter] of ahead.parameters.entries()) {
        parameter.add_(direction[i] as Tensor, { alpha: step });
      }
    });
    return body();
  } finally {
    restore(ahead.parameters, before);
  }
}

/**
 * Runs a pass and puts the random numbers back, so that each pass sees the same dropout.
 *
 * Running means are the caller's to put back, and only after the last gradient: a recorded pass needs them as they were.
 */
function withoutEffects<T>(ahead: LookAhead, pass: () => T): T {
  const generator = new Generator(ahead.valid.device);
  const random = generator.getState();
  try {
    return pass();
  } finally {
    generator.setState(random);
    random.dispose();
  }
}

function restore(tensors: readonly Tensor[], values: readonly Tensor[]): void {
  noGrad(() => {
    for (const [i, tensor] of tensors.entries()) tensor.copy_(values[i] as Tensor);
  });
  for (const value of values) value.dispose();
}

/** Returns the recorded losses of the training batch at the present parameters, without other effects. */
export function trainingLosses(ahead: LookAhead): Tensor {
  return withoutEffects(ahead, ahead.trainingLoss);
}
