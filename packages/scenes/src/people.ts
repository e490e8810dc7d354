import type { Vec3 } from "./camera.ts";
import { paintCapsule, paintFace } from "./canvas.ts";
import { SCENE_CLASS } from "./classes.ts";
import type { HashRandom } from "./hash-random.ts";
import { arriving, type Rgb, rounded, scale, tone } from "./light.ts";
import type { Scene } from "./scene.ts";
import { castContact, castPrism } from "./shadow-map.ts";

/** Clothes, skin and hair of a person. */
interface Outfit {
  readonly skin: Rgb;
  readonly hair: Rgb;
  readonly top: Rgb;
  readonly legs: Rgb;
  readonly shoes: Rgb;
}

function cloth(random: HashRandom): Rgb {
  return random.chance(0.5)
    ? tone(0.6, random.uniform(0, 0.2), random.uniform(0.12, 0.9))
    : tone(random.next(), random.uniform(0.2, 0.9), random.uniform(0.2, 0.85));
}

function randomOutfit(random: HashRandom): Outfit {
  return {
    skin: tone(random.uniform(0.05, 0.09), random.uniform(0.25, 0.5), random.uniform(0.35, 0.88)),
    hair: tone(0.08, random.uniform(0, 0.6), random.uniform(0.1, 0.6)),
    top: cloth(random),
    legs: random.chance(0.6)
      ? tone(0.61, random.uniform(0.05, 0.5), random.uniform(0.12, 0.45))
      : cloth(random),
    shoes: tone(0.08, 0.3, random.uniform(0.08, 0.6)),
  };
}

/** Joints in the person's own axes: a ahead, q to the right, y up, metres. */
type Joint = readonly [a: number, q: number, y: number];

interface Figure {
  readonly scene: Scene;
  readonly foot: Vec3;
  readonly heading: number;
  readonly label: number;
}

function jointAt(figure: Figure, [a, q, y]: Joint): Vec3 {
  const sin = Math.sin(figure.heading);
  const cos = Math.cos(figure.heading);
  return [figure.foot[0] + a * sin + q * cos, y, figure.foot[2] + a * cos - q * sin];
}

function limb(figure: Figure, from: Joint, to: Joint, radius: number, color: Rgb, endRadius = radius): void {
  const { canvas, camera, light } = figure.scene;
  paintCapsule(canvas, camera, {
    from: jointAt(figure, from),
    to: jointAt(figure, to),
    radius,
    endRadius,
    label: figure.label,
    shader: rounded(color, light),
  });
}

function dropShadow(figure: Figure, wide: number, height: number): void {
  const corners = [
    [-wide, -0.2],
    [-wide, 0.2],
    [wide, 0.2],
    [wide, -0.2],
  ].map(([a, q]) => {
    const p = jointAt(figure, [a!, q!, 0]);
    return [p[0], p[2]] as const;
  });
  castPrism(figure.scene.shadows, corners, height);
  castContact(figure.scene.shadows, corners, 0.4);
}

/** Paints somebody who walks or stands at the given point; `heading` is the way they face, from ahead to the right. */
export function paintPedestrian(scene: Scene, random: HashRandom, foot: Vec3, heading: number): void {
  if (foot[2] < 2) {
    return;
  }
  const figure: Figure = { scene, foot, heading, label: SCENE_CLASS.pedestrian };
  const outfit = randomOutfit(random);
  const k = (random.chance(0.12) ? random.uniform(1.05, 1.4) : random.uniform(1.55, 1.92)) / 1.75;
  const stride = random.chance(0.75) ? random.uniform(0.12, 0.36) : 0.03;
  const lean = random.pick([-1, 1]);
  for (const side of [-1, 1]) {
    const ahead = side * lean * stride;
    const foot: Joint = [ahead * k, side * 0.09 * k, 0.06 * k];
    limb(figure, [0, side * 0.09 * k, 0.9 * k], foot, 0.085 * k, outfit.legs, 0.055 * k);
    limb(figure, foot, [(ahead + 0.14) * k, side * 0.09 * k, 0.05 * k], 0.05 * k, outfit.shoes);
    const hand: Joint = [-ahead * 0.9 * k, side * 0.27 * k, 0.85 * k];
    limb(figure, [0, side * 0.2 * k, 1.4 * k], hand, 0.055 * k, outfit.top, 0.045 * k);
    limb(figure, hand, hand, 0.05 * k, outfit.skin);
  }
  limb(figure, [0, 0, 0.98 * k], [0.02, 0, 1.34 * k], 0.16 * k, outfit.top, 0.19 * k);
  if (random.chance(0.3)) {
    // A coat or a skirt hides the thighs.
    limb(figure, [0, 0, 1.1 * k], [0, 0, random.uniform(0.55, 0.8) * k], 0.17 * k, outfit.top, 0.22 * k);
  }
  if (random.chance(0.25)) {
    limb(figure, [-0.18 * k, 0, 1.05 * k], [-0.18 * k, 0, 1.3 * k], 0.15 * k, cloth(random));
  }
  paintHead(figure, random, [0.02, 0, 1.62 * k], k, outfit);
  dropShadow(figure, 0.25, 1.7 * k);
}

