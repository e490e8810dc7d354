import type { Vec3 } from "./camera.ts";
import { paintFace, type Shader } from "./canvas.ts";
import { SCENE_CLASS } from "./classes.ts";
import type { HashRandom } from "./hash-random.ts";
import { arriving, facingNormal, flat, type Light, lit, type Rgb, scale, tone } from "./light.ts";
import { clouds } from "./noise.ts";
import type { Scene } from "./scene.ts";
import { castContact, castPrism } from "./shadow-map.ts";

/** Side view of a vehicle, metres: x from the rear to the front bumper, y up. Both outlines are convex. */
interface Model {
  readonly length: number;
  readonly width: number;
  readonly body: readonly (readonly [x: number, y: number])[];
  /** Rear foot, rear top, front top, front foot. */
  readonly cabin: readonly (readonly [x: number, y: number])[];
  readonly wheel: number;
  readonly axles: readonly number[];
  /** Share of the width left at the roof. */
  readonly taper: number;
}

type Kind = "hatchback" | "saloon" | "estate" | "van" | "bus" | "truck";
const KINDS: readonly Kind[] = [
  "hatchback",
  "hatchback",
  "hatchback",
  "saloon",
  "saloon",
  "estate",
  "estate",
  "van",
  "bus",
  "truck",
];

function modelOf(random: HashRandom, kind: Kind): Model {
  const k = random.uniform(0.93, 1.08);
  const car = (
    length: number,
    waist: number,
    roof: number,
    cabin: readonly [number, number, number, number],
  ): Model => ({
    length: length * k,
    width: 1.78 * k,
    body: [
      [0, 0.3],
      [0, waist * 0.92],
      [0.06, waist],
      [0.72, waist],
      [0.98, waist * 0.8],
      [1, 0.3],
    ].map(([x, y]) => [x! * length * k, y! * k] as const),
    cabin: [
      [cabin[0], waist],
      [cabin[1], roof],
      [cabin[2], roof],
      [cabin[3], waist * 0.97],
    ].map(([x, y]) => [x! * length * k, y! * k] as const),
    wheel: 0.32 * k,
    axles: [0.19 * length * k, 0.81 * length * k],
    taper: 0.78,
  });
  switch (kind) {
    case "hatchback":
      return car(3.9, 0.92, 1.48, [0.01, 0.09, 0.56, 0.76]);
    case "saloon":
      return car(4.6, 0.92, 1.43, [0.12, 0.26, 0.55, 0.73]);
    case "estate":
      return car(4.6, 1.02, 1.66, [0.01, 0.05, 0.56, 0.72]);
    case "van":
      return { ...car(5.2, 1.1, 2.2, [0, 0.01, 0.72, 0.87]), width: 2, taper: 0.92 };
    case "bus":
      return { ...car(10.5, 1.1, 3.05, [0, 0.005, 0.98, 0.998]), width: 2.5, wheel: 0.48, taper: 0.97 };
    case "truck":
      return { ...car(7.5, 1.15, 2.9, [0, 0, 0.99, 1]), width: 2.4, wheel: 0.48, taper: 1 };
  }
}

function randomBodyColor(random: HashRandom): Rgb {
  const grey = random.chance(0.6);
  return grey
    ? tone(random.pick([0.1, 0.6]), random.uniform(0, 0.1), random.pick([0.16, 0.25, 0.45, 0.6, 0.75, 0.92]))
    : tone(
        random.pick([0, 0.01, 0.08, 0.13, 0.35, 0.58, 0.6, 0.63]),
        random.uniform(0.4, 0.85),
        random.uniform(0.25, 0.75),
      );
}

/** A vehicle's own axes in the camera's: where its middle stands on the ground, and which way its front points. */
interface Pose {
  readonly center: Vec3;
  readonly cos: number;
  readonly sin: number;
  readonly model: Model;
}

function toCamera(pose: Pose, x: number, q: number, y: number): Vec3 {
  const along = x - pose.model.length / 2;
  return [
    pose.center[0] + along * pose.sin + q * pose.cos,
    y,
    pose.center[2] + along * pose.cos - q * pose.sin,
  ];
}

/**
 * Paints a vehicle.
 *
 * @param center - Point of the ground under its middle.
 * @param heading - Direction of its front: angle from straight ahead towards the right, radians.
 */
