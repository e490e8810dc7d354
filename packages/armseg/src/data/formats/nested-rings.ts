type Ring = readonly number[];

/** Whether one of several rings lies wholly inside another: a hole, to those who drew it. Rings that are equal are none. */
export function hasNestedRing(rings: readonly Ring[]): boolean {
  if (rings.length < 2) return false;
  const boxes = rings.map(boxOf);
  return rings.some((inner, i) =>
    rings.some(
      (outer, j) =>
        i !== j && isWithin(boxes[i]!, boxes[j]!) && pointsOf(inner).every((point) => contains(outer, point)),
    ),
  );
}

type Box = readonly [left: number, top: number, right: number, bottom: number];

function boxOf(ring: Ring): Box {
  const points = pointsOf(ring);
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

function isWithin(inner: Box, outer: Box): boolean {
  return inner[0] > outer[0] && inner[1] > outer[1] && inner[2] < outer[2] && inner[3] < outer[3];
}

function pointsOf(ring: Ring): [number, number][] {
  return Array.from({ length: ring.length >> 1 }, (_, i) => [ring[2 * i]!, ring[2 * i + 1]!]);
}

/** Even-odd rule: a ray to the right crosses the ring an odd number of times. */
function contains(ring: Ring, [x, y]: readonly [number, number]): boolean {
  let isInside = false;
  for (let i = 0, j = ring.length - 2; i + 1 < ring.length; j = i, i += 2) {
    const [x0, y0, x1, y1] = [ring[i]!, ring[i + 1]!, ring[j]!, ring[j + 1]!];
    if (y0 > y !== y1 > y && x < ((x1 - x0) * (y - y0)) / (y1 - y0) + x0) isInside = !isInside;
  }
  return isInside;
}
