import { type Device, fromTypedArray, keep, type Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";

/**
 * The offset ln c of the logits for annotators who label some classes more thoroughly than others (DESIGN 6.1).
 *
 * If whether a pixel is labelled depends on its class alone, with probability c_k, then p(y | x, labelled) ∝ p(y | x)·c_y. So the
 * cross entropy of z + ln c at the labelled pixels makes softmax(z) estimate p(y | x), and z is what predicts. It is a prior
 * correction as logit adjustment is (Menon et al. 2021): with class weights it corrects twice.
 */
export class CoverageOffset {
  /** c of each class, `[C]`; `null` until it is estimated: no offset. */
  #coverage: Float64Array | null = null;
  #offset: Tensor | null = null;
  readonly #classes: number;
  readonly #device: Device;

  constructor(classes: number, device: Device = "cpu") {
    this.#classes = classes;
    this.#device = device;
  }

  get coverage(): readonly number[] | null {
    return this.#coverage && [...this.#coverage];
  }

  /** ln c, float32 `[C]`, on the device; `null` until it is estimated. */
  get offset(): Tensor | null {
    return this.#offset;
  }

  /** Takes over the coverage of each class. @throws {RangeError} If there is not one in (0, 1] per class. */
  set(coverage: ArrayLike<number>): void {
    const values = Float64Array.from(coverage);
    if (values.length !== this.#classes || !values.every((value) => value > 0 && value <= 1)) {
      throw argumentError(
        "CoverageOffset.set",
        `${this.#classes} shares in (0, 1], one per class`,
        `[${[...values].join(", ")}]`,
      );
    }
    this.dispose();
    this.#coverage = values;
    const logs = fromTypedArray(Float32Array.from(values, Math.log), [values.length]);
    this.#offset = keep(logs.to(this.#device, logs.dtype));
  }

  /** Returns c, float64 `[C]`, for {@link set} to go on from; `null` until it is estimated. */
  state(): Tensor | null {
    return this.#coverage && fromTypedArray(Float64Array.from(this.#coverage), [this.#classes]);
  }

  /** Frees the offset; there is none until the next {@link set}. */
  dispose(): void {
    this.#offset?.dispose();
    this.#offset = null;
    this.#coverage = null;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
