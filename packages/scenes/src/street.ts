import type { Vec3 } from "./camera.ts";
import type { HashRandom } from "./hash-random.ts";

/** What borders one side of the street. */
export type SideKind = "terrace" | "houses" | "park" | "blocks";

/** One side of the street; widths in metres. */
export interface Side {
  readonly kind: SideKind;
  /** Distance of the kerb from the camera's line, positive on both sides. */
  readonly kerb: number;
  readonly sidewalk: number;
  /** Strip of grass beside the sidewalk. */
  readonly verge: number;
  /** Whether cars park along the kerb. */
  readonly parking: boolean;
}

/**
 * A street in coordinates of its own: `t` metres to the right of the camera's line, `s` metres along it.
 *
 * The line bends like a parabola and is turned against the direction of view.
 */
export interface Street {
  readonly yaw: number;
  readonly curvature: number;
  /** Left and right; index 0 is at negative t. */
  readonly sides: readonly [Side, Side];
  /** Middle of the carriageway. */
  readonly middle: number;
  readonly lanes: number;
  /** Where another street crosses, along s. */
  readonly crossing: { readonly from: number; readonly to: number } | undefined;
  readonly zebra: number | undefined;
}

const KINDS: readonly SideKind[] = ["terrace", "terrace", "houses", "park", "blocks"];

/** A street with one to four lanes, as seen by a driver, a cyclist or somebody on the sidewalk. */
export function randomStreet(random: HashRandom): Street {
  const lanes = random.pick([1, 2, 2, 2, 2, 3, 4]);
  const width = lanes * random.uniform(2.8, 3.6) + (lanes === 1 ? 1.5 : 0);
  const parking: readonly [boolean, boolean] = [random.chance(0.5), random.chance(0.5)];
  const left = (parking[0] ? 2.2 : 0) + width / 2;
  const right = (parking[1] ? 2.2 : 0) + width / 2;
  // Mostly on a lane, sometimes near or on the sidewalk, on either side: both kinds of traffic.
  const stand = random.chance(0.85)
    ? random.uniform(-0.33, 0.33) * width
    : random.pick([-1, 1]) * (width / 2 + 2);
  const side = (i: 0 | 1, kerb: number): Side => ({
    kind: random.pick(KINDS),
    kerb,
    sidewalk: random.uniform(1.4, 4.5),
    verge: random.chance(0.35) ? random.uniform(0.8, 3) : 0,
    parking: parking[i],
  });
  const from = random.uniform(12, 60);
  return {
    yaw: random.normal() * 0.1,
    curvature: random.chance(0.4) ? random.normal() * 0.006 : 0,
    sides: [side(0, left + stand), side(1, right - stand)],
    middle: -stand,
    lanes,
    crossing: random.chance(0.4) ? { from, to: from + random.uniform(6, 12) } : undefined,
    zebra: random.chance(0.3) ? random.uniform(6, 40) : undefined,
  };
}

/** Point at `t` to the right, `s` along, `y` above the ground, in camera coordinates. */
export function placeOn(street: Street, t: number, s: number, y = 0): Vec3 {
  const bent = t + (street.curvature / 2) * s * s;
  const cos = Math.cos(street.yaw);
  const sin = Math.sin(street.yaw);
  return [bent * cos - s * sin, y, bent * sin + s * cos];
}

/** Direction of the street at `s`: the angle from the view direction towards the right. */
export function headingAt(street: Street, s: number): number {
  return Math.atan(street.curvature * s) - street.yaw;
}

/** Distance from the camera's line at which plots begin: behind kerb, sidewalk and verge. */
export function frontOf(side: Side): number {
  return side.kerb + side.sidewalk + side.verge;
}

/** Whether the crossing street is at `s`, with a margin in metres. */
export function isCrossing(street: Street, s: number, margin = 0): boolean {
  const { crossing } = street;
  return crossing !== undefined && s > crossing.from - margin && s < crossing.to + margin;
}
