import type { Vec3 } from "./camera.ts";
import { paintCapsule, paintFace, type Shader } from "./canvas.ts";
import { SCENE_CLASS } from "./classes.ts";
import type { HashRandom } from "./hash-random.ts";
import { arriving, facingNormal, flat, lit, type Rgb, rounded, scale, tone } from "./light.ts";
import { clouds, grain } from "./noise.ts";
import type { Scene } from "./scene.ts";
import { castPrism } from "./shadow-map.ts";

function metal(random: HashRandom): Rgb {
  return random.chance(0.75)
    ? tone(0.6, random.uniform(0, 0.1), random.uniform(0.2, 0.75))
    : tone(random.pick([0.07, 0.35, 0.6]), 0.4, random.uniform(0.2, 0.4));
}

function post(scene: Scene, color: Rgb, from: Vec3, to: Vec3, radius: number): void {
  const shader = rounded(color, scene.light);
  paintCapsule(scene.canvas, scene.camera, { from, to, radius, label: SCENE_CLASS.pole, shader });
}

function slimShadow(scene: Scene, foot: Vec3, height: number, radius: number): void {
  const r = Math.max(0.13, radius);
  const footprint = [
    [-r, -r],
    [r, -r],
    [r, r],
    [-r, r],
  ].map(([x, z]) => [foot[0] + x!, foot[2] + z!] as const);
  castPrism(scene.shadows, footprint, height);
}

/** Paints a lamp post with its arm over the road; `inward` is -1 or 1, the side the arm points to. */
export function paintLamp(scene: Scene, random: HashRandom, foot: Vec3, inward: number): void {
  if (foot[2] < 1.5) {
    return;
  }
  const height = random.uniform(4, 9);
  const reach = inward * random.uniform(0.2, 2);
  const radius = random.uniform(0.06, 0.12);
  const color = metal(random);
  const top: Vec3 = [foot[0], height, foot[2]];
  const end: Vec3 = [foot[0] + reach, height + random.uniform(0, 0.5), foot[2]];
  post(scene, color, foot, top, radius);
  post(scene, color, top, end, radius * 0.7);
  post(scene, color, end, [end[0] + inward * 0.5, end[1], end[2]], radius * 1.5);
  slimShadow(scene, foot, height, radius);
}

/** Paints a bare pole: a mast of wood or a bollard. */
export function paintPole(scene: Scene, random: HashRandom, foot: Vec3): void {
  if (foot[2] < 1.5) {
    return;
  }
  const isBollard = random.chance(0.35);
  const height = isBollard ? random.uniform(0.8, 1.1) : random.uniform(5, 10);
  const radius = isBollard ? random.uniform(0.07, 0.12) : random.uniform(0.07, 0.17);
  const color = random.chance(0.4) ? tone(0.08, 0.35, random.uniform(0.25, 0.5)) : metal(random);
  post(scene, color, foot, [foot[0], height, foot[2]], radius);
  if (!isBollard && random.chance(0.4)) {
    post(scene, color, [foot[0] - 0.8, height - 0.4, foot[2]], [foot[0] + 0.8, height - 0.4, foot[2]], 0.05);
  }
  slimShadow(scene, foot, height, radius);
}

/** Paints a traffic light: the post is a pole, the box a sign, as in CamVid. */
export function paintTrafficLight(scene: Scene, random: HashRandom, foot: Vec3): void {
  if (foot[2] < 1.5) {
    return;
  }
  const height = random.uniform(2.6, 4);
  const top: Vec3 = [foot[0], height, foot[2]];
  post(scene, metal(random), foot, top, 0.07);
  slimShadow(scene, foot, height, 0.1);
  const on = random.integer(3);
  const glow: readonly Rgb[] = [
    [1.6, 0.1, 0.05],
    [1.5, 0.8, 0.1],
    [0.1, 1.4, 0.5],
  ];
  const case_ = scale(arriving(scene.light, [0, 0, -1]), random.pick([0.02, 0.04, 0.25]));
  board(scene, top, 0.32, 0.95, (paint, u, v) => {
    const lamp = Math.min(2, Math.floor((0.95 - v) / 0.317));
    const inLamp = Math.hypot(u - 0.16, v - (0.95 - (lamp + 0.5) * 0.317)) < 0.11;
    const color = inLamp ? (lamp === on ? glow[lamp]! : scale(glow[lamp]!, 0.05)) : case_;
    paint.red = color[0];
    paint.green = color[1];
    paint.blue = color[2];
    return true;
  });
}

