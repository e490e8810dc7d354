import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { fillPolygon } from "../data/labels/fill-polygon.ts";
import type { LabelImage } from "../data/sample.ts";
import type { Mistake } from "./mistake.ts";
import type { Vertex } from "./outline.ts";

/** A polygon of one class, drawn over those before it. */
export interface CoarsePolygon {
  /** Class index. */
  readonly label: number;
  /** Corners in whole pixels. */
  readonly vertices: readonly Vertex[];
  /** In what way it was made wrong, if it was. */
  readonly mistake?: Mistake;
}

/**
 * Labels from polygons in drawing order; what none covers is ignored.
 *
 * Filled as Cityscapes' own tools do: pixels under the outline belong to the polygon.
 */
export function rasterisePolygons(
  polygons: readonly CoarsePolygon[],
  height: number,
  width: number,
): LabelImage {
  const label = { height, width, data: new Uint8Array(height * width).fill(IGNORE_INDEX) };
  for (const polygon of polygons) {
    fillPolygon(label, [polygon.vertices.flat()], polygon.label, "closed");
  }
  return label;
}
