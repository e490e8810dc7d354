import type { HashRandom } from "@armseg/scenes";
import { cityscapesName } from "./class-names.ts";
import type { Mistake } from "./mistake.ts";
import type { Vertex } from "./outline.ts";
import type { CoarsePolygon } from "./rasterise.ts";

/** How many polygons are wrong, beyond what a hurried hand does. */
export interface WrongPolygons {
  /**
   * Share of the polygons of classes that are not in {@link WrongPolygons.shareOf}, 0 to 1. Nobody takes the road for a fence: of a
   * polygon larger than {@link MISTAKABLE} the probability falls with its area.
   */
  readonly share: number;
  /** Share of the polygons of a class, by its name, whatever their size. */
  readonly shareOf: Readonly<Record<string, number>>;
}

/** Shares of the wrong polygons. */
const MISTAKES: Readonly<Record<Mistake, number>> = { "other class": 0.6, shifted: 0.15, merged: 0.25 };

/** Area, as a share of the frame, up to which polygons are mistaken alike. */
export const MISTAKABLE = 0.02;

/** Probability that a polygon of another class is given one like its own, where there is one, instead of one beside it. */
const LIKENESS = 0.7;

/** Classes that are taken for each other, by the names of Cityscapes. */
const ALIKE: readonly (readonly string[])[] = [
  ["road", "sidewalk"],
  ["building", "wall", "fence"],
  ["pole", "traffic light", "traffic sign"],
  ["vegetation", "terrain"],
  ["person", "rider"],
  ["car", "truck", "bus", "train"],
  ["motorcycle", "bicycle"],
];

/** Where the polygons of a frame were drawn. */
export interface WrongFrame {
  /** Class per pixel as it is in truth, −1 for ignored pixels. */
  readonly classes: Int16Array;
  readonly height: number;
  readonly width: number;
  /** Names by class index; absent where they are not known. */
  readonly names?: readonly string[];
}

/**
 * Makes some polygons of a frame wrong. A polygon that could be taken for nothing else (there is but one class) stays as it is.
 *
 * @param chanceOf - Uniform in [0, 1), by the class and the number of the polygon among those of its class: below its probability it
 *   is wrong.
 * @returns The polygons in the same order; the wrong ones say in what way.
 */
export function withWrongPolygons(
  polygons: readonly CoarsePolygon[],
  wrong: WrongPolygons,
  frame: WrongFrame,
  chanceOf: (label: number, rank: number) => number,
  random: HashRandom,
): CoarsePolygon[] {
  const seen = new Map<number, number>();
  return polygons.map((polygon, i) => {
    const own = random.fork(i);
    const rank = seen.get(polygon.label) ?? 0;
    seen.set(polygon.label, rank + 1);
    if (chanceOf(polygon.label, rank) >= probabilityOf(polygon, wrong, frame)) return polygon;
    return (
      mistaken(
        polygon,
        pickByWeight(new Map(Object.entries(MISTAKES) as [Mistake, number][]), own)!,
        polygons,
        frame,
        own,
      ) ?? polygon
    );
  });
}

function probabilityOf({ label, vertices }: CoarsePolygon, wrong: WrongPolygons, frame: WrongFrame): number {
  const name = frame.names?.[label];
  const own = name === undefined ? undefined : shareOfName(wrong.shareOf, name);
  if (own !== undefined) return own;
  const area = polygonArea(vertices) / (frame.height * frame.width);
  return wrong.share * Math.min(1, MISTAKABLE / area);
}

function shareOfName(shareOf: WrongPolygons["shareOf"], name: string): number | undefined {
  const found = [name, cityscapesName(name)].find((key) => Object.hasOwn(shareOf, key));
  return found === undefined ? undefined : shareOf[found];
}

function polygonArea(vertices: readonly Vertex[]): number {
  const doubled = vertices.reduce((sum, [x0, y0], i) => {
    const [x1, y1] = vertices[(i + 1) % vertices.length]!;
    return sum + x0 * y1 - x1 * y0;
  }, 0);
  return Math.abs(doubled) / 2;
}

function mistaken(
  polygon: CoarsePolygon,
  mistake: Mistake,
  all: readonly CoarsePolygon[],
  frame: WrongFrame,
  random: HashRandom,
): CoarsePolygon | undefined {
  if (mistake === "shifted") return shifted(polygon, frame, random);
  const beside = classesBeside(polygon, frame);
  if (mistake === "merged") {
    const merged = mergedWithNeighbour(polygon, pickByWeight(beside, random), all);
    if (merged) return merged;
  }
  const like = classesLike(polygon.label, frame.names);
  const label = like.length > 0 && random.chance(LIKENESS) ? random.pick(like) : pickByWeight(beside, random);
  return label === undefined ? undefined : { ...polygon, label, mistake: "other class" };
}

