import { decompressCounts } from "../labels/run-length.ts";
import type { Region } from "../sample.ts";

type Shape = Region["shape"];

/** Returns why a shape covers nothing, or undefined if it has an area. */
export function withoutArea(shape: Shape): string | undefined {
  if (shape.kind === "rle") return isEmptyMask(shape.counts) ? "an empty mask" : undefined;
  const reasons = shape.rings.map(ringWithoutArea);
  return reasons.includes(undefined) ? undefined : (reasons[0] ?? "no polygon");
}

function ringWithoutArea(ring: readonly number[]): string | undefined {
  if (ring.length % 2 !== 0) return `a polygon of ${ring.length} numbers, which are no pairs of x and y`;
  if (ring.length < 6) return `a polygon of ${ring.length / 2} points`;
  return isOnLine(ring) ? "a polygon on a line" : undefined;
}

function isOnLine(ring: readonly number[]): boolean {
  const [x0, y0] = ring as [number, number, ...number[]];
  let [dx, dy] = [0, 0];
  for (let i = 2; i < ring.length; i += 2) {
    const [x, y] = [ring[i]! - x0, ring[i + 1]! - y0];
    if (dx === 0 && dy === 0) [dx, dy] = [x, y];
    else if (dx * y !== dy * x) return false;
  }
  return true;
}

/** A mask that is one run of background; the compressed text of such a run is short. */
function isEmptyMask(counts: readonly number[] | string): boolean {
  if (counts.length > 12) return false;
  try {
    const runs = typeof counts === "string" ? decompressCounts(counts) : counts;
    return runs.every((run, i) => i % 2 === 0 || run === 0);
  } catch {
    return false; // Painting it names the damage.
  }
}
