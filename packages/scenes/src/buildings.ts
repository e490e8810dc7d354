import { columnOf, rowOf, type Vec3 } from "./camera.ts";
import { paintFace, plot } from "./canvas.ts";
import { SCENE_CLASS } from "./classes.ts";
import { facadeShader } from "./facade.ts";
import type { HashRandom } from "./hash-random.ts";
import { arriving, facingNormal, lit, type Rgb, tone } from "./light.ts";
import { clouds, grain } from "./noise.ts";
import type { Scene } from "./scene.ts";
import { castPrism } from "./shadow-map.ts";
import { frontOf, isCrossing, placeOn, type Side } from "./street.ts";

const UP: Vec3 = [0, 1, 0];

/** Where a building stands, in street coordinates; t0 is the front, t1 the back. */
interface Plot {
  readonly t0: number;
  readonly t1: number;
  readonly s0: number;
  readonly s1: number;
  readonly height: number;
  readonly roof: number;
}

/** Lines one side of the street with buildings, from behind the camera to 140 m ahead. */
export function paintBuildings(scene: Scene, random: HashRandom, sideIndex: 0 | 1): void {
  const side = scene.street.sides[sideIndex];
  if (side.kind === "park" && random.chance(0.6)) {
    return;
  }
  const outward = sideIndex === 0 ? -1 : 1;
  const usual = side.kind === "blocks" ? random.uniform(12, 26) : random.uniform(5, 14);
  for (let s = random.uniform(-14, 0), i = 0; s < 140; i++) {
    const own = random.fork(i);
    const length = side.kind === "blocks" ? own.uniform(14, 32) : own.uniform(6, 16);
    const plot = plotOf(own, side, outward, s, length, usual);
    if (!isCrossing(scene.street, s, 3) && !isCrossing(scene.street, s + length, 3)) {
      paintBuilding(scene, own, plot);
    }
    s += length + gapAfter(own, side);
  }
}

function gapAfter(random: HashRandom, side: Side): number {
  switch (side.kind) {
    case "terrace":
      return random.chance(0.15) ? random.uniform(3, 9) : 0;
    case "houses":
      return random.uniform(2, 9);
    case "park":
      return random.uniform(15, 50);
    case "blocks":
      return random.chance(0.4) ? random.uniform(4, 14) : 0;
  }
}

function plotOf(
  random: HashRandom,
  side: Side,
  outward: number,
  s: number,
  length: number,
  usual: number,
): Plot {
  const setback =
    side.kind === "houses" ? random.uniform(3, 7) : side.kind === "park" ? random.uniform(10, 25) : 0;
  const front = frontOf(side) + setback;
  const isHouse = side.kind === "houses" || side.kind === "park";
  const height = isHouse ? random.uniform(3.5, 7) : usual * random.uniform(0.7, 1.25);
  const pitched = isHouse || random.chance(0.35);
  return {
    t0: outward * front,
    t1: outward * (front + random.uniform(7, 14)),
    s0: s,
    s1: s + length,
    height,
    roof: pitched ? random.uniform(1.5, 3.8) : 0,
  };
}

function paintBuilding(scene: Scene, random: HashRandom, plot: Plot): void {
  const { street } = scene;
  const { t0, t1, s0, s1, height } = plot;
  const corner = (t: number, s: number): Vec3 => placeOn(street, t, s);
  castPrism(
    scene.shadows,
    [corner(t0, s0), corner(t0, s1), corner(t1, s1), corner(t1, s0)].map((p) => [p[0], p[2]]),
    height + plot.roof / 2,
  );
  paintWall(scene, random.fork(1), corner(t0, s0), corner(t0, s1), height);
  paintWall(scene, random.fork(random.chance(0.5) ? 1 : 2), corner(t1, s0), corner(t0, s0), height);
  if (plot.roof > 0) {
    paintRoof(scene, random.fork(3), plot);
  }
}

function paintWall(scene: Scene, random: HashRandom, from: Vec3, to: Vec3, height: number): void {
  const { canvas, camera, light } = scene;
  if (from[2] < 0 && to[2] < 0) {
    return;
  }
  const points = [from, to, [to[0], height, to[2]], [from[0], height, from[2]]] as const;
  const length = Math.hypot(to[0] - from[0], to[2] - from[2]);
  const uAxis: Vec3 = [(to[0] - from[0]) / length, 0, (to[2] - from[2]) / length];
  const arrived = arriving(light, facingNormal(points, camera.altitude));
  const shader = facadeShader(random, light, arrived, height);
  paintFace(canvas, camera, { points, label: SCENE_CLASS.building, shader, uAxis, vAxis: UP });
}

