import type { Light } from "./light.ts";

const CELL = 0.25;
const COLUMNS = 256;
const ROWS = 400;

/** A point of the ground: metres to the right and ahead of the camera. */
export type GroundPoint = readonly [x: number, z: number];

/** Shade on the ground around the camera, 64 m wide and 100 m deep, in cells of a quarter of a metre. */
export interface ShadowMap {
  /** Share of sunlight blocked. */
  readonly sun: Float32Array;
  /** Share of skylight blocked: the dark under a car. */
  readonly sky: Float32Array;
  /** Where the shadow of a point one metre above the ground falls. */
  readonly slope: GroundPoint;
}

/** A map without any shade. */
export function createShadowMap(light: Light): ShadowMap {
  return {
    sun: new Float32Array(COLUMNS * ROWS),
    sky: new Float32Array(COLUMNS * ROWS),
    slope: [-light.toSun[0] / light.toSun[1], -light.toSun[2] / light.toSun[1]],
  };
}

/** Shades what a prism over the given convex footprint, `height` metres tall, hides from the sun. */
export function castPrism(map: ShadowMap, footprint: readonly GroundPoint[], height: number): void {
  const shift: GroundPoint = [map.slope[0] * height, map.slope[1] * height];
  const moved = footprint.map((p): GroundPoint => [p[0] + shift[0], p[1] + shift[1]]);
  fillConvex(map.sun, hull([...footprint, ...moved]), 1);
}

/** Shades skylight over a footprint: what stands close above the ground. */
export function castContact(map: ShadowMap, footprint: readonly GroundPoint[], strength: number): void {
  fillConvex(map.sky, footprint, strength);
}

/** Shades a disc-shaped patch, the shadow of a ball of the given radius at the given height. */
export function castBall(map: ShadowMap, center: GroundPoint, height: number, radius: number): void {
  const x = center[0] + map.slope[0] * height;
  const z = center[1] + map.slope[1] * height;
  const stretch = Math.hypot(1, Math.hypot(...map.slope) * 0.6);
  const corners = Array.from({ length: 10 }, (_, i): GroundPoint => {
    const angle = (i * Math.PI) / 5;
    return [x + radius * Math.cos(angle), z + radius * stretch * Math.sin(angle)];
  });
  fillConvex(map.sun, corners, 0.85);
}

/** Value of one of the two layers at a ground point, bilinear; 0 outside the map. */
export function shadeAt(layer: Float32Array, x: number, z: number): number {
  const column = x / CELL + COLUMNS / 2 - 0.5;
  const row = z / CELL - 0.5;
  const i = Math.floor(column);
  const j = Math.floor(row);
  if (i < 0 || j < 0 || i >= COLUMNS - 1 || j >= ROWS - 1) {
    return 0;
  }
  const u = column - i;
  const v = row - j;
  const at = j * COLUMNS + i;
  const near = layer[at]! * (1 - u) + layer[at + 1]! * u;
  const far = layer[at + COLUMNS]! * (1 - u) + layer[at + COLUMNS + 1]! * u;
  return near * (1 - v) + far * v;
}

function fillConvex(layer: Float32Array, points: readonly GroundPoint[], strength: number): void {
  const z = points.map((p) => p[1] / CELL);
  const first = Math.max(0, Math.floor(Math.min(...z)));
  const last = Math.min(ROWS - 1, Math.ceil(Math.max(...z)));
  for (let row = first; row <= last; row++) {
    let left = Infinity;
    let right = -Infinity;
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const from = z[j]!;
      const to = z[i]!;
      const y = row + 0.5;
      if (from <= y !== to <= y) {
        const x = points[j]![0] + ((y - from) / (to - from)) * (points[i]![0] - points[j]![0]);
        left = Math.min(left, x / CELL + COLUMNS / 2);
        right = Math.max(right, x / CELL + COLUMNS / 2);
      }
    }
    const end = Math.min(COLUMNS - 1, Math.floor(right - 0.5));
    for (let column = Math.max(0, Math.ceil(left - 0.5)); column <= end; column++) {
      const at = row * COLUMNS + column;
      layer[at] = Math.max(layer[at]!, strength);
    }
  }
}

/** Convex hull by Andrew's monotone chain. */
function hull(points: readonly GroundPoint[]): GroundPoint[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered: readonly GroundPoint[]): GroundPoint[] => {
    const chain: GroundPoint[] = [];
    for (const p of ordered) {
      while (chain.length > 1 && turn(chain[chain.length - 2]!, chain[chain.length - 1]!, p) <= 0) {
        chain.pop();
      }
      chain.push(p);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

function turn(a: GroundPoint, b: GroundPoint, c: GroundPoint): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}