/** An upright rectangle that faces the camera, its lower edge centred on `at`; u, v from its lower left corner. */
function board(scene: Scene, at: Vec3, width: number, height: number, shader: Shader): void {
  const [x, y, z] = [at[0] - width / 2, at[1], at[2] - 0.09];
  const points: readonly Vec3[] = [
    [x, y, z],
    [x + width, y, z],
    [x + width, y + height, z],
    [x, y + height, z],
  ];
  paintFace(scene.canvas, scene.camera, {
    points,
    label: SCENE_CLASS.sign,
    shader,
    uAxis: [1, 0, 0],
    vAxis: [0, 1, 0],
  });
}

type Shape = "disc" | "triangle" | "diamond" | "rectangle" | "panel";

/** Paints a traffic sign or a signpost on its pole, sometimes seen from its grey back. */
export function paintSign(scene: Scene, random: HashRandom, foot: Vec3): void {
  if (foot[2] < 1.5) {
    return;
  }
  const shape = random.pick<Shape>(["disc", "disc", "triangle", "diamond", "rectangle", "panel", "panel"]);
  const height = random.uniform(1.9, 2.6);
  const wide = shape === "panel" ? random.uniform(1.4, 3) : random.uniform(0.7, 1.05);
  const tall =
    shape === "panel"
      ? random.uniform(0.7, 1.6)
      : shape === "rectangle"
        ? wide * random.uniform(1, 1.4)
        : wide;
  const top: Vec3 = [foot[0], height + tall * 0.8, foot[2]];
  post(scene, metal(random), foot, top, 0.045);
  slimShadow(scene, foot, height, 0.1);
  board(scene, [foot[0], height, foot[2]], wide, tall, signShader(scene, random, shape, wide, tall));
}

function signShader(scene: Scene, random: HashRandom, shape: Shape, wide: number, tall: number): Shader {
  const arrived = arriving(scene.light, [0, 0, -1]);
  const isBack = random.chance(0.15);
  const main: Rgb = random.pick([
    [0.85, 0.85, 0.85],
    [0.6, 0.02, 0.03],
    [0.03, 0.12, 0.55],
    [0.85, 0.6, 0.03],
    [0.03, 0.3, 0.12],
  ] as const);
  const rim: Rgb = main[0] > 0.8 ? [0.6, 0.02, 0.03] : [0.85, 0.85, 0.85];
  const symbol: Rgb = main[0] > 0.8 ? [0.03, 0.03, 0.03] : [0.85, 0.85, 0.85];
  const seed = random.integer(256);
  const back = lit(tone(0.6, 0.05, 0.55), arrived);
  return (paint, u, v) => {
    const x = (u / wide) * 2 - 1;
    const y = (v / tall) * 2 - 1;
    const edge = edgeOf(shape, x, y);
    if (edge < 0) {
      return false;
    }
    const hasSymbol =
      edge > 0.3 &&
      (shape === "panel"
        ? grain(u * 9 + seed, v * 4.5) > 0.45 && (v * 4.5) % 1 > 0.3
        : clouds(x * 5 + seed, y * 5) > 0.55);
    const albedo = edge < 0.16 ? rim : hasSymbol ? symbol : main;
    paint.red = isBack ? back[0] : albedo[0] * arrived[0];
    paint.green = isBack ? back[1] : albedo[1] * arrived[1];
    paint.blue = isBack ? back[2] : albedo[2] * arrived[2];
    return true;
  };
}

/** Distance from the rim inwards as a share of the half width; negative outside. */
function edgeOf(shape: Shape, x: number, y: number): number {
  switch (shape) {
    case "disc":
      return 1 - Math.hypot(x, y);
    case "triangle":
      return Math.min((y + 1) / 2, (1 - y - 2 * Math.abs(x)) / 2.2);
    case "diamond":
      return (1 - Math.abs(x) - Math.abs(y)) / 1.4;
    default:
      return 1 - Math.max(Math.abs(x), Math.abs(y));
  }
}

