import type { Camera, Vec3 } from "./camera.ts";
import { columnOf, rowOf } from "./camera.ts";

/** Radiance (linear light), depth in metres and class of every sample of the supersampled picture. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
  /** Infinity where nothing but the sky has been painted. */
  readonly depth: Float32Array;
  readonly label: Uint8Array;
}

/** What a shader fills in: linear radiance. One object is reused for all samples. */
export interface Paint {
  red: number;
  green: number;
  blue: number;
}

/**
 * Colours one sample of a surface.
 *
 * @param paint - To be filled in.
 * @param u - Metres along the surface's first axis.
 * @param v - Metres along the second axis, upwards.
 * @param z - Depth in metres.
 * @returns False where the surface has a hole.
 */
export type Shader = (paint: Paint, u: number, v: number, z: number) => boolean;

/** A planar convex polygon with the axes in which its shader measures. */
export interface Face {
  readonly points: readonly Vec3[];
  readonly label: number;
  readonly shader: Shader;
  /** Where u = v = 0; the first point when absent. */
  readonly origin?: Vec3;
  readonly uAxis?: Vec3;
  readonly vAxis?: Vec3;
  /** Fraction of the depth by which it is held nearer, for details that lie on another face. */
  readonly lift?: number;
}

const NEAR = 0.4;
const paint: Paint = { red: 0, green: 0, blue: 0 };

/** An empty canvas of the given size, everything infinitely far. */
export function createCanvas(height: number, width: number): Canvas {
  const size = height * width;
  return {
    height,
    width,
    red: new Float32Array(size),
    green: new Float32Array(size),
    blue: new Float32Array(size),
    depth: new Float32Array(size).fill(Infinity),
    label: new Uint8Array(size),
  };
}

/** Writes one sample if it is nearer than what is there. */
export function plot(canvas: Canvas, at: number, z: number, label: number, color: Paint): void {
  canvas.depth[at] = z;
  canvas.label[at] = label;
  canvas.red[at] = color.red;
  canvas.green[at] = color.green;
  canvas.blue[at] = color.blue;
}

/** Paints a planar convex polygon with exact perspective and a depth test. */
export function paintFace(canvas: Canvas, camera: Camera, face: Face): void {
  const points = clipNear(face.points);
  if (points.length < 3) {
    return;
  }
  const columns = points.map((p) => columnOf(camera, p[0], p[2]));
  const rows = points.map((p) => rowOf(camera, p[1], p[2]));
  const first = Math.max(0, Math.ceil(Math.min(...rows) - 0.5));
  const last = Math.min(canvas.height - 1, Math.floor(Math.max(...rows) - 0.5));
  if (first > last || Math.max(...columns) < 0 || Math.min(...columns) > canvas.width) {
    return;
  }
  const plane = planeOf(face, camera.altitude);
  if (plane === undefined) {
    return;
  }
  for (let row = first; row <= last; row++) {
    paintSpan(canvas, camera, face, plane, row, spanOf(columns, rows, row + 0.5));
  }
}

function clipNear(points: readonly Vec3[]): readonly Vec3[] {
  if (points.every((p) => p[2] >= NEAR)) {
    return points;
  }
  const kept: Vec3[] = [];
  points.forEach((to, i) => {
    const from = points[(i + points.length - 1) % points.length]!;
    if (from[2] >= NEAR !== to[2] >= NEAR) {
      const t = (NEAR - from[2]) / (to[2] - from[2]);
      kept.push([from[0] + t * (to[0] - from[0]), from[1] + t * (to[1] - from[1]), NEAR]);
    }
    if (to[2] >= NEAR) {
      kept.push(to);
    }
  });
  return kept;
}

interface Plane {
  readonly normal: Vec3;
  /** normal · (origin − lens) */
  readonly offset: number;
  readonly u: Vec3;
  readonly v: Vec3;
  readonly u0: number;
  readonly v0: number;
}

const ZERO: Vec3 = [0, 0, 0];

function planeOf(face: Face, altitude: number): Plane | undefined {
  const [a, b, c] = face.points as readonly [Vec3, Vec3, Vec3];
  const normal = cross(subtract(b, a), subtract(c, a));
  const lens: Vec3 = [0, altitude, 0];
  const offset = dot(normal, subtract(a, lens));
  if (Math.abs(offset) < 1e-9) {
    return undefined;
  }
  const origin = subtract(face.origin ?? a, lens);
  const u = face.uAxis ?? ZERO;
  const v = face.vAxis ?? ZERO;
  return { normal, offset, u, v, u0: dot(u, origin), v0: dot(v, origin) };
}

