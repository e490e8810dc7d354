import { readFileSync } from "node:fs";
import type { LabelImage, RgbImage } from "../../data/sample.ts";
import type { Augmentation } from "../augment.ts";
import type { PhotometricDistortion } from "../photometric.ts";
import type { RandomKey, Words2, Words4 } from "../../core/random.ts";
import type { Size, Window } from "../window.ts";

/** What generate.py writes; images are base64. */
interface Golden {
  random: {
    philox: { counter: Words4; key: Words2; words: Words4 }[];
    stream: { key: RandomKey; words: number[] };
  };
  sizes: { image: Size; base: Size; ratio: number; size: Size }[];
  resizes: {
    source: Size;
    size: Size;
    window: Window;
    image: string;
    label: string;
    wholeImage: string;
    imageWindow: string;
    flippedWindow: string;
    labelWindow: string;
    counts: number[];
  }[];
  colors: {
    image: string;
    cases: { distortion: PhotometricDistortion; crc32: number }[];
    exhaustive: { distortion: PhotometricDistortion; crc32: number }[];
  };
  levels: string;
  whole: {
    image: string;
    label: string;
    weights: string;
    size: Size;
    cases: {
      augmentation: Augmentation;
      frame: Size;
      image: number;
      label: number;
      weights: number;
    }[];
  };
}

export const golden = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8")) as Golden;

export function bytes(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

export function floats(base64: string): Float32Array {
  return new Float32Array(bytes(base64).buffer);
}

export function rgbImage(base64: string, [height, width]: Size): RgbImage {
  return { height, width, data: bytes(base64) };
}

export function labelImage(base64: string, [height, width]: Size): LabelImage {
  return { height, width, data: bytes(base64) };
}