/** Moves a polygon by about its own width, in any direction, and back into the frame where it leaves it. */
function shifted(
  polygon: CoarsePolygon,
  { height, width }: WrongFrame,
  random: HashRandom,
): CoarsePolygon | undefined {
  const { left, right, top, bottom } = boxOf(polygon.vertices);
  const length = (1 + Math.min(right - left, bottom - top)) * random.uniform(0.5, 1.2);
  const angle = random.uniform(0, 2 * Math.PI);
  const inside = (by: number, low: number, high: number, end: number) =>
    Math.round(Math.min(end - 1 - high, Math.max(-low, by)));
  const dx = inside(length * Math.cos(angle), left, right, width);
  const dy = inside(length * Math.sin(angle), top, bottom, height);
  if (dx === 0 && dy === 0) return undefined;
  return {
    ...polygon,
    vertices: polygon.vertices.map(([x, y]): Vertex => [x + dx, y + dy]),
    mistake: "shifted",
  };
}

/** Draws a polygon as a part of the nearest polygon of a class: of that class, and joined to it. */
function mergedWithNeighbour(
  polygon: CoarsePolygon,
  label: number | undefined,
  all: readonly CoarsePolygon[],
): CoarsePolygon | undefined {
  const corners = all
    .filter((other) => other.label === label)
    .flatMap(({ vertices }) => vertices)
    .map((vertex) => ({ vertex, distance: distanceTo(polygon.vertices, vertex) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 2)
    .map(({ vertex }) => vertex);
  const { left, right, top, bottom } = boxOf(polygon.vertices);
  const reach = Math.max(right - left, bottom - top) + 1;
  const near = corners.filter((vertex) => distanceTo(polygon.vertices, vertex) <= reach);
  if (label === undefined || near.length === 0) return undefined;
  return { label, vertices: convexHull([...polygon.vertices, ...near]), mistake: "merged" };
}

function distanceTo(vertices: readonly Vertex[], [x, y]: Vertex): number {
  return Math.min(...vertices.map(([vx, vy]) => Math.hypot(vx - x, vy - y)));
}

/** Andrew's monotone chain. */
function convexHull(points: readonly Vertex[]): Vertex[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const chain = (ordered: readonly Vertex[]): Vertex[] => {
    const hull: Vertex[] = [];
    for (const point of ordered) {
      while (hull.length > 1 && turn(hull.at(-2)!, hull.at(-1)!, point) <= 0) hull.pop();
      hull.push(point);
    }
    return hull.slice(0, -1);
  };
  const hull = [...chain(sorted), ...chain(sorted.toReversed())];
  return hull.length > 0 ? hull : [sorted[0]!];
}

function turn([ax, ay]: Vertex, [bx, by]: Vertex, [cx, cy]: Vertex): number {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** Pixels of each other class in the polygon's box and as far around it. */
function classesBeside({ label, vertices }: CoarsePolygon, frame: WrongFrame): Map<number, number> {
  const { classes, height, width } = frame;
  const { left, right, top, bottom } = boxOf(vertices);
  const margin = 2 + Math.ceil(Math.min(right - left, bottom - top) / 2);
  const found = new Map<number, number>();
  for (let row = Math.max(0, top - margin); row <= Math.min(height - 1, bottom + margin); row++) {
    for (let column = Math.max(0, left - margin); column <= Math.min(width - 1, right + margin); column++) {
      const value = classes[row * width + column]!;
      if (value >= 0 && value !== label) found.set(value, (found.get(value) ?? 0) + 1);
    }
  }
  return found;
}

function classesLike(label: number, names: readonly string[] | undefined): number[] {
  if (names?.[label] === undefined) return [];
  const own = cityscapesName(names[label]);
  const group = ALIKE.find((some) => some.includes(own)) ?? [];
  return [...names.keys()].filter((i) => i !== label && group.includes(cityscapesName(names[i]!)));
}

/** Returns one of the keys, each as likely as its weight says; undefined if there is none. */
function pickByWeight<T>(weights: ReadonlyMap<T, number>, random: HashRandom): T | undefined {
  let left = random.next() * [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  for (const [key, weight] of weights) {
    left -= weight;
    if (left < 0) return key;
  }
  return undefined;
}

function boxOf(vertices: readonly Vertex[]) {
  const [xs, ys] = [vertices.map(([x]) => x), vertices.map(([, y]) => y)];
  return {
    left: Math.min(...xs),
    right: Math.max(...xs),
    top: Math.min(...ys),
    bottom: Math.max(...ys),
  };
}
