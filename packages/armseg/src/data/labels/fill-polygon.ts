/** Which pixels belong to a polygon: see `fill` of the regions annotation. */
export type FillRule = "closed" | "centres";

/** An edge that is not level. */
interface Edge {
  readonly yMin: number;
  readonly yMax: number;
  /** Where the ring starts along it. */
  readonly x: number;
  readonly y: number;
  /** Columns a row. */
  readonly slope: number;
}

/** A grid of one byte a pixel, painted in place. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/**
 * Paint the inside of a polygon, by the even-odd rule over all its rings, onto a canvas in place.
 *
 * `closed`: vertices are truncated to whole pixels and every pixel on the border is painted, as PIL's `ImageDraw.polygon` and cityscapesScripts'
 * `json2labelImg` do. `centres`: a pixel is painted when its centre (x + 0.5, y + 0.5) lies inside.
 *
 * @param rings - Rings of `[x0, y0, x1, y1, ...]` in pixels; they may leave the canvas. The last vertex joins the first.
 * @param value - What to write, 0..255.
 */
export function fillPolygon(
  canvas: Canvas,
  rings: readonly (readonly number[])[],
  value: number,
  rule: FillRule = "closed",
): void {
  if (rule === "centres") fillRows(canvas, ringEdges(rings), 0.5, false, value);
  else fillClosed(canvas, rings, value);
}

function fillClosed(canvas: Canvas, rings: readonly (readonly number[])[], value: number): void {
  const whole = rings.map((ring) => ring.map(Math.trunc));
  const edges = ringEdges(whole);
  // The closure of a polygon is what lies inside just above or just below each row, and its level edges.
  fillRows(canvas, edges, 0, false, value);
  fillRows(canvas, edges, 0, true, value);
  for (const ring of whole) fillLevelEdges(canvas, ring, value);
}

function ringEdges(rings: readonly (readonly number[])[]): Edge[] {
  const edges: Edge[] = [];
  for (const ring of rings)
    for (let i = 0, j = ring.length - 2; i + 1 < ring.length; j = i, i += 2) {
      const [xa, ya, xb, yb] = [ring[j]!, ring[j + 1]!, ring[i]!, ring[i + 1]!];
      if (ya === yb) continue;
      const slope = (xb - xa) / (yb - ya);
      edges.push({ yMin: Math.min(ya, yb), yMax: Math.max(ya, yb), x: xa, y: ya, slope });
    }
  return edges.sort((a, b) => a.yMin - b.yMin);
}

/**
 * Walk the rows with the list of edges that cross them.
 *
 * @param offset - Where in a pixel's row and column its sample lies: 0 for whole coordinates, 0.5 for centres.
 * @param endIncluded - An edge covers rows `yMin < y <= yMax` instead of `yMin <= y < yMax`.
 */
function fillRows(
  canvas: Canvas,
  edges: readonly Edge[],
  offset: number,
  endIncluded: boolean,
  value: number,
): void {
  const first = edges.length === 0 ? canvas.height : Math.max(0, Math.floor(edges[0]!.yMin - offset));
  let active: Edge[] = [];
  let next = 0;
  for (let row = first; row < canvas.height && (active.length > 0 || next < edges.length); row++) {
    const y = row + offset;
    while (next < edges.length && (endIncluded ? edges[next]!.yMin < y : edges[next]!.yMin <= y))
      active.push(edges[next++]!);
    active = active.filter((edge) => (endIncluded ? y <= edge.yMax : y < edge.yMax));
    const crossings = active.map((edge) => crossing(edge, y)).sort((a, b) => a - b);
    for (let i = 1; i < crossings.length; i += 2)
      fillSpan(canvas, row, crossings[i - 1]!, crossings[i]!, offset, value);
  }
}

function crossing({ x, y: start, slope }: Edge, y: number): number {
  return x + (y - start) * slope;
}

function fillSpan(
  { data, width }: Canvas,
  row: number,
  from: number,
  to: number,
  offset: number,
  value: number,
): void {
  // Whole coordinates round to the nearest pixel at both ends; centres take those inside, the right border excluded.
  const start = offset === 0 ? Math.floor(from + 0.5) : Math.ceil(from - offset);
  const end = offset === 0 ? Math.ceil(to - 0.5) + 1 : Math.ceil(to - offset);
  const left = Math.max(0, start);
  const right = Math.min(width, end);
  if (left < right) data.fill(value, row * width + left, row * width + right);
}

function fillLevelEdges(canvas: Canvas, ring: readonly number[], value: number): void {
  for (let i = 0, j = ring.length - 2; i + 1 < ring.length; j = i, i += 2) {
    const row = ring[i + 1]!;
    if (row !== ring[j + 1] || row < 0 || row >= canvas.height) continue;
    fillSpan(canvas, row, Math.min(ring[i]!, ring[j]!), Math.max(ring[i]!, ring[j]!), 0, value);
  }
}
