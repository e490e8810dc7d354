import type { HashRandom } from "./hash-random.ts";

/** A point or direction in metres: right of the camera, above the ground, ahead of the camera. */
export type Vec3 = readonly [x: number, y: number, z: number];

/** A pinhole camera above flat ground that looks level along z; sizes are of the supersampled canvas. */
export interface Camera {
  readonly height: number;
  readonly width: number;
  /** Focal length in canvas pixels. */
  readonly focal: number;
  readonly centerX: number;
  /** Row of the horizon. */
  readonly horizon: number;
  /** Height of the lens above the ground in metres. */
  readonly altitude: number;
}

/** A camera as if on a car or held by a person, with a field of view between about 55 and 85 degrees. */
export function randomCamera(random: HashRandom, height: number, width: number): Camera {
  return {
    height,
    width,
    focal: (0.35 * width + 0.4 * height) * random.uniform(0.72, 1.1),
    centerX: width * random.uniform(0.45, 0.55),
    horizon: height * random.uniform(0.36, 0.52),
    altitude: random.uniform(1.25, 2),
  };
}

/** Row at which a point of height `y` metres and depth `z` appears. */
export function rowOf(camera: Camera, y: number, z: number): number {
  return camera.horizon - ((y - camera.altitude) * camera.focal) / z;
}

/** Column at which a point `x` metres to the right at depth `z` appears. */
export function columnOf(camera: Camera, x: number, z: number): number {
  return camera.centerX + (x * camera.focal) / z;
}