/** A gabled roof with its ridge along the street. */
function paintRoof(scene: Scene, random: HashRandom, plot: Plot): void {
  const { canvas, camera, light, street } = scene;
  const { t0, t1, s0, s1, height } = plot;
  const top = height + plot.roof;
  const ridge = (t0 + t1) / 2;
  const eaves = t0 - Math.sign(t0) * 0.3;
  const albedo = tone(
    random.pick([0.02, 0.04, 0.06, 0.6]),
    random.uniform(0.05, 0.6),
    random.uniform(0.25, 0.65),
  );
  const slope = [
    placeOn(street, eaves, s0, height),
    placeOn(street, eaves, s1, height),
    placeOn(street, ridge, s1, top),
    placeOn(street, ridge, s0, top),
  ];
  const gable = [
    placeOn(street, t0, s0, height),
    placeOn(street, t1, s0, height),
    placeOn(street, ridge, s0, top),
  ];
  for (const [points, color] of [
    [slope, albedo],
    [gable, tone(0.09, 0.1, random.uniform(0.4, 0.8))],
  ] as const) {
    const radiance = lit(color, arriving(light, facingNormal(points, camera.altitude)));
    paintFace(canvas, camera, {
      points,
      label: SCENE_CLASS.building,
      shader: tiles(radiance),
      uAxis: points === slope ? directionTo(slope[0]!, slope[1]!) : [1, 0, 0],
      vAxis: UP,
    });
  }
  if (random.chance(0.6)) {
    const s = random.uniform(s0 + 1, s1 - 1);
    const color = tone(0.03, 0.4, 0.5);
    const points = [placeOn(street, ridge, s, height), placeOn(street, ridge, s + 0.9, height)] as const;
    const chimney = [...points, raise(points[1], top + 1), raise(points[0], top + 1)];
    const radiance = lit(color, arriving(light, facingNormal(chimney, camera.altitude)));
    paintFace(canvas, camera, {
      points: chimney,
      label: SCENE_CLASS.building,
      shader: tiles(radiance),
      lift: 0.02,
    });
  }
}

function raise(p: Vec3, y: number): Vec3 {
  return [p[0], y, p[2]];
}

function directionTo(a: Vec3, b: Vec3): Vec3 {
  const length = Math.hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
  return [(b[0] - a[0]) / length, (b[1] - a[1]) / length, (b[2] - a[2]) / length];
}

function tiles(radiance: Rgb) {
  return (paint: { red: number; green: number; blue: number }, u: number, v: number, z: number): boolean => {
    const detail = Math.min(1, 20 / z);
    const row = (v * 4) % 1 < 0.2 ? 1 - 0.3 * detail : 1;
    const factor = row * (0.85 + 0.3 * detail * grain(u * 3, v * 4));
    paint.red = radiance[0] * factor;
    paint.green = radiance[1] * factor;
    paint.blue = radiance[2] * factor;
    return true;
  };
}

/** Closes the view: a line of distant woods or roofs on the horizon. */
export function paintBackdrop(scene: Scene, random: HashRandom): void {
  const { canvas, camera, light } = scene;
  for (const z of [260, 190]) {
    const isWood = random.chance(0.55);
    const shift = random.integer(256);
    const tall = random.uniform(6, isWood ? 18 : 26);
    const albedo = isWood
      ? tone(random.uniform(0.2, 0.3), 0.4, 0.42)
      : tone(0.08, 0.15, random.uniform(0.4, 0.75));
    const radiance = lit(albedo, arriving(light, [0, 0.2, -0.98]));
    const label = isWood ? SCENE_CLASS.tree : SCENE_CLASS.building;
    const left = columnOf(camera, 0, z);
    const floor = Math.min(canvas.height - 1, Math.ceil(rowOf(camera, 0, z)));
    for (let column = 0; column < canvas.width; column++) {
      const x = ((column - left) * z) / camera.focal;
      const ragged = isWood ? clouds(x * 0.4 + shift, 7) : grain(x / 14 + shift, 3);
      const height = tall * Math.max(0, 1.5 * ragged - 0.2);
      for (let row = Math.max(0, Math.ceil(rowOf(camera, height, z) - 0.5)); row <= floor; row++) {
        const at = row * canvas.width + column;
        if (canvas.depth[at]! > z) {
          const y = camera.altitude + ((camera.horizon - row) * z) / camera.focal;
          const window = !isWood && grain(x / 2.5, y / 3) > 0.6 ? 0.6 : 1;
          const shade = (0.7 + 0.6 * clouds(x * 1.2, y * 1.2 + shift)) * window;
          plot(canvas, at, z, label, {
            red: radiance[0] * shade,
            green: radiance[1] * shade,
            blue: radiance[2] * shade,
          });
        }
      }
    }
  }
}
