import { resizedSize, resizeImageWindow, wholeImage, wholePart } from "armseg/resize";

/** Pixels as a canvas gives them, `[height, width, 4]`. */
export interface Pixels {
  readonly data: Uint8ClampedArray | Uint8Array;
  readonly height: number;
  readonly width: number;
}

/** The input of a model, `[1, 3, height, width]`, levels of 0 to 255. */
export interface ModelInput {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

/** Fits an image as the trainer does, bit for bit, and puts its channels one after another. Alpha is dropped. */
export function modelInput(pixels: Pixels, base: readonly [number, number] | null): ModelInput {
  const size = [pixels.height, pixels.width] as const;
  const fitted = base ? resizedSize(size, base) : size;
  const image = resizeImageWindow(wholePart(withoutAlpha(pixels)), fitted, wholeImage(fitted));
  const count = image.height * image.width;
  const data = new Float32Array(3 * count);
  for (let i = 0; i < count; i++)
    for (let c = 0; c < 3; c++) data[c * count + i] = image.data[3 * i + c] as number;
  return { data, height: image.height, width: image.width };
}

function withoutAlpha({ data, height, width }: Pixels) {
  const rgb = new Uint8Array(3 * height * width);
  for (let i = 0, o = 0; o < rgb.length; i += 4, o += 3) {
    rgb[o] = data[i] as number;
    rgb[o + 1] = data[i + 1] as number;
    rgb[o + 2] = data[i + 2] as number;
  }
  return { data: rgb, height, width };
}
