import { argumentError } from "../argument-error.ts";
import type { Parameter, Tensor } from "../tensor.ts";
import { ops } from "../tensor.ts";
import type { GroupOptions, ParameterGroup, ParameterSource, Update } from "./optimizer.ts";
import { Optimizer } from "./optimizer.ts";

/** The settings of {@link Adam} and AdamW, for all parameters or for a group. */
export interface AdamSettings {
  /** May be negative, which makes the step an ascent; weight decay is growth then. */
  learningRate: number;
  /** Decay of the mean of gradients. Default 0.9. */
  beta1: number;
  /** Decay of the mean of their squares. Default 0.999. */
  beta2: number;
  /** Added to the root of the mean square. Default 1e-8. */
  eps: number;
  /** λ of the term λ·p that is added to the gradient (Adam; default 0), or of the factor 1 − learningRate·λ on p (AdamW; default 0.01). */
  weightDecay: number;
  /** Whether to follow the gradient instead of descending it; weight decay still decays. Default false. */
  maximize: boolean;
}

export type AdamOptions = Pick<AdamSettings, "learningRate"> & Partial<AdamSettings>;

const DEFAULTS = { beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0, maximize: false };

/**
 * Adam (Kingma and Ba 2015), as PyTorch's: with d = g + λ·p, m = β1·m + (1 − β1)·d; v = β2·v + (1 − β2)·d²;
 * p −= learningRate·(m / (1 − β1ᵗ)) / (√(v / (1 − β2ᵗ)) + eps).
 */
export class Adam extends Optimizer<AdamSettings> {
  /** Steps that each parameter has taken: it is skipped when it has no gradient. */
  readonly #steps = new Map<string, number>();

  constructor(parameters: ParameterSource | readonly GroupOptions<AdamSettings>[], options: AdamOptions) {
    super(parameters, { ...DEFAULTS, ...options }, ["exp_avg", "exp_avg_sq"]);
    for (const group of this.groups) check(this.constructor.name, group);
  }

  protected override update(group: ParameterGroup<AdamSettings>, updates: readonly Update[]): void {
    const { learningRate, beta1, beta2, eps, maximize } = group;
    const parameters = updates.map((update) => update.parameter);
    const raw = updates.map((update) => update.gradient);
    const gradients = this.decay(group, parameters, maximize ? ops._foreachNeg(raw) : raw);
    const means = this.slot("exp_avg", updates, ({ parameter }) => parameter.zerosLike());
    const squares = this.slot("exp_avg_sq", updates, ({ parameter }) => parameter.zerosLike());
    const steps = updates.map(({ name }) => this.#count(name));

    ops._foreachMul_(means, beta1);
    ops._foreachAdd_(means, gradients, { alpha: 1 - beta1 });
    ops._foreachMul_(squares, beta2);
    ops._foreachAddcmul_(squares, gradients, gradients, 1 - beta2);

    const roots = ops._foreachSqrt(squares);
    ops._foreachDiv_(
      roots,
      steps.map((step) => Math.sqrt(1 - beta2 ** step)),
    );
    ops._foreachAdd_(roots, eps);
    ops._foreachAddcdiv_(
      parameters,
      means,
      roots,
      steps.map((step) => -(learningRate / (1 - beta1 ** step))),
    );
  }

  /** Applies the weight decay, here to the gradients, and gives the directions that the means are taken of. */
  protected decay(
    { weightDecay }: ParameterGroup<AdamSettings>,
    parameters: readonly Parameter[],
    gradients: readonly Tensor[],
  ): readonly Tensor[] {
    return weightDecay === 0 ? gradients : ops._foreachAdd(gradients, parameters, { alpha: weightDecay });
  }

  #count(name: string): number {
    const step = (this.#steps.get(name) ?? 0) + 1;
    this.#steps.set(name, step);
    return step;
  }

  protected override numbers(): Record<string, number> {
    return Object.fromEntries([...this.#steps].map(([name, step]) => [`steps.${name}`, step]));
  }

  protected override loadNumbers(numbers: Readonly<Record<string, number>>): void {
    this.#steps.clear();
    for (const group of this.groups) {
      for (const name of group.parameters.keys()) {
        const step = numbers[`steps.${name}`];
        if (step !== undefined) this.#steps.set(name, step);
      }
    }
  }
}

function check(name: string, { learningRate, beta1, beta2, eps, weightDecay }: AdamSettings): void {
  if (!Number.isFinite(learningRate)) {
    throw argumentError(name, "a finite learningRate", learningRate);
  }
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) {
    throw argumentError(name, "beta1 and beta2 in [0, 1)", `${beta1} and ${beta2}`);
  }
  if (!(eps >= 0 && weightDecay >= 0)) {
    throw argumentError(name, "eps and weightDecay of at least 0", `${eps} and ${weightDecay}`);
  }
}
