import { columnOf, rowOf, type Vec3 } from "./camera.ts";
import { type Paint, paintCapsule, paintFace, plot } from "./canvas.ts";
import { SCENE_CLASS } from "./classes.ts";
import type { HashRandom } from "./hash-random.ts";
import { arriving, facingNormal, lit, type Rgb, rounded, tone } from "./light.ts";
import { clouds, grain } from "./noise.ts";
import type { Scene } from "./scene.ts";
import { castBall, castPrism } from "./shadow-map.ts";

interface Ball {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Green of a season: mostly spring to summer, sometimes autumn or dry. */
function randomLeaf(random: HashRandom): Rgb {
  const autumn = random.chance(0.15);
  return tone(
    autumn ? random.uniform(0.04, 0.14) : random.uniform(0.17, 0.33),
    random.uniform(0.25, autumn ? 0.75 : 0.58),
    random.uniform(0.28, 0.6),
  );
}

/** Paints a tree whose trunk stands at the given point of the ground: trunk, branches and a crown of leaves. */
export function paintTree(scene: Scene, random: HashRandom, foot: Vec3, height: number): void {
  if (foot[2] < 1.5) {
    return;
  }
  const conifer = random.chance(0.15);
  const trunk = height * (conifer ? 0.12 : random.uniform(0.22, 0.4));
  const radius = height * (conifer ? 0.22 : random.uniform(0.24, 0.4));
  const bark = rounded(
    tone(random.uniform(0.05, 0.12), random.uniform(0.1, 0.4), random.uniform(0.25, 0.5)),
    scene.light,
  );
  const thick = 0.05 + height * random.uniform(0.012, 0.03);
  const top: Vec3 = [foot[0] + random.normal() * 0.15, height * 0.75, foot[2]];
  paintCapsule(scene.canvas, scene.camera, {
    from: foot,
    to: top,
    radius: thick,
    endRadius: thick * 0.4,
    label: SCENE_CLASS.tree,
    shader: bark,
  });
  for (let i = 0; i < 3 && !conifer; i++) {
    const from: Vec3 = [foot[0], trunk * random.uniform(0.8, 1.2), foot[2]];
    const to: Vec3 = [
      foot[0] + random.uniform(-0.8, 0.8) * radius,
      height * random.uniform(0.6, 0.8),
      foot[2],
    ];
    paintCapsule(scene.canvas, scene.camera, {
      from,
      to,
      radius: thick * 0.4,
      label: SCENE_CLASS.tree,
      shader: bark,
    });
  }
  castPrism(
    scene.shadows,
    [
      [foot[0] - thick, foot[2]],
      [foot[0] + thick, foot[2]],
      [foot[0], foot[2] + thick],
    ],
    trunk,
  );
  const balls = conifer
    ? coneOf(foot[0], height, trunk, radius)
    : crownOf(random, foot[0], height, trunk, radius);
  for (const ball of balls) {
    castBall(scene.shadows, [ball.x, foot[2]], ball.y, ball.radius * 0.85);
  }
  // A little nearer than the trunk, so that leaves hide it.
  paintLeaves(scene, random, balls, foot[2] - 0.1, randomLeaf(random));
}

function crownOf(random: HashRandom, x: number, height: number, trunk: number, radius: number): Ball[] {
  const middle = (height + trunk) / 2;
  const tall = (height - trunk) / 2;
  return Array.from({ length: 9 + random.integer(9) }, () => {
    const angle = random.uniform(0, 2 * Math.PI);
    const out = Math.sqrt(random.next()) * 0.75;
    return {
      x: x + Math.cos(angle) * out * radius,
      y: middle + Math.sin(angle) * out * tall,
      radius: Math.min(radius, tall) * random.uniform(0.28, 0.62),
    };
  });
}

function coneOf(x: number, height: number, trunk: number, radius: number): Ball[] {
  return Array.from({ length: 8 }, (_, i) => {
    const share = i / 7;
    return {
      x,
      y: trunk + radius * 0.4 + (height - trunk) * share * 0.95,
      radius: radius * (1.05 - 0.85 * share),
    };
  });
}

/** Paints a low bush. */
export function paintBush(scene: Scene, random: HashRandom, foot: Vec3, height: number): void {
  if (foot[2] < 1) {
    return;
  }
  const wide = height * random.uniform(0.7, 1.5);
  const balls = Array.from({ length: 4 + random.integer(3) }, () => ({
    x: foot[0] + random.uniform(-0.6, 0.6) * wide,
    y: height * random.uniform(0.2, 0.6),
    radius: height * random.uniform(0.3, 0.5),
  }));
  castBall(scene.shadows, [foot[0], foot[2]], height / 2, wide * 0.7);
  paintLeaves(scene, random, balls, foot[2], randomLeaf(random));
}

/** Paints balls of leaves at one depth, with ragged rims, gaps and light from the side of the sun. */
function paintLeaves(scene: Scene, random: HashRandom, balls: readonly Ball[], z: number, leaf: Rgb): void {
  const { canvas, camera, light } = scene;
  const sunny = lit(leaf, arriving(light, light.toSun));
  const shady = lit(leaf, arriving(light, [0, -0.3, 0], 0));
  const shift = random.integer(256);
  const rough = random.uniform(5, 12);
  const sparse = random.uniform(0, 0.3);
  const step = z / camera.focal;
  const left = Math.max(
    0,
    Math.floor(columnOf(camera, Math.min(...balls.map((b) => b.x - 1.3 * b.radius)), z)),
  );
  const right = Math.min(
    canvas.width - 1,
    Math.ceil(columnOf(camera, Math.max(...balls.map((b) => b.x + 1.3 * b.radius)), z)),
  );
  const top = Math.max(0, Math.floor(rowOf(camera, Math.max(...balls.map((b) => b.y + 1.3 * b.radius)), z)));
  const bottom = Math.min(
    canvas.height - 1,
    Math.ceil(rowOf(camera, Math.max(0, Math.min(...balls.map((b) => b.y - 1.3 * b.radius))), z)),
  );
  const color: Paint = { red: 0, green: 0, blue: 0 };
  const fine = Math.min(1, 14 / z);
  for (let row = top; row <= bottom; row++) {
    const y = camera.altitude + (camera.horizon - row - 0.5) * step;
    for (let column = left; column <= right; column++) {
      const at = row * canvas.width + column;
      if (canvas.depth[at]! <= z) {
        continue;
      }
      const x = (column + 0.5 - camera.centerX) * step;
      let depthInside = -1;
      let facing = 0;
      for (const ball of balls) {
        const dx = (x - ball.x) / ball.radius;
        const dy = (y - ball.y) / ball.radius;
        const inside = 1 - Math.sqrt(dx * dx + dy * dy);
        if (inside > depthInside) {
          depthInside = inside;
          facing = dx * light.toSun[0] + dy * light.toSun[1] - 0.4 * light.toSun[2];
        }
      }
      const clump = clouds(x * rough + shift, y * rough);
      const twig = grain(x * 26, y * 26 + shift);
      if (depthInside + 0.9 * (clump - 0.5) + 0.25 * (twig - 0.5) < sparse * (twig > 0.6 ? 1 : 0)) {
        continue;
      }
      const bright = Math.min(1, Math.max(0, 0.4 + 0.3 * facing + 1.2 * (clump - 0.5)));
      const speckle = (0.7 + 0.6 * clump) * (1 + 0.7 * fine * (twig - 0.5));
      color.red = (shady[0] * (1 - bright) + sunny[0] * bright) * speckle;
      color.green = (shady[1] * (1 - bright) + sunny[1] * bright) * speckle;
      color.blue = (shady[2] * (1 - bright) + sunny[2] * bright) * speckle;
      plot(canvas, at, z, SCENE_CLASS.tree, color);
    }
  }
}

/** Paints a trimmed hedge along the line between two points of the ground. */
export function paintHedge(scene: Scene, random: HashRandom, from: Vec3, to: Vec3, height: number): void {
  const { canvas, camera, light, shadows } = scene;
  const points: readonly Vec3[] = [from, to, [to[0], height, to[2]], [from[0], height, from[2]]];
  const length = Math.hypot(to[0] - from[0], to[2] - from[2]);
  const radiance = lit(randomLeaf(random), arriving(light, facingNormal(points, camera.altitude)));
  const shift = random.integer(256);
  castPrism(
    shadows,
    [
      [from[0], from[2]],
      [to[0], to[2]],
      [to[0] + 0.3, to[2]],
    ],
    height,
  );
  paintFace(canvas, camera, {
    points,
    label: SCENE_CLASS.tree,
    uAxis: [(to[0] - from[0]) / length, 0, (to[2] - from[2]) / length],
    vAxis: [0, 1, 0],
    shader: (paint, u, v, z) => {
      const clump = clouds(u * 9 + shift, v * 9);
      if (v > height * (0.82 + 0.3 * clump)) {
        return false;
      }
      const factor = (0.45 + clump) * (1 + 0.6 * Math.min(1, 12 / z) * (grain(u * 25, v * 25) - 0.5));
      paint.red = radiance[0] * factor;
      paint.green = radiance[1] * factor;
      paint.blue = radiance[2] * factor;
      return true;
    },
  });
}
