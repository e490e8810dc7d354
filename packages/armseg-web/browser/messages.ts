import type { Pixels } from "./input.ts";
import type { ModelMetadata } from "./metadata.ts";

/** From the page to the thread that runs the model. */
export type Request =
  | { readonly kind: "load"; readonly id: number; readonly url: string; readonly backend: Backend }
  | { readonly kind: "segment"; readonly id: number; readonly pixels: Pixels };

/** What computes: a graphics card, or the processor. */
export type Backend = "webgpu" | "wasm";

/** What a request of each kind is answered with. */
export interface Results {
  readonly load: ModelMetadata;
  /** The class of each pixel, at the image's size. */
  readonly segment: Uint8Array;
}

export type Answer =
  | { readonly id: number; readonly result: Results[keyof Results] }
  | { readonly id: number; readonly error: string };
