import type { Vertex } from "./outline.ts";

/**
 * Fewest corners by Douglas and Peucker such that no point of the closed outline strays further than the tolerance.
 *
 * The outline is split at its first point and the one farthest from it. At least three corners are kept where the
 * outline has three points.
 *
 * @param tolerance - In pixels.
 */
export function simplifyOutline(outline: readonly Vertex[], tolerance: number): Vertex[] {
  const count = outline.length;
  if (count <= 3) {
    return [...outline];
  }
  const first = farthestFrom(outline, outline[0]!);
  const second = farthestFrom(outline, outline[first]!);
  const [a, b] = first < second ? [first, second] : [second, first];
  const kept = new Uint8Array(count);
  kept[a] = 1;
  kept[b] = 1;
  keepBetween_(kept, outline, a, b, tolerance);
  keepBetween_(kept, outline, b, a + count, tolerance);
  const corners = outline.filter((_, i) => kept[i] === 1);
  if (corners.length > 2) {
    return corners;
  }
  const third = mostStraying(outline, b, a + count)[0] % count;
  return [outline[a]!, outline[b]!, outline[third]!];
}

function farthestFrom(outline: readonly Vertex[], from: Vertex): number {
  let best = 0;
  let most = -1;
  outline.forEach(([x, y], i) => {
    const distance = (x - from[0]) ** 2 + (y - from[1]) ** 2;
    if (distance > most) {
      most = distance;
      best = i;
    }
  });
  return best;
}

function keepBetween_(
  kept: Uint8Array,
  outline: readonly Vertex[],
  from: number,
  to: number,
  tolerance: number,
): void {
  const stack: [number, number][] = [[from, to]];
  while (stack.length > 0) {
    const [start, end] = stack.pop()!;
    const [index, distance] = mostStraying(outline, start, end);
    if (distance > tolerance) {
      kept[index % outline.length] = 1;
      stack.push([start, index], [index, end]);
    }
  }
}

/** The point between two of the outline (indices may exceed its length) farthest from their connecting segment. */
function mostStraying(outline: readonly Vertex[], start: number, end: number): [number, number] {
  const count = outline.length;
  const [ax, ay] = outline[start % count]!;
  const [bx, by] = outline[end % count]!;
  const dx = bx - ax;
  const dy = by - ay;
  const length2 = dx * dx + dy * dy;
  let best = start;
  let most = -1;
  for (let i = start + 1; i < end; i++) {
    const [x, y] = outline[i % count]!;
    const t = length2 > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length2)) : 0;
    const distance = (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2;
    if (distance > most) {
      most = distance;
      best = i;
    }
  }
  return [best, Math.sqrt(Math.max(0, most))];
}