export function paintCar(scene: Scene, random: HashRandom, center: Vec3, heading: number): void {
  const kind = random.pick(KINDS);
  const model = modelOf(random, kind);
  if (center[2] < model.length * 0.75 + 1) {
    return;
  }
  const pose: Pose = { center, cos: Math.cos(heading), sin: Math.sin(heading), model };
  const color = randomBodyColor(random);
  shadow(scene, pose);
  paintShell(scene, pose, model.body, 1, () => body(color));
  const boxed = kind === "truck" || (kind === "van" && random.chance(0.5));
  const cargo =
    kind === "truck" ? tone(random.next(), random.uniform(0, 0.4), random.uniform(0.5, 0.95)) : color;
  paintShell(scene, pose, model.cabin, model.taper, (part) => {
    if (part === "top" || (boxed && part !== "front")) {
      return body(kind === "truck" ? cargo : color);
    }
    return part === "side" ? sideWindows(color, model, kind) : pane(color, part);
  });
  paintWheels(scene, pose, random);
  paintEnds(scene, pose, random);
}

type Part = "side" | "top" | "front" | "rear";
/** Makes a shader when the light on the face is known. */
type Coat = (light: Light, normal: Vec3) => Shader;

function shadow(scene: Scene, pose: Pose): void {
  const { length, width } = pose.model;
  const footprint = (margin: number) =>
    [
      [-margin, -1],
      [-margin, 1],
      [length + margin, 1],
      [length + margin, -1],
    ].map(([x, side]) => {
      const p = toCamera(pose, x!, side! * (width / 2 + margin), 0);
      return [p[0], p[2]] as const;
    });
  castContact(scene.shadows, footprint(0.15), 0.55);
  castContact(scene.shadows, footprint(-0.1), 0.8);
  castPrism(scene.shadows, footprint(-0.1), pose.model.cabin[1]![1] * 0.85);
}

/** Extrudes an outline across the vehicle: two sides and one strip an edge. */
function paintShell(
  scene: Scene,
  pose: Pose,
  outline: readonly (readonly [number, number])[],
  taper: number,
  coatOf: (part: Part) => Coat,
): void {
  const heights = outline.map((p) => p[1]);
  const low = Math.min(...heights);
  const high = Math.max(...heights);
  const half = (y: number): number => (pose.model.width / 2) * (1 - ((1 - taper) * (y - low)) / (high - low));
  for (const side of [-1, 1]) {
    const points = outline.map(([x, y]) => toCamera(pose, x, side * half(y), y));
    paintPanel(scene, pose, points, coatOf("side"));
  }
  outline.forEach(([x0, y0], i) => {
    const [x1, y1] = outline[(i + 1) % outline.length]!;
    const points = [
      toCamera(pose, x0, -half(y0), y0),
      toCamera(pose, x0, half(y0), y0),
      toCamera(pose, x1, half(y1), y1),
      toCamera(pose, x1, -half(y1), y1),
    ];
    const isFlat = Math.abs(x1 - x0) > 2.5 * Math.abs(y1 - y0);
    paintPanel(
      scene,
      pose,
      points,
      coatOf(isFlat ? "top" : x0 + x1 < pose.model.length * 0.8 ? "rear" : "front"),
    );
  });
}

/** u runs along the vehicle from its rear, v upwards from the ground. */
function paintPanel(scene: Scene, pose: Pose, points: readonly Vec3[], coat: Coat, lift = 0): void {
  paintFace(scene.canvas, scene.camera, {
    points,
    label: SCENE_CLASS.car,
    shader: coat(scene.light, facingNormal(points, scene.camera.altitude)),
    origin: toCamera(pose, 0, 0, 0),
    uAxis: [pose.sin, 0, pose.cos],
    vAxis: [0, 1, 0],
    lift,
  });
}

function body(color: Rgb): Coat {
  return (light, normal) => {
    const arrived = lit(color, arriving(light, normal));
    const gloss = scale(light.zenith, 0.05 + 0.22 * Math.max(0, normal[1]));
    return (paint, u, v) => {
      const door = v > 0.4 && v < 1 && Math.abs((u * 0.85) % 1) < 0.03 ? 0.7 : 1;
      const shade = door * (v < 0.45 ? 0.55 + v : 1) * (0.92 + 0.16 * clouds(u * 2, v * 4));
      paint.red = arrived[0] * shade + gloss[0];
      paint.green = arrived[1] * shade + gloss[1];
      paint.blue = arrived[2] * shade + gloss[2];
      return true;
    };
  };
}

