import type { Camera } from "./camera.ts";
import type { Canvas } from "./canvas.ts";
import type { Light } from "./light.ts";
import type { ShadowMap } from "./shadow-map.ts";
import type { Street } from "./street.ts";

/** Everything a painter needs: where it paints, from where it is seen, under which light. */
export interface Scene {
  readonly canvas: Canvas;
  readonly camera: Camera;
  readonly light: Light;
  readonly street: Street;
  readonly shadows: ShadowMap;
}

/** 8-bit RGB picture, interleaved, row-major: `height * width * 3` bytes. */
export interface SceneImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Class of each pixel, row-major: `height * width` bytes. */
export interface SceneLabel {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}
