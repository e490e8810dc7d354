import type { Device } from "@armseg/torch";
import { fromTypedArray, Tensor } from "@armseg/torch";
import { argumentError } from "../core/argument-error.ts";
import type { Size } from "../core/size.ts";

/** Class of each pixel, row-major, 255 where ignored: labels, or a prediction. */
export interface LabelImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Maps normalised images `[N, 3, H, W]` to logits `[N, C, h, w]` of a resolution of the network's own choice. */
export type Network = (images: Tensor) => Tensor;

/** Checks that two maps have one size on behalf of the named function. @throws {RangeError} Naming both sizes. */
export function checkSameSize(caller: string, what: string, map: LabelImage, like: LabelImage): void {
  if (map.height === like.height && map.width === like.width && map.data.length === like.data.length) return;
  throw argumentError(
    caller,
    `${what} of the label's size ${like.height}×${like.width}`,
    `${map.height}×${map.width} with ${map.data.length} pixels`,
    "predict at the label's size, and never resize labels",
  );
}

/** A normalised image, as the network is fed it. */
export interface ImageInput {
  /** `[3, H, W]` or `[1, 3, H, W]`, float32; as an array row-major and channels first. */
  readonly image: Float32Array | Tensor;
  /** `[H, W]` of the image. */
  readonly size: Size;
}

/**
 * Returns the image as a tensor `[1, 3, H, W]` on a device; an array's memory is used, not copied, where the device is the CPU.
 *
 * @throws {RangeError} If it does not have 3 × H × W numbers.
 */
export function imageTensor({ image, size }: ImageInput, device: Device = "cpu"): Tensor {
  const [height, width] = size;
  const count = image instanceof Tensor ? image.numel : image.length;
  if (count !== 3 * height * width)
    throw argumentError("imageTensor", `3 × ${height} × ${width} numbers`, count);
  const shape = [1, 3, height, width];
  const onHost = image instanceof Tensor ? image.reshape(shape) : fromTypedArray(image, shape);
  return onHost.to(device, onHost.dtype);
}

/** Returns the numbers of a map, as an array of this process's own. */
export function floats(map: Tensor): Float32Array {
  return map.to("cpu", "float32").toTypedArray() as Float32Array;
}
