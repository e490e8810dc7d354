import { randomCamera } from "./camera.ts";
import { createCanvas } from "./canvas.ts";
import { paintGround } from "./ground.ts";
import { HashRandom } from "./hash-random.ts";
import { randomLight } from "./light.ts";
import { labelsOf, photograph, SUPERSAMPLING } from "./photograph.ts";
import { populate } from "./populate.ts";
import type { Scene, SceneImage, SceneLabel } from "./scene.ts";
import { createShadowMap } from "./shadow-map.ts";
import { paintSky } from "./sky.ts";
import { randomStreet } from "./street.ts";

/** Which scene, and how large. */
export interface SceneOptions {
  /** Integer that names the series. */
  readonly seed: number;
  /** Integer that names the picture within the series. */
  readonly index: number;
  /** In pixels. Default 256. */
  readonly height?: number;
  /** In pixels. Default 512. */
  readonly width?: number;
}

/** A picture and its exact labels, of one size. */
export interface GeneratedScene {
  readonly image: SceneImage;
  readonly label: SceneLabel;
}

/**
 * Draws a street scene with exact labels of the 11 classes of {@link scenesClasses}.
 *
 * A pure function of its options: picture `index` of `seed` depends on no other picture. The class of a pixel is the
 * one of the surface that covers most of its 2×2 samples; there is no ignored pixel. Bytes may differ between
 * versions of Node, whose sine and exponential differ in the last bit.
 *
 * @throws {RangeError} If a size is not an integer from 1 to 8192, or seed or index are not safe integers.
 */
export function generateScene({ seed, index, height = 256, width = 512 }: SceneOptions): GeneratedScene {
  checkOptions(seed, index, height, width);
  const random = new HashRandom(seed, index);
  const light = randomLight(random.fork(1));
  const scene: Scene = {
    canvas: createCanvas(height * SUPERSAMPLING, width * SUPERSAMPLING),
    camera: randomCamera(random.fork(2), height * SUPERSAMPLING, width * SUPERSAMPLING),
    light,
    street: randomStreet(random.fork(3)),
    shadows: createShadowMap(light),
  };
  // Ground and sky come last: they fill what is left, and the ground shows the shadows that the others cast.
  populate(scene, random.fork(4));
  paintGround(scene, random.fork(5));
  paintSky(scene, random.fork(6));
  return { image: photograph(scene, random.fork(7)), label: labelsOf(scene.canvas) };
}

function checkOptions(seed: number, index: number, height: number, width: number): void {
  for (const [name, value] of Object.entries({ height, width })) {
    if (!Number.isInteger(value) || value < 1 || value > 8192) {
      throw new RangeError(`generateScene(): ${name} must be an integer from 1 to 8192, got ${value}.`);
    }
  }
  for (const [name, value] of Object.entries({ seed, index })) {
    if (!Number.isSafeInteger(value)) {
      throw new RangeError(`generateScene(): ${name} must be a safe integer, got ${value}.`);
    }
  }
}
