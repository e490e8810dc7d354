import type { Shader } from "./canvas.ts";
import type { HashRandom } from "./hash-random.ts";
import { type Light, lit, type Rgb, scale, tone } from "./light.ts";
import { clouds, grain } from "./noise.ts";

/** How the front of a building looks; lengths in metres. */
interface FacadeLook {
  readonly wall: Rgb;
  readonly texture: "plaster" | "brick" | "panels" | "boards";
  readonly glass: Rgb;
  readonly frame: Rgb;
  readonly shopSign: Rgb;
  readonly pitch: number;
  readonly storey: number;
  /** Share of a bay's width and of a storey's height that is window. */
  readonly windowWidth: number;
  readonly windowHeight: number;
  readonly curtainWall: boolean;
  readonly balconies: boolean;
  readonly shop: boolean;
  readonly bands: boolean;
  readonly litShare: number;
  readonly seed: number;
  /** Height up to which the houses opposite shade it. */
  readonly shadeBelow: number;
}

const WALL_HUES = [0.02, 0.03, 0.06, 0.08, 0.1, 0.12, 0.14, 0.3, 0.55, 0.6];

function randomLook(random: HashRandom, light: Light, height: number): FacadeLook {
  const texture = random.pick(["plaster", "plaster", "brick", "brick", "panels", "boards"] as const);
  const curtainWall = height > 9 && random.chance(0.2);
  const brick = texture === "brick";
  return {
    wall: tone(
      brick ? random.uniform(0.01, 0.1) : random.pick(WALL_HUES),
      brick ? random.uniform(0.25, 0.6) : random.uniform(0, 0.35),
      brick ? random.uniform(0.35, 0.7) : random.uniform(0.45, 0.95),
    ),
    texture,
    glass: tone(random.uniform(0.5, 0.62), random.uniform(0.05, 0.4), random.uniform(0.15, 0.45)),
    frame: random.chance(0.7) ? tone(0.1, 0.05, 0.9) : tone(random.next(), 0.4, 0.35),
    shopSign: tone(random.next(), random.uniform(0.2, 0.8), random.uniform(0.3, 0.85)),
    pitch: random.uniform(1.6, 3.6),
    storey: random.uniform(2.7, 3.6),
    windowWidth: curtainWall ? 0.94 : random.uniform(0.3, 0.7),
    windowHeight: curtainWall ? 0.9 : random.uniform(0.4, 0.68),
    curtainWall,
    balconies: !curtainWall && random.chance(0.2),
    shop: height > 5 && random.chance(0.4),
    bands: random.chance(0.35),
    litShare: light.kind === "dusk" ? random.uniform(0.15, 0.5) : light.kind === "overcast" ? 0.05 : 0,
    seed: random.integer(256),
    shadeBelow: light.kind !== "overcast" && random.chance(0.3) ? random.uniform(2, 9) : 0,
  };
}

/**
 * A shader for the front of a building of the given height.
 *
 * @param light - Supplies the reflection of the sky in the panes.
 * @param arrived - Light that reaches the wall.
 */
