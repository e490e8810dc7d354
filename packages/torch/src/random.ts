import type { Device } from "./dtype.ts";
import type { NativeObject } from "./native/binding.ts";
import { door } from "./native/load.ts";
import { Tensor } from "./tensor.ts";

function toSeed(seed: number | bigint): bigint {
  if (typeof seed === "bigint" ? seed >= 0n : Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  throw new RangeError(`manualSeed(): expected a non-negative integer, got ${seed}`);
}

/** Seeds the default generators of all devices. */
export function manualSeed(seed: number | bigint): void {
  door.manualSeed(toSeed(seed));
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
      seed === undefined ? door.defaultGenerator(device) : door.createGenerator(device, toSeed(seed));
  }

  seed(seed: number | bigint): void {
    door.seedGenerator(this.native, toSeed(seed));
  }

  /** The whole state, uint8 `[n]`: what a checkpoint must hold for a bitwise resume. */
  getState(): Tensor {
    return new Tensor(door.generatorState(this.native));
  }

  setState(state: Tensor): void {
    door.setGeneratorState(this.native, state.handle);
  }
}
