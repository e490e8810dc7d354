import type { Paint } from "./canvas.ts";
import { plot } from "./canvas.ts";
import { SCENE_CLASS } from "./classes.ts";
import type { HashRandom } from "./hash-random.ts";
import { arriving, type Rgb, tone } from "./light.ts";
import { clouds, grain } from "./noise.ts";
import type { Scene } from "./scene.ts";
import { shadeAt } from "./shadow-map.ts";
import { isCrossing, type Side, type Street } from "./street.ts";

/** Looks of the surfaces underfoot. */
interface Pavement {
  readonly road: Rgb;
  readonly roadGrain: number;
  readonly cobbled: boolean;
  readonly sidewalk: Rgb;
  /** Side of the slabs in metres; 0 for asphalt. */
  readonly slab: number;
  readonly kerb: Rgb;
  readonly grass: Rgb;
  readonly marking: number;
  readonly markingColor: Rgb;
  readonly middleLine: "dashed" | "solid" | "double" | "none";
  readonly edgeLines: boolean;
  readonly repair: number;
  readonly offset: number;
}

function randomPavement(random: HashRandom): Pavement {
  const cobbled = random.chance(0.12);
  const warm = random.uniform(0.02, 0.12);
  return {
    road: tone(random.pick([0.08, 0.1, 0.6]), warm, random.uniform(0.3, 0.62)),
    roadGrain: random.uniform(0.05, 0.3),
    cobbled,
    sidewalk: tone(
      random.pick([0.02, 0.07, 0.1, 0.12, 0.6]),
      random.uniform(0.02, 0.3),
      random.uniform(0.36, 0.75),
    ),
    slab: random.pick([0, 0.3, 0.5, 0.6, 0.9, 1.2]),
    kerb: tone(0.1, 0.05, random.uniform(0.45, 0.8)),
    grass: tone(random.uniform(0.17, 0.3), random.uniform(0.3, 0.65), random.uniform(0.35, 0.6)),
    marking: cobbled || random.chance(0.15) ? 0 : random.uniform(0.4, 1),
    markingColor: random.chance(0.85) ? [0.85, 0.85, 0.82] : [0.8, 0.55, 0.1],
    middleLine: random.pick(["dashed", "dashed", "solid", "double", "none"]),
    edgeLines: random.chance(0.4),
    repair: random.uniform(0.55, 0.75),
    offset: random.integer(256),
  };
}

/** Paints the ground wherever nothing nearer stands: carriageway, markings, kerbs, sidewalks, grass. */
export function paintGround(scene: Scene, random: HashRandom): void {
  const { canvas, camera, street } = scene;
  const pavement = randomPavement(random);
  const cos = Math.cos(street.yaw);
  const sin = Math.sin(street.yaw);
  const sunny = arriving(scene.light, [0, 1, 0]);
  const shady = scene.light.kind === "overcast" ? sunny : arriving(scene.light, [0, 1, 0], 0);
  const color: Paint = { red: 0, green: 0, blue: 0 };
  for (let row = Math.max(0, Math.ceil(camera.horizon + 0.5)); row < canvas.height; row++) {
    const z = (camera.focal * camera.altitude) / (row + 0.5 - camera.horizon);
    if (z > 400) {
      continue;
    }
    for (let column = 0; column < canvas.width; column++) {
      const at = row * canvas.width + column;
      if (canvas.depth[at]! <= z) {
        continue;
      }
      const x = ((column + 0.5 - camera.centerX) * z) / camera.focal;
      const s = z * cos - x * sin;
      const t = x * cos + z * sin - (street.curvature / 2) * s * s;
      const label = surfaceAt(street, pavement, color, t, s, z);
      illuminate(scene, sunny, shady, color, x, z);
      plot(canvas, at, z, label, color);
    }
  }
}

function illuminate(scene: Scene, sunny: Rgb, shady: Rgb, color: Paint, x: number, z: number): void {
  const open = 1 - shadeAt(scene.shadows.sun, x, z);
  const sky = 1 - shadeAt(scene.shadows.sky, x, z);
  color.red *= (shady[0] + (sunny[0] - shady[0]) * open) * sky;
  color.green *= (shady[1] + (sunny[1] - shady[1]) * open) * sky;
  color.blue *= (shady[2] + (sunny[2] - shady[2]) * open) * sky;
}

/** Class and albedo of the ground at (t, s); `z` decides how much detail is still visible. */
function surfaceAt(street: Street, look: Pavement, color: Paint, t: number, s: number, z: number): number {
  const isLeft = t < street.middle;
  const side = street.sides[isLeft ? 0 : 1];
  const beyond = (isLeft ? -t : t) - side.kerb;
  if (beyond < 0 || isCrossing(street, s)) {
    paintRoad(street, look, color, t, s, z, beyond);
    return SCENE_CLASS.road;
  }
  if (beyond < 0.18) {
    set(color, look.kerb, 0.85 + 0.3 * grain(s * 2, t * 8));
    return SCENE_CLASS.sidewalk;
  }
  if (isGrass(side, beyond)) {
    paintGrass(look, color, t, s, z);
    return SCENE_CLASS.tree;
  }
  paintSidewalk(look, color, t, s, z);
  return SCENE_CLASS.sidewalk;
}

