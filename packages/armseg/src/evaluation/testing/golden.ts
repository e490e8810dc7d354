import { readFileSync } from "node:fs";
import type { Tensor } from "@armseg/torch";
import { fromTypedArray, ops } from "@armseg/torch";
import { onTestDevice } from "@armseg/torch/testing";
import type { AugmentationName } from "../augmentation.ts";
import type { LabelImage, Network } from "../maps.ts";

interface Stored {
  readonly offset: number;
  readonly shape: readonly number[];
}

type Pair = readonly [number, number];

interface GoldenFile {
  readonly metrics: readonly {
    readonly classes: number;
    readonly labels: number[];
    readonly predictions: number[];
    readonly confusion: number[][];
    readonly aAcc: number;
    readonly mAcc: number;
    readonly mIoU: number;
    /** null where there is nothing to divide by. */
    readonly iou: readonly (number | null)[];
    readonly accuracy: readonly (number | null)[];
  }[];
  readonly boundaries: readonly {
    readonly classes: number;
    readonly ratio: number;
    readonly images: readonly { height: number; width: number; label: number[]; prediction: number[] }[];
    readonly iou: readonly (number | null)[];
    readonly mean: number;
  }[];
  readonly inference: {
    readonly image: Stored;
    readonly first: Stored;
    readonly second: Stored;
    readonly views: readonly {
      readonly name: string;
      readonly window?: readonly [Pair, Pair];
      readonly augmentation?: AugmentationName;
      readonly crop?: Pair;
      readonly final: Pair;
      readonly scores: Stored;
    }[];
  };
}

const bytes = readFileSync(new URL("../golden/golden.bin", import.meta.url));
const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));

/** What `golden/generate.py` wrote. */
export const golden = JSON.parse(
  readFileSync(new URL("../golden/golden.json", import.meta.url), "utf8"),
) as GoldenFile;

/** An array of the binary file, float64, on the test device. */
export function storedTensor({ offset, shape }: Stored): Tensor {
  const length = shape.reduce((product, size) => product * size, 1);
  return onTestDevice(fromTypedArray(numbers.slice(offset, offset + length), shape));
}

/** Two convolutions, of stride 4 and 1, with tanh between. */
export function goldenNetwork(): Network {
  const [first, second] = [storedTensor(golden.inference.first), storedTensor(golden.inference.second)];
  return (images) => {
    const hidden = ops.conv2d(images, first.to(images.dtype), null, [4, 4], [2, 2]).tanh();
    return ops.conv2d(hidden, second.to(images.dtype));
  };
}

/** A label map of numbers. */
export function labelMap(height: number, width: number, values: ArrayLike<number>): LabelImage {
  return { height, width, data: Uint8Array.from(values) };
}