export function facadeShader(random: HashRandom, light: Light, arrived: Rgb, height: number): Shader {
  const look = randomLook(random, light, height);
  const sky = scale(light.haze, 0.28);
  const bottom = look.shop ? Math.min(height * 0.5, look.storey * 1.15) : 0.4;
  return (paint, u, v, z) => {
    const detail = Math.min(1, 22 / z);
    let albedo = wallAt(look, u, v, detail);
    let gloss = 0;
    let glow = 0;
    if (v > height - 0.5 || (look.bands && (v - bottom) % look.storey < 0.25 && v > bottom)) {
      albedo = look.bands || v > height - 0.25 ? 1.15 * albedo : 0.9 * albedo;
    }
    let base = look.wall;
    const bay = Math.floor(u / look.pitch);
    const x = u / look.pitch - bay;
    if (isDoor(look, bay, x, v)) {
      base = look.shopSign;
      albedo = 0.5;
    } else if (v > bottom && v < height - 0.7) {
      const floor = Math.floor((v - bottom) / look.storey);
      const y = (v - bottom) / look.storey - floor;
      const dx = Math.abs(x - 0.5) / look.windowWidth;
      const dy = Math.abs(y - 0.55) / look.windowHeight;
      if (dx < 0.5 && dy < 0.5) {
        const mullion = !look.curtainWall && (dx < 0.05 || Math.abs(dy - 0.12) < 0.03);
        const isFrame = dx > 0.42 || dy > 0.44 || (mullion && z < 40);
        base = isFrame ? look.frame : look.glass;
        albedo = isFrame ? 0.9 : 0.6 + 0.8 * grain(bay + look.seed, floor + look.seed * 3);
        gloss = isFrame ? 0 : 0.25 + 0.9 * clouds(u * 1.5 + look.seed, v * 2) + (y - 0.55);
        glow = !isFrame && grain(bay + 91, floor + look.seed) < look.litShare ? 1 : 0;
      } else if (look.balconies && y < 0.3 && dx < 0.75) {
        base = look.frame;
        albedo = y > 0.25 || (u * 8) % 1 < 0.35 ? 0.7 : 0.25;
      } else if (!look.curtainWall && dx < 0.6 && dy > 0.5 && dy < 0.58 && y < 0.55) {
        albedo *= 1.25;
      }
    } else if (look.shop && v < bottom) {
      const isSignBand = v > bottom * 0.8;
      const pane = v > 0.5 && !isSignBand && (u / (look.pitch * 1.4)) % 1 > 0.08;
      base = isSignBand ? look.shopSign : pane ? look.glass : look.frame;
      albedo = isSignBand ? 0.8 + 0.5 * (grain(u * 3, v * 3 + look.seed) > 0.65 ? 1 : 0) : 0.8;
      gloss = pane ? 0.15 + 0.9 * clouds(u * 3 + look.seed, v * 3) : 0;
      glow = pane && look.litShare > 0.1 ? 0.6 : 0;
    }
    const open = v < look.shadeBelow ? 0.55 : 1;
    const dirt = v < 1 ? 0.8 + 0.2 * v : 1;
    const color = lit(base, arrived);
    const factor = albedo * open * dirt;
    const reflected = Math.max(0, gloss) * open;
    paint.red = color[0] * factor + sky[0] * reflected + glow * 0.9;
    paint.green = color[1] * factor + sky[1] * reflected + glow * 0.65;
    paint.blue = color[2] * factor + sky[2] * reflected + glow * 0.3;
    return true;
  };
}

function isDoor(look: FacadeLook, bay: number, x: number, v: number): boolean {
  return !look.shop && v < 2.2 && v > 0.1 && bay % 3 === 1 && Math.abs(x - 0.5) * look.pitch < 0.5;
}

/** Brightness of the bare wall: courses of bricks, seams of panels, boards, stains. */
function wallAt(look: FacadeLook, u: number, v: number, detail: number): number {
  const stain = 0.85 + 0.3 * clouds(u + look.seed, v * 0.7 + look.seed);
  const rough = 1 + 0.2 * detail * (grain(u * 11, v * 11) - 0.5);
  if (look.texture === "brick") {
    const course = Math.floor(v / 0.16);
    const brick = Math.floor(u / 0.4 + (course & 1) * 0.5);
    const joint = v / 0.16 - course < 0.14 ? 1 + 0.35 * detail : 1;
    return stain * joint * (1 + 0.45 * detail * (grain(brick, course) - 0.5));
  }
  if (look.texture === "panels") {
    const seam = u % 2.4 < 0.06 || v % 1.5 < 0.06 ? 1 - 0.35 * detail : 1;
    return stain * rough * seam * (0.95 + 0.1 * grain(u / 2.4, v / 1.5));
  }
  if (look.texture === "boards") {
    return stain * rough * (1 - 0.3 * detail * (v % 0.22 < 0.05 ? 1 : 0));
  }
  return stain * rough;
}
