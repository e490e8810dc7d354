import type { Vec3 } from "./camera.ts";
import type { Paint, Shader } from "./canvas.ts";
import type { HashRandom } from "./hash-random.ts";

/** Linear red, green, blue; a surface's share of reflected light, or radiance. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Light of a scene. */
export interface Light {
  readonly kind: "day" | "overcast" | "dusk";
  /** Unit vector towards the sun. */
  readonly toSun: Vec3;
  readonly sun: Rgb;
  readonly ambient: Rgb;
  readonly zenith: Rgb;
  readonly haze: Rgb;
  /** Share of light lost to haze per metre. */
  readonly hazeDensity: number;
  /** Share of the sky under clouds. */
  readonly cloudiness: number;
}

const KINDS = ["day", "day", "day", "overcast", "overcast", "dusk"] as const;

/** A time of day, weather and direction of the sun. */
export function randomLight(random: HashRandom): Light {
  const kind = random.pick(KINDS);
  const azimuth = random.uniform(0, 2 * Math.PI);
  const elevation = kind === "dusk" ? random.uniform(0.12, 0.3) : random.uniform(0.45, 1.1);
  const toSun: Vec3 = [
    Math.cos(elevation) * Math.sin(azimuth),
    Math.sin(elevation),
    Math.cos(elevation) * Math.cos(azimuth),
  ];
  const tint = random.uniform(-0.06, 0.06);
  const hazeDensity = random.uniform(0.0005, 0.007);
  const shared = { kind, toSun, hazeDensity };
  if (kind === "overcast") {
    const grey = random.uniform(0.75, 1);
    return {
      ...shared,
      sun: [0.12, 0.12, 0.12],
      ambient: [grey, grey * (1 + tint / 4), grey * (1.03 + tint / 2)],
      zenith: [0.62 * grey, 0.66 * grey, 0.73 * grey],
      haze: [1 * grey, 1.02 * grey, 1.05 * grey],
      cloudiness: random.uniform(0.7, 1),
    };
  }
  if (kind === "dusk") {
    return {
      ...shared,
      sun: [1.5, 0.8, 0.36],
      ambient: [0.42 + tint, 0.4, 0.48 - tint],
      zenith: [0.2, 0.27, 0.48],
      haze: [1.05, random.uniform(0.55, 0.8), random.uniform(0.35, 0.65)],
      cloudiness: random.uniform(0, 0.8),
    };
  }
  return {
    ...shared,
    sun: [2.1, 1.95, 1.65 + tint],
    ambient: [0.42, 0.5, 0.62],
    zenith: [random.uniform(0.12, 0.3), random.uniform(0.32, 0.45), random.uniform(0.7, 0.95)],
    haze: [0.85, 0.95, 1.05],
    cloudiness: random.uniform(0, 0.75),
  };
}

/** Colour from hue (turns), saturation and value as a painter thinks of them, in linear light (value squared). */
export function tone(hue: number, saturation: number, value: number): Rgb {
  const channel = (shift: number): number => {
    const k = (shift + hue * 6 + 600) % 6;
    return value * (1 - saturation * Math.max(0, Math.min(k, 4 - k, 1)));
  };
  return [channel(5) ** 2, channel(3) ** 2, channel(1) ** 2];
}

/** A colour times a number. */
export function scale(color: Rgb, factor: number): Rgb {
  return [color[0] * factor, color[1] * factor, color[2] * factor];
}

/** Light that arrives at a surface with the given unit normal; `open` is the share of sun not shaded. */
export function arriving(light: Light, normal: Vec3, open = 1): Rgb {
  const facing = normal[0] * light.toSun[0] + normal[1] * light.toSun[1] + normal[2] * light.toSun[2];
  const direct = Math.max(0, facing) * open;
  const sky = 0.55 + 0.35 * normal[1];
  return [
    light.sun[0] * direct + light.ambient[0] * sky,
    light.sun[1] * direct + light.ambient[1] * sky,
    light.sun[2] * direct + light.ambient[2] * sky,
  ];
}

/** Unit normal of a polygon, turned towards the lens. */
export function facingNormal(points: readonly Vec3[], altitude: number): Vec3 {
  const [a, b, c] = points as readonly [Vec3, Vec3, Vec3];
  const u = [b[0] - a[0], b[1] - a[1], b[2] - a[2]] as const;
  const v = [c[0] - a[0], c[1] - a[1], c[2] - a[2]] as const;
  const n: [number, number, number] = [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const away = n[0] * a[0] + n[1] * (a[1] - altitude) + n[2] * a[2] > 0 ? -1 : 1;
  const length = away * Math.hypot(...n) || 1;
  return [n[0] / length, n[1] / length, n[2] / length];
}

/** A shader of one radiance. */
export function flat(radiance: Rgb): Shader {
  return (paint: Paint) => {
    paint.red = radiance[0];
    paint.green = radiance[1];
    paint.blue = radiance[2];
    return true;
  };
}

/** Albedo times arriving light. */
export function lit(albedo: Rgb, arrived: Rgb): Rgb {
  return [albedo[0] * arrived[0], albedo[1] * arrived[1], albedo[2] * arrived[2]];
}

/** A shader for a round rod or ball: brighter on the side of the sun, darker towards the rim. */
export function rounded(albedo: Rgb, light: Light): Shader {
  const base = lit(albedo, arriving(light, [0, 0.2, -1]));
  const lean = 0.3 * (light.sun[0] > 0.3 ? Math.sign(light.toSun[0]) : 0);
  return (paint: Paint, u: number) => {
    const shade = 0.95 + lean * u - 0.3 * u * u;
    paint.red = base[0] * shade;
    paint.green = base[1] * shade;
    paint.blue = base[2] * shade;
    return true;
  };
}
