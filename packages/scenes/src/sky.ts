import { SCENE_CLASS } from "./classes.ts";
import type { HashRandom } from "./hash-random.ts";
import type { Rgb } from "./light.ts";
import { clouds } from "./noise.ts";
import type { Scene } from "./scene.ts";

/** Paints the sky wherever nothing stands before it: a gradient from haze to zenith, clouds, the glow of the sun. */
export function paintSky(scene: Scene, random: HashRandom): void {
  const { canvas, camera, light } = scene;
  const shift = random.integer(256);
  const stretch = random.uniform(1.5, 4);
  const cover = 1.05 - light.cloudiness;
  const bright = light.kind === "dusk" ? 0.75 : 1.05;
  const glow = light.kind === "overcast" ? 0.1 : 0.7;
  const lift = light.kind === "overcast" ? 0.35 : 0;
  const veil = light.haze.map((haze, i) => 0.55 * haze + 0.35 * light.sun[i]! + lift) as unknown as Rgb;
  const clear = (i: 0 | 1 | 2, up: number): number => light.haze[i] * (1 - up) + light.zenith[i] * up;
  for (let row = 0; row < canvas.height; row++) {
    const rayY = Math.max(0.003, (camera.horizon - row - 0.5) / camera.focal);
    for (let column = 0; column < canvas.width; column++) {
      const at = row * canvas.width + column;
      if (canvas.depth[at]! < Infinity) {
        continue;
      }
      const rayX = (column + 0.5 - camera.centerX) / camera.focal;
      const length = Math.sqrt(rayX * rayX + rayY * rayY + 1);
      const height = rayY / length;
      // Clouds lie on a plane overhead, so they shrink towards the horizon.
      const far = 9 / (rayY + 0.18);
      const cloud =
        clouds(rayX * far * stretch + shift, far * 4 + shift) +
        0.35 * (clouds(rayX * far * 9, far * 30) - 0.5);
      const covered = Math.min(1, Math.max(0, (cloud - cover * 0.75) * 4)) * Math.min(1, height * 8 + 0.3);
      const shade = bright * (1 - 0.45 * Math.max(0, cloud - 0.5));
      const facing = (rayX * light.toSun[0] + rayY * light.toSun[1] + light.toSun[2]) / length;
      const sun = facing > 0 ? glow * facing ** 24 : 0;
      const up = Math.min(1, Math.sqrt(height) * 1.4);
      canvas.red[at] = clear(0, up) * (1 - covered) + veil[0] * shade * covered + sun * light.sun[0];
      canvas.green[at] = clear(1, up) * (1 - covered) + veil[1] * shade * covered + sun * light.sun[1];
      canvas.blue[at] = clear(2, up) * (1 - covered) + veil[2] * shade * covered + sun * light.sun[2];
      canvas.label[at] = SCENE_CLASS.sky;
    }
  }
}