function pane(color: Rgb, part: "front" | "rear"): Coat {
  return (light, normal) => {
    const glass = scale(light.haze, part === "front" ? 0.2 : 0.12);
    const rim = lit(color, arriving(light, normal));
    return (paint, u, v) => {
      const shine = 0.35 + 0.9 * clouds(u * 3 + 9, v * 5);
      const dark = v < 0.9 ? 1 : 0;
      paint.red = 0.02 + glass[0] * shine + rim[0] * dark;
      paint.green = 0.02 + glass[1] * shine + rim[1] * dark;
      paint.blue = 0.025 + glass[2] * shine + rim[2] * dark;
      return true;
    };
  };
}

function sideWindows(color: Rgb, model: Model, kind: Kind): Coat {
  const roof = model.cabin[1]![1];
  const waist = model.cabin[0]![1];
  const spacing = kind === "bus" ? 1.4 : model.length * 0.22;
  return (light, normal) => {
    const metal = lit(color, arriving(light, normal));
    const glass = scale(light.haze, 0.14);
    return (paint, u, v) => {
      const isPillar = (u % spacing) / spacing < 0.09 || v > roof - 0.09 || v < waist + 0.04;
      const shine = 0.3 + 1.2 * clouds(u * 2 + 5, v * 6) * (v - waist);
      paint.red = isPillar ? metal[0] : 0.02 + glass[0] * shine;
      paint.green = isPillar ? metal[1] : 0.02 + glass[1] * shine;
      paint.blue = isPillar ? metal[2] : 0.025 + glass[2] * shine;
      return true;
    };
  };
}

function paintWheels(scene: Scene, pose: Pose, random: HashRandom): void {
  const { model } = pose;
  const hub = random.uniform(0.15, 0.6);
  for (const side of [-1, 1]) {
    for (const axle of model.axles) {
      const q = side * model.width * 0.505;
      const points = Array.from({ length: 12 }, (_, i) => {
        const angle = (i * Math.PI) / 6;
        return toCamera(pose, axle + model.wheel * Math.sin(angle), q, model.wheel * (1 - Math.cos(angle)));
      });
      paintPanel(
        scene,
        pose,
        points,
        (light, normal) => tyre(model, axle, scale(arriving(light, normal), hub)),
        0.002,
      );
    }
  }
}

function tyre(model: Model, axle: number, hub: Rgb): Shader {
  return (paint, u, v) => {
    const radius = Math.hypot(u - axle, v - model.wheel) / model.wheel;
    const spoke = Math.abs(Math.sin(Math.atan2(v - model.wheel, u - axle) * 2.5)) > 0.35 || radius < 0.2;
    const isHub = radius < 0.62 && spoke;
    paint.red = isHub ? hub[0] : 0.015;
    paint.green = isHub ? hub[1] : 0.015;
    paint.blue = isHub ? hub[2] : 0.017;
    return true;
  };
}

/** Lamps and number plates at both ends. */
function paintEnds(scene: Scene, pose: Pose, random: HashRandom): void {
  const { model } = pose;
  const braking = random.chance(0.3);
  const shining = scene.light.kind === "dusk" || random.chance(0.2);
  const waist = model.body[1]![1];
  const arrived = arriving(scene.light, [0, 0, -1]);
  for (const [x, isRear] of [
    [-0.01, true],
    [model.length + 0.01, false],
  ] as const) {
    const quad = (q0: number, q1: number, y0: number, y1: number, color: Rgb): void => {
      const points = [
        toCamera(pose, x, q0, y0),
        toCamera(pose, x, q1, y0),
        toCamera(pose, x, q1, y1),
        toCamera(pose, x, q0, y1),
      ];
      paintPanel(scene, pose, points, () => flat(color), 0.003);
    };
    const lamp: Rgb = isRear
      ? [braking || shining ? 1.3 : 0.3 * arrived[0], 0.04, 0.03]
      : shining
        ? [2, 1.9, 1.5]
        : scale(arrived, 0.6);
    const outer = model.width * 0.46;
    const top = isRear ? waist * 0.9 : waist * 0.76;
    quad(-outer, -outer + 0.32, top - 0.18, top, lamp);
    quad(outer - 0.32, outer, top - 0.18, top, lamp);
    quad(-0.26, 0.26, 0.45, 0.57, scale(arrived, isRear && random.chance(0.4) ? 0.5 : 0.75));
    quad(-outer, outer, 0.3, 0.4, scale(arrived, 0.04));
  }
}
