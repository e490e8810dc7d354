import { argumentError } from "../argument-error.ts";
import { noGrad } from "../autograd.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { ops, type Tensor } from "../tensor.ts";

export interface GradScalerOptions {
  /** Default 65536. */
  readonly initialScale?: number;
  /** Default 2. */
  readonly growthFactor?: number;
  /** Default 0.5. */
  readonly backoffFactor?: number;
  /** Steps without an infinite gradient after which the scale grows. Default 2000. */
  readonly growthInterval?: number;
  /** Default true; false makes all methods pass through, for code that runs with and without float16. */
  readonly enabled?: boolean;
}

/** What a {@link GradScaler} remembers. */
export interface GradScalerState {
  readonly scale: number;
  readonly growthTracker: number;
  readonly skippedSteps: number;
}

/** An optimizer of which steps are skipped. */
type AnyOptimizer = Pick<Optimizer<object>, "parameters" | "step">;

/**
 * Keeps float16 gradients from vanishing: the loss is multiplied by a scale, the gradients are divided by it, and a step
 * whose gradients overflowed is skipped. The scale falls after such a step and grows after many good ones, as in
 * PyTorch's GradScaler. With bfloat16 it is not needed.
 *
 * @example
 * scaler.scale(loss).backward();
 * scaler.unscale_(optimizer); // only to look at the gradients or to clip them before the step
 * scaler.step(optimizer);
 * scaler.update();
 */
export class GradScaler {
  readonly #options: Required<GradScalerOptions>;
  #scale: number;
  #growthTracker = 0;
  #skippedSteps = 0;
  /** Since the last update: whether the gradients of an optimizer were finite, and whether it has stepped. */
  readonly #optimizers = new Map<AnyOptimizer, { areFinite: boolean; hasStepped: boolean }>();

  constructor(options: GradScalerOptions = {}) {
    const {
      initialScale = 65536,
      growthFactor = 2,
      backoffFactor = 0.5,
      growthInterval = 2000,
      enabled = true,
    } = options;
    if (!(growthFactor > 1) || !(backoffFactor > 0 && backoffFactor < 1)) {
      const got = `${growthFactor} and ${backoffFactor}`;
      throw argumentError("GradScaler", "growthFactor above 1 and backoffFactor in (0, 1)", got);
    }
    this.#options = { initialScale, growthFactor, backoffFactor, growthInterval, enabled };
    this.#scale = initialScale;
  }

  /** Whether losses are scaled at all. */
  get isEnabled(): boolean {
    return this.#options.enabled;
  }

  /** The factor on the loss at present; 1 when disabled. */
  get currentScale(): number {
    return this.#options.enabled ? this.#scale : 1;
  }

  /** Steps that were left out so far because a gradient was not finite. */
  get skippedSteps(): number {
    return this.#skippedSteps;
  }

  /** The loss times the scale, in float32: call `backward()` on it. */
  scale(loss: Tensor): Tensor {
    if (!this.#options.enabled) return loss;
    return loss.to("float32").mul(this.#scale);
  }

  /**
   * Divides the gradients of the optimizer's parameters by the scale, in place.
   *
   * @throws {Error} If they were divided already since the last {@link update}.
   */
  unscale_(optimizer: AnyOptimizer): void {
    if (!this.#options.enabled) return;
    if (this.#optimizers.has(optimizer)) {
      throw new Error("unscale_(): the gradients were divided already; call update() after each step");
    }
    const areFinite = noGrad(() => {
      const gradients = Array.from(optimizer.parameters(), (parameter) => parameter.grad);
      return unscale(
        gradients.filter((gradient) => gradient !== null),
        Math.fround(1 / this.#scale),
      );
    });
    this.#optimizers.set(optimizer, { areFinite, hasStepped: false });
  }

  /**
   * Steps unless a gradient is infinite or not a number; divides the gradients by the scale if that was not done.
   *
   * @returns Whether the optimizer stepped.
   * @throws {Error} If it has stepped already since the last {@link update}.
   */
  step(optimizer: AnyOptimizer): boolean {
    if (!this.#options.enabled) {
      optimizer.step();
      return true;
    }
    if (!this.#optimizers.has(optimizer)) this.unscale_(optimizer);
    const state = this.#optimizers.get(optimizer);
    if (!state || state.hasStepped) {
      throw new Error("step(): this optimizer has stepped already; call update() after each step");
    }
    state.hasStepped = true;
    if (state.areFinite) optimizer.step();
    else this.#skippedSteps += 1;
    return state.areFinite;
  }

  /** Adapts the scale to what the steps since the last call found. */
  update(): void {
    if (!this.#options.enabled) return;
    if (this.#optimizers.size === 0) throw new Error("update(): no optimizer stepped since the last update");
    const areFinite = [...this.#optimizers.values()].every((state) => state.areFinite);
    this.#optimizers.clear();
    if (areFinite) this.#grow();
    else this.#shrink();
  }

  #grow(): void {
    this.#growthTracker += 1;
    if (this.#growthTracker < this.#options.growthInterval) return;
    this.#growthTracker = 0;
    const grown = Math.fround(this.#scale * this.#options.growthFactor);
    if (Number.isFinite(grown)) this.#scale = grown;
  }

  #shrink(): void {
    this.#growthTracker = 0;
    this.#scale = Math.fround(this.#scale * this.#options.backoffFactor);
  }

  stateDict(): GradScalerState {
    return { scale: this.#scale, growthTracker: this.#growthTracker, skippedSteps: this.#skippedSteps };
  }

  /** Continues from a state. @throws {RangeError} If its scale is not a positive number. */
  loadStateDict(state: GradScalerState): void {
    if (!(state.scale > 0 && Number.isFinite(state.scale))) {
      throw argumentError("loadStateDict", "a positive scale", state.scale);
    }
    this.#scale = state.scale;
    this.#growthTracker = state.growthTracker;
    this.#skippedSteps = state.skippedSteps;
  }
}

function unscaleComposed(gradients: readonly Tensor[], factor: number): boolean {
  const largest = ops.stack(ops._foreachNorm(gradients, Number.POSITIVE_INFINITY));
  const areFinite = largest.isfinite().all().item() === 1;
  ops._foreachMul_(gradients, factor);
  return areFinite;
}

function unscaleFused(gradients: readonly Tensor[], factor: number, device: string): boolean {
  const foundInf = ops.zeros([1], { device });
  ops._ampForeachNonFiniteCheckAndUnscale_(gradients, foundInf, ops.full([1], factor, { device }));
  return foundInf.item() === 0;
}

function groupByDeviceAndType(gradients: readonly Tensor[]): Map<string, Tensor[]> {
  const groups = new Map<string, Tensor[]>();
  for (const gradient of gradients) {
    const key = `${gradient.device} ${gradient.dtype}`;
    const group = groups.get(key);
    if (group) group.push(gradient);
    else groups.set(key, [gradient]);
  }
  return groups;
}

/** Multiplies gradients by `factor` in place, and tells whether all of them were finite. */
function unscale(gradients: readonly Tensor[], factor: number): boolean {
  let areFinite = true;
  for (const group of groupByDeviceAndType(gradients).values()) {
    const device = (group[0] as Tensor).device;
    // libtorch before 2.3 has no CPU kernel for the fused operator.
    const isGroupFinite =
      device === "cpu" ? unscaleComposed(group, factor) : unscaleFused(group, factor, device);
    areFinite &&= isGroupFinite;
  }
  return areFinite;
}