function paintHead(figure: Figure, random: HashRandom, at: Joint, k: number, outfit: Outfit): void {
  limb(figure, [at[0], 0, at[2] - 0.2 * k], at, 0.06 * k, outfit.skin);
  limb(figure, at, [at[0], 0, at[2] + 0.03 * k], 0.105 * k, outfit.skin);
  const long = random.chance(0.4) ? 0.22 : 0.05;
  limb(
    figure,
    [at[0] - 0.045, 0, at[2] + 0.07 * k],
    [at[0] - 0.07, 0, at[2] - long * k],
    0.1 * k,
    outfit.hair,
  );
  limb(
    figure,
    [at[0] - 0.02, 0, at[2] + 0.085 * k],
    [at[0] - 0.02, 0, at[2] + 0.085 * k],
    0.098 * k,
    outfit.hair,
  );
}

/** Paints somebody on a bicycle; rider and bicycle are one class, as in CamVid. */
export function paintBicyclist(scene: Scene, random: HashRandom, foot: Vec3, heading: number): void {
  if (foot[2] < 2.5) {
    return;
  }
  const figure: Figure = { scene, foot, heading, label: SCENE_CLASS.bicyclist };
  const outfit = randomOutfit(random);
  const frame = tone(random.next(), random.uniform(0, 0.8), random.uniform(0.15, 0.8));
  const rear: Joint = [-0.52, 0, 0.34];
  const front: Joint = [0.52, 0, 0.34];
  const seat: Joint = [-0.2, 0, 0.92];
  const bar: Joint = [0.38, 0, 1.0];
  const crank: Joint = [-0.03, 0, 0.3];
  for (const hub of [rear, front]) {
    paintWheel(figure, hub);
  }
  for (const [a, b] of [
    [rear, crank],
    [rear, seat],
    [seat, crank],
    [crank, bar],
    [[-0.15, 0, 0.82], bar],
    [bar, front],
  ] as const) {
    limb(figure, a, b, 0.028, frame);
  }
  limb(figure, [0.38, -0.25, 1.03], [0.38, 0.25, 1.03], 0.02, frame);
  const turn = random.uniform(0, 2 * Math.PI);
  for (const side of [-1, 1]) {
    const pedal: Joint = [
      -0.03 + 0.16 * Math.cos(turn) * side,
      side * 0.11,
      0.3 + 0.16 * Math.sin(turn) * side,
    ];
    const knee: Joint = [0.2 + 0.06 * Math.cos(turn) * side, side * 0.11, 0.72 + 0.1 * Math.sin(turn) * side];
    limb(figure, [-0.2, side * 0.1, 0.96], knee, 0.09, outfit.legs, 0.07);
    limb(figure, knee, pedal, 0.065, outfit.legs, 0.05);
    limb(figure, pedal, [pedal[0] + 0.12, pedal[1], pedal[2]], 0.045, outfit.shoes);
    limb(figure, [0.1, side * 0.19, 1.42], [0.37, side * 0.22, 1.05], 0.05, outfit.top, 0.04);
  }
  limb(figure, [-0.18, 0, 1.02], [0.08, 0, 1.42], 0.16, outfit.top, 0.19);
  paintHead(figure, random, [0.15, 0, 1.66], 1, outfit);
  if (random.chance(0.5)) {
    limb(figure, [0.12, 0, 1.77], [0.2, 0, 1.76], 0.11, cloth(random));
  }
  dropShadow(figure, 0.7, 1.5);
}

function paintWheel(figure: Figure, hub: Joint): void {
  const { canvas, camera, light } = figure.scene;
  const radius = 0.34;
  const rim = scale(arriving(light, [0, 0, -1]), 0.06);
  const points = Array.from({ length: 16 }, (_, i) => {
    const angle = (i * Math.PI) / 8;
    return jointAt(figure, [hub[0] + radius * Math.sin(angle), 0, radius * (1 - Math.cos(angle))]);
  });
  const [x, , z] = jointAt(figure, hub);
  paintFace(canvas, camera, {
    points,
    label: figure.label,
    origin: [x, radius, z],
    uAxis: [Math.sin(figure.heading), 0, Math.cos(figure.heading)],
    vAxis: [0, 1, 0],
    shader: (paint, u, v) => {
      const share = Math.hypot(u, v) / radius;
      const isSpoke = Math.abs(Math.sin(Math.atan2(v, u) * 5)) < 0.14;
      paint.red = rim[0];
      paint.green = rim[1];
      paint.blue = rim[2];
      return share > 0.84 || isSpoke || share < 0.12;
    },
  });
  // Seen from the front or behind the disc has no width of its own; the tyre has.
  limb(figure, [hub[0], 0, 0.03], [hub[0], 0, 2 * radius - 0.03], 0.03, [0.03, 0.03, 0.03]);
}
