import { argumentError } from "./argument-error.ts";
import type { Device } from "./dtype.ts";
import type { NativeObject } from "./native/binding.ts";
import { binding } from "./native/load.ts";
import { Tensor } from "./tensor.ts";

function toSeed(seed: number | bigint): bigint {
  if (typeof seed === "bigint" ? seed >= 0n : Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  throw argumentError("manualSeed", "a non-negative integer", seed);
}

/** Seeds the default generators of all devices. */
export function manualSeed(seed: number | bigint): void {
  binding.manualSeed(toSeed(seed));
}

/**
 * A source of random numbers, for operators that take `{ generator }`.
 *
 * @example
 * const generator = new Generator("cpu", 7);
 * ops.randn([2], { generator });
 */
export class Generator {
  /** @internal */
  readonly native: NativeObject;

  /** @param seed - Start of the sequence; without one, this is the device's default generator itself. */
  constructor(device: Device = "cpu", seed?: number | bigint) {
    this.native =
      seed === undefined ? binding.defaultGenerator(device) : binding.createGenerator(device, toSeed(seed));
  }

  seed(seed: number | bigint): void {
    binding.seedGenerator(this.native, toSeed(seed));
  }

  /** The whole state, uint8 `[n]`: what a checkpoint must hold for a bitwise resume. */
  getState(): Tensor {
    return new Tensor(binding.generatorState(this.native));
  }

  setState(state: Tensor): void {
    binding.setGeneratorState(this.native, state.handle);
  }
}
