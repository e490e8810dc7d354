import type { Device } from "@armseg/torch";
import { fromTypedArray, Tensor } from "@armseg/torch";
import type { Size } from "./maps.ts";

/** A normalised image, as the network is fed it. */
export interface ImageInput {
  /** `[3, H, W]` or `[1, 3, H, W]`, float32; as an array row-major and channels first. */
  readonly image: Float32Array | Tensor;
  /** `[H, W]` of the image. */
  readonly size: Size;
}

/**
 * The image as a tensor `[1, 3, H, W]` on a device; an array's memory is used, not copied, where the device is the CPU.
 *
 * @throws {RangeError} If it does not have 3 × H × W numbers.
 */
export function imageTensor({ image, size }: ImageInput, device: Device = "cpu"): Tensor {
  const [height, width] = size;
  const count = image instanceof Tensor ? image.numel : image.length;
  if (count !== 3 * height * width)
    throw new RangeError(`imageTensor(): expected 3 × ${height} × ${width} numbers, got ${count}.`);
  const shape = [1, 3, height, width];
  const onHost = image instanceof Tensor ? image.reshape(shape) : fromTypedArray(image, shape);
  return onHost.to(device, onHost.dtype);
}