type FenceKind = "bars" | "boards" | "wall" | "rail" | "mesh";

/**
 * Paints a fence along the line between two points of the ground.
 *
 * What is seen through its gaps counts as fence, as annotators do it.
 */
export function paintFence(scene: Scene, random: HashRandom, from: Vec3, to: Vec3): void {
  const { canvas, camera, light, shadows } = scene;
  const kind = random.pick<FenceKind>(["bars", "boards", "boards", "wall", "wall", "rail", "mesh"]);
  const height = kind === "rail" ? random.uniform(0.7, 0.95) : random.uniform(0.8, 2);
  const points: readonly Vec3[] = [from, to, [to[0], height, to[2]], [from[0], height, from[2]]];
  const length = Math.hypot(to[0] - from[0], to[2] - from[2]);
  const hue = random.pick([0.03, 0.07, 0.09, 0.33, 0.6]);
  const arrived = arriving(light, facingNormal(points, camera.altitude));
  const color = lit(tone(hue, random.uniform(0.05, 0.5), random.uniform(0.25, 0.85)), arrived);
  const gap = lit(tone(random.uniform(0.1, 0.3), 0.3, random.uniform(0.15, 0.4)), arrived);
  castPrism(
    shadows,
    [
      [from[0], from[2]],
      [to[0], to[2]],
      [to[0] + 0.1, to[2]],
    ],
    height * 0.9,
  );
  paintFace(canvas, camera, {
    points,
    label: SCENE_CLASS.fence,
    uAxis: [(to[0] - from[0]) / length, 0, (to[2] - from[2]) / length],
    vAxis: [0, 1, 0],
    shader: (paint, u, v, z) => {
      const detail = Math.min(1, 9 / z);
      const solid = solidity(kind, u, v, height);
      const share = 0.5 + (solid - 0.5) * detail;
      const shade = 0.85 + 0.3 * clouds(u * 3, v * 3) + 0.2 * detail * (grain(u * 14, v * 14) - 0.5);
      paint.red = (gap[0] * (1 - share) + color[0] * share) * shade;
      paint.green = (gap[1] * (1 - share) + color[1] * share) * shade;
      paint.blue = (gap[2] * (1 - share) + color[2] * share) * shade;
      return true;
    },
  });
}

/** 1 on the material, 0 in a gap, between for seams. */
function solidity(kind: FenceKind, u: number, v: number, height: number): number {
  switch (kind) {
    case "bars":
      return u % 0.16 < 0.05 || v > height - 0.07 || Math.abs(v - 0.12) < 0.04 ? 1 : 0;
    case "boards":
      return u % 0.15 < 0.02 ? 0.2 : 1;
    case "wall":
      return (v + 10) % 0.2 < 0.03 || (u + (Math.floor(v / 0.2) & 1) * 0.22) % 0.44 < 0.03
        ? 0.55
        : v > height - 0.1
          ? 1.2
          : 0.95;
    case "rail":
      return (v > height * 0.55 && v < height * 0.95) || u % 2 < 0.12 ? 1 : 0;
    case "mesh":
      return (u + v) % 0.12 < 0.02 || (u - v + 50) % 0.12 < 0.02 || u % 2.2 < 0.07 ? 1 : 0.1;
  }
}

/** A plain box such as a bin, a cabinet or a bus shelter's back: counted as a building's part. */
export function paintCabinet(scene: Scene, random: HashRandom, foot: Vec3): void {
  if (foot[2] < 2) {
    return;
  }
  const [w, h] = [random.uniform(0.5, 1.1), random.uniform(0.9, 1.5)];
  const color = lit(
    tone(random.pick([0.1, 0.3, 0.6]), random.uniform(0, 0.5), random.uniform(0.2, 0.6)),
    arriving(scene.light, [0, 0, -1]),
  );
  const [x, , z] = foot;
  const points: readonly Vec3[] = [
    [x - w / 2, 0, z],
    [x + w / 2, 0, z],
    [x + w / 2, h, z],
    [x - w / 2, h, z],
  ];
  paintFace(scene.canvas, scene.camera, { points, label: SCENE_CLASS.building, shader: flat(color) });
  slimShadow(scene, foot, h, w / 2);
}
