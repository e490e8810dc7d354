import { argumentError } from "../argument-error.ts";
import type { Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import type { GroupOptions, ParameterGroup, ParameterSource, Update } from "./optimizer.ts";
import { Optimizer } from "./optimizer.ts";

/** The settings of {@link SGD}, for all parameters or for a group. */
export interface SGDSettings {
  /** May be negative, which makes the step an ascent; see {@link SGD} on what weight decay does then. */
  learningRate: number;
  /** Share of the last step's direction that is kept. Default 0. */
  momentum: number;
  /** Share of the gradient that is left out once there is momentum. Default 0. */
  dampening: number;
  /** λ of the term λ·p that is added to the gradient. Default 0. */
  weightDecay: number;
  /** Whether to look ahead by the momentum. Default false. */
  nesterov: boolean;
  /** Whether to follow the gradient instead of descending it; weight decay still decays. Default false. */
  maximize: boolean;
}

export type SGDOptions = Pick<SGDSettings, "learningRate"> & Partial<SGDSettings>;

const DEFAULTS = { momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false };
const BUFFER = "momentum_buffer";

/**
 * Stochastic gradient descent, as PyTorch's: with gradient g of parameter p,
 * d = g + λ·p; b = μ·b + (1 − dampening)·d (b = d at first); p −= learningRate · (b, or d + μ·b for Nesterov).
 *
 * A negative learning rate ascends: it is the adversary's in Liu et al. 2020. It turns the sign of the whole step, so
 * weight decay under it is weight *growth*. `maximize` turns the sign of g alone, and keeps decay a decay; without
 * weight decay the two are the same.
 */
export class SGD extends Optimizer<SGDSettings> {
  constructor(parameters: ParameterSource | readonly GroupOptions<SGDSettings>[], options: SGDOptions) {
    super(parameters, { ...DEFAULTS, ...options }, [BUFFER]);
    for (const group of this.groups) check(group);
  }

  protected override update(group: ParameterGroup<SGDSettings>, updates: readonly Update[]): void {
    const parameters = updates.map((update) => update.parameter);
    const direction = this.#direction(group, updates, decayed(group, updates));
    ops._foreachAdd_(parameters, direction, { alpha: -group.learningRate });
  }

  #direction(
    { momentum, dampening, nesterov }: SGDSettings,
    updates: readonly Update[],
    gradients: readonly Tensor[],
  ): readonly Tensor[] {
    if (momentum === 0) return gradients;
    const fresh = new Set<number>();
    const buffers = this.slot(BUFFER, updates, (_, i) => {
      fresh.add(i);
      return (gradients[i] as Tensor).clone();
    });
    const isOld = (_: Tensor, i: number) => !fresh.has(i);
    const old = buffers.filter(isOld);
    if (old.length > 0) {
      ops._foreachMul_(old, momentum);
      ops._foreachAdd_(old, gradients.filter(isOld), { alpha: 1 - dampening });
    }
    return nesterov ? ops._foreachAdd(gradients, buffers, { alpha: momentum }) : buffers;
  }
}

/** Returns the gradients with the sign of `maximize` and the weight decay in them. */
function decayed({ maximize, weightDecay }: SGDSettings, updates: readonly Update[]): readonly Tensor[] {
  const raw = updates.map((update) => update.gradient);
  const gradients = maximize ? ops._foreachNeg(raw) : raw;
  if (weightDecay === 0) return gradients;
  return ops._foreachAdd(
    gradients,
    updates.map((update) => update.parameter),
    { alpha: weightDecay },
  );
}

function check({ learningRate, momentum, dampening, weightDecay, nesterov }: SGDSettings): void {
  if (!Number.isFinite(learningRate)) {
    throw argumentError("SGD", "a finite learningRate", learningRate);
  }
  if (!(momentum >= 0) || !(weightDecay >= 0)) {
    throw argumentError("SGD", "momentum and weightDecay of at least 0", `${momentum} and ${weightDecay}`);
  }
  if (nesterov && (momentum === 0 || dampening !== 0)) {
    throw argumentError(
      "SGD",
      "momentum above 0 without dampening for nesterov",
      `${momentum} and ${dampening}`,
    );
  }
}
