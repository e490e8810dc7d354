import type { Size } from "./window.ts";

/** What a batch looks like in memory. Plain data: it is sent to worker threads. */
export interface BatchFormat {
  readonly batchSize: number;
  /** `[height, width]` of every image of the batch. */
  readonly size: Size;
  /** Whether there is a weight map. */
  readonly weights: boolean;
}

/** The memory of one batch, shared by the threads that fill it. */
export interface BatchMemory {
  readonly images: SharedArrayBuffer;
  readonly labels: SharedArrayBuffer;
  readonly weights: SharedArrayBuffer | null;
}

/** A training batch in plain typed arrays, ready to be wrapped as tensors without a copy. */
export interface Batch extends Disposable {
  readonly iteration: number;
  /** `[N, 3, H, W]`, RGB, normalised. Padding is 0. */
  readonly images: Float32Array;
  /** `[N, H, W]`, class indices and 255, which padding also is. */
  readonly labels: Uint8Array;
  /** `[N, H, W]`, weight of each pixel, 0 in padding; present if any sample has a weight map (samples without one weigh 1). */
  readonly weights?: Float32Array;
  /** Names of the samples in the batch's order. */
  readonly names: readonly string[];
  /** Pixels whose label is not 255, over the whole batch. */
  readonly validPixels: number;
  readonly format: BatchFormat;
  /**
   * Gives the memory back to the loader, which fills it anew: the arrays must not be used afterwards. Batches that are never disposed
   * keep their memory until they are collected.
   */
  [Symbol.dispose](): void;
}

/** Views of one sample's part of a batch. */
export interface SampleViews {
  readonly image: Float32Array;
  readonly label: Uint8Array;
  readonly weights: Float32Array | null;
}

/** Returns memory for one batch, zeroed. */
export function allocateBatch(format: BatchFormat): BatchMemory {
  const pixels = format.batchSize * format.size[0] * format.size[1];
  return {
    images: new SharedArrayBuffer(12 * pixels),
    labels: new SharedArrayBuffer(pixels),
    weights: format.weights ? new SharedArrayBuffer(4 * pixels) : null,
  };
}

/** Returns the part of the batch's memory that belongs to sample `index`. */
export function sampleViews(memory: BatchMemory, format: BatchFormat, index: number): SampleViews {
  const pixels = format.size[0] * format.size[1];
  return {
    image: new Float32Array(memory.images, index * pixels * 12, pixels * 3),
    label: new Uint8Array(memory.labels, index * pixels, pixels),
    weights: memory.weights && new Float32Array(memory.weights, index * pixels * 4, pixels),
  };
}