/** First and last column of a convex polygon at height `y`; an empty pair when it is missed. */
function spanOf(columns: readonly number[], rows: readonly number[], y: number): [number, number] {
  let left = Infinity;
  let right = -Infinity;
  for (let i = 0, j = rows.length - 1; i < rows.length; j = i++) {
    const from = rows[j]!;
    const to = rows[i]!;
    if (from <= y !== to <= y) {
      const x = columns[j]! + ((y - from) / (to - from)) * (columns[i]! - columns[j]!);
      left = Math.min(left, x);
      right = Math.max(right, x);
    }
  }
  return [left, right];
}

function paintSpan(
  canvas: Canvas,
  camera: Camera,
  face: Face,
  plane: Plane,
  row: number,
  [left, right]: [number, number],
): void {
  const first = Math.max(0, Math.ceil(left - 0.5));
  const last = Math.min(canvas.width - 1, Math.floor(right - 0.5));
  const nearer = 1 - (face.lift ?? 0);
  const rayY = (camera.horizon - row - 0.5) / camera.focal;
  const { normal, offset, u, v, u0, v0 } = plane;
  for (let column = first; column <= last; column++) {
    const rayX = (column + 0.5 - camera.centerX) / camera.focal;
    const z = offset / (normal[0] * rayX + normal[1] * rayY + normal[2]);
    const at = row * canvas.width + column;
    if (z * nearer < canvas.depth[at]! && z > 0) {
      const along = z * (u[0] * rayX + u[1] * rayY + u[2]) - u0;
      const up = z * (v[0] * rayX + v[1] * rayY + v[2]) - v0;
      if (face.shader(paint, along, up, z)) {
        plot(canvas, at, z * nearer, face.label, paint);
      }
    }
  }
}

/** A rod with round ends that faces the camera: limbs, heads (zero length), posts. Positions and radii in metres. */
export interface Capsule {
  readonly from: Vec3;
  readonly to: Vec3;
  readonly radius: number;
  /** Radius at `to`; the same as `radius` when absent. */
  readonly endRadius?: number;
  readonly label: number;
  /** u in [-1, 1] across the rod, v in [0, 1] along it. */
  readonly shader: Shader;
}

/** Paints a capsule at the depth of its nearer end, with a depth test. */
export function paintCapsule(canvas: Canvas, camera: Camera, capsule: Capsule): void {
  const { from, to } = capsule;
  const z = Math.min(from[2], to[2]);
  if (z < NEAR) {
    return;
  }
  const x0 = columnOf(camera, from[0], from[2]);
  const y0 = rowOf(camera, from[1], from[2]);
  const dx = columnOf(camera, to[0], to[2]) - x0;
  const dy = rowOf(camera, to[1], to[2]) - y0;
  const r0 = (capsule.radius * camera.focal) / from[2];
  const r1 = ((capsule.endRadius ?? capsule.radius) * camera.focal) / to[2];
  const length2 = dx * dx + dy * dy;
  const reach = Math.max(r0, r1);
  const top = Math.max(0, Math.ceil(Math.min(y0, y0 + dy) - reach - 0.5));
  const bottom = Math.min(canvas.height - 1, Math.floor(Math.max(y0, y0 + dy) + reach - 0.5));
  const left = Math.max(0, Math.ceil(Math.min(x0, x0 + dx) - reach - 0.5));
  const right = Math.min(canvas.width - 1, Math.floor(Math.max(x0, x0 + dx) + reach - 0.5));
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - y0;
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - x0;
      const t = length2 > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / length2)) : 0;
      const ex = px - t * dx;
      const ey = py - t * dy;
      const radius = r0 + (r1 - r0) * t;
      const distance2 = ex * ex + ey * ey;
      const at = row * canvas.width + column;
      if (distance2 <= radius * radius && z < canvas.depth[at]!) {
        const side = (ex >= 0 ? 1 : -1) * Math.sqrt(distance2 / (radius * radius + 1e-9));
        if (capsule.shader(paint, side, t, z)) {
          plot(canvas, at, z, capsule.label, paint);
        }
      }
    }
  }
}

/** a − b */
export function subtract(a: Vec3, b: Vec3): Vec3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/** a · b */
export function dot(a: Vec3, b: Vec3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/** a × b */
export function cross(a: Vec3, b: Vec3): Vec3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