function isGrass(side: Side, beyond: number): boolean {
  if (beyond < side.verge) {
    return true;
  }
  const open = side.kind === "park" || side.kind === "houses";
  return open && beyond > side.verge + side.sidewalk;
}

function set(color: Paint, rgb: Rgb, factor: number): void {
  color.red = rgb[0] * factor;
  color.green = rgb[1] * factor;
  color.blue = rgb[2] * factor;
}

function paintRoad(
  street: Street,
  look: Pavement,
  color: Paint,
  t: number,
  s: number,
  z: number,
  beyond: number,
): void {
  const detail = Math.min(1, 12 / z);
  const wear = clouds(t * 3 + look.offset, s * 0.6) - 0.5;
  let factor = 1 + 0.5 * wear + look.roadGrain * detail * (grain(t * 40, s * 24) - 0.5) * 2;
  // Repairs: some squares of the road are of another age.
  if (grain(Math.floor(t / 2.5) + look.offset, Math.floor(s / 7)) > 0.9) {
    factor *= look.repair + (grain(Math.floor(t / 2.5), Math.floor(s / 7)) > 0.5 ? 0.5 : 0);
  }
  if (look.cobbled && z < 25) {
    const joint = frac(t * 5 + (Math.floor(s * 7) & 1) * 0.5) < 0.15 || frac(s * 7) < 0.18;
    factor *= joint ? 1 - 0.45 * detail : 0.85 + 0.4 * grain(t * 5, s * 7);
  }
  set(color, look.road, factor);
  const paintness =
    look.marking * markingAt(street, look, t, s, beyond) * (0.55 + 0.45 * grain(t * 13, s * 9));
  color.red += (look.markingColor[0] - color.red) * paintness;
  color.green += (look.markingColor[1] - color.green) * paintness;
  color.blue += (look.markingColor[2] - color.blue) * paintness;
}

function frac(x: number): number {
  return x - Math.floor(x);
}

/** How much of the road is painted over at (t, s), 0 or 1. */
function markingAt(street: Street, look: Pavement, t: number, s: number, beyond: number): number {
  if (street.zebra !== undefined && s > street.zebra && s < street.zebra + 3.2) {
    return frac(t - street.middle) < 0.5 && beyond < -0.3 ? 1 : 0;
  }
  if (isCrossing(street, s, 1.6)) {
    const stop = street.crossing !== undefined && s < street.crossing.from - 1.1 && beyond < -0.2;
    return stop && t > street.middle ? 1 : 0;
  }
  if (look.edgeLines && beyond > -0.45 && beyond < -0.3) {
    return 1;
  }
  const parked = street.sides[0].parking && street.sides[1].parking ? 2.2 : 0;
  const half = (street.sides[0].kerb + street.sides[1].kerb) / 2 - parked;
  const fromMiddle = t - (street.sides[1].kerb - street.sides[0].kerb) / 2;
  const lane = (2 * half) / street.lanes;
  const line = Math.abs(frac((fromMiddle + half) / lane + 0.5) - 0.5) * lane;
  const isMiddle = street.lanes % 2 === 0 && Math.abs(fromMiddle) < lane / 2;
  if (Math.abs(fromMiddle) > half - 0.5 || street.lanes === 1) {
    return 0;
  }
  if (!isMiddle || look.middleLine === "dashed") {
    return line < 0.08 && frac(s / 9) < 0.45 ? 1 : 0;
  }
  if (look.middleLine === "double") {
    return line > 0.06 && line < 0.18 ? 1 : 0;
  }
  return look.middleLine === "solid" && line < 0.08 ? 1 : 0;
}

function paintSidewalk(look: Pavement, color: Paint, t: number, s: number, z: number): void {
  const detail = Math.min(1, 10 / z);
  let factor =
    0.9 + 0.35 * (clouds(t * 4, s * 2 + look.offset) - 0.5) + 0.2 * detail * (grain(t * 20, s * 14) - 0.5);
  if (look.slab > 0) {
    const joint = frac(t / look.slab) < 0.05 || frac(s / look.slab) < 0.05;
    factor *= joint ? 1 - 0.4 * detail : 0.92 + 0.16 * detail * grain(t / look.slab, s / look.slab);
  }
  set(color, look.sidewalk, factor);
}

function paintGrass(look: Pavement, color: Paint, t: number, s: number, z: number): void {
  const detail = Math.min(1, 14 / z);
  const patch = clouds(t * 2, s * 2 + look.offset);
  set(color, look.grass, 0.45 + 0.7 * patch + 0.6 * detail * (grain(t * 22, s * 11) - 0.5));
  color.red *= 0.8 + 0.6 * clouds(t * 5, s + 40);
}
