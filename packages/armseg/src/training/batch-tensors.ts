import { type Device, type DType, fromTypedArray, type Tensor } from "@armseg/torch";
import type { Batch } from "../pipeline/index.ts";

/** A training batch on a device. */
export interface BatchTensors {
  /** Normalised, float32, `[N, 3, H, W]`. */
  readonly images: Tensor;
  /** Class of each pixel or 255, uint8, `[N, H, W]`. */
  readonly labels: Tensor;
  /** Weight of each pixel, float32, `[N, H, W]`; `null` where the data have none. */
  readonly weights: Tensor | null;
}

/**
 * Copies a batch of the loader to a device.
 *
 * @returns Tensors of the present scope. On the CPU they may share the batch's memory: dispose of the batch after them.
 * @example
 * const { images, labels } = toTensors(batch, "cuda");
 */
export function toTensors(batch: Batch, device: Device = "cpu"): BatchTensors {
  const { batchSize, size } = batch.format;
  const images = fromTypedArray(batch.images, [batchSize, 3, ...size]);
  const labels = fromTypedArray(batch.labels, [batchSize, ...size]);
  const weights = batch.weights ? fromTypedArray(batch.weights, [batchSize, ...size]) : null;
  return {
    images: send(images, device, "float32"),
    labels: send(labels, device, "uint8"),
    weights: weights && send(weights, device, "float32"),
  };
}

/**
 * A GPU fetches an array from page-locked memory, behind the work that it still has, while the processor goes on; libtorch
 * keeps that memory from being used again before then.
 */
function send(values: Tensor, device: Device, dtype: DType): Tensor {
  if (!device.startsWith("cuda")) return values.to(device, dtype);
  return values.pinMemory().to(device, dtype, { nonBlocking: true });
}
