import type { Place, Tool } from "../pixels/canvas.tsx";
import type { Painting, StrokeRule } from "./painting.ts";

/** What the pointer does in the review. */
export type ToolKind = "view" | "brush" | "erase" | "polygon";

export interface ToolState {
  readonly painting: Painting;
  readonly rule: StrokeRule;
  /** Of the brush, in pixels of the image. */
  readonly radius: number;
  /** Of the polygon that is being drawn. */
  readonly points: readonly Place[];
  readonly onRadius: (radius: number) => void;
  readonly onPoints: (points: readonly Place[]) => void;
  /** The paint has changed. */
  readonly onPaint: () => void;
}

const LARGEST = 200;

/** A brush: press and draw; the wheel changes its size. */
export function brush(state: () => ToolState): Tool {
  let last: Place | null = null;
  return {
    onDown: (place) => {
      const { painting, radius, rule, onPaint } = state();
      painting.begin();
      painting.disc(place, radius, rule);
      last = place;
      onPaint();
    },
    onMove: (place) => {
      if (!last) return;
      const { painting, radius, rule, onPaint } = state();
      painting.line(last, place, radius, rule);
      last = place;
      onPaint();
    },
    onUp: () => {
      last = null;
    },
    onWheel: (event) => {
      if (event.ctrlKey) return false;
      const { radius, onRadius } = state();
      onRadius(resized(radius, event.deltaY < 0));
      return true;
    },
  };
}

/** A brush one step larger or smaller. */
export function resized(radius: number, isLarger: boolean): number {
  return Math.min(LARGEST, Math.max(0.5, isLarger ? radius * 1.2 + 0.3 : (radius - 0.3) / 1.2));
}

/** A polygon: a point a press; one near the first closes it. */
export function polygon(state: () => ToolState): Tool {
  return {
    onDown: (place) => {
      const { points, onPoints } = state();
      const [first] = points;
      const isClosing = first && points.length > 2 && Math.hypot(first.x - place.x, first.y - place.y) < 4;
      if (isClosing) closePolygon(state());
      else onPoints([...points, place]);
    },
    onMove: () => {},
    onUp: () => {},
    onWheel: () => false,
  };
}

/** Fills the polygon that is being drawn. */
export function closePolygon({ painting, points, rule, onPoints, onPaint }: ToolState): void {
  if (points.length > 2) {
    painting.begin();
    painting.polygon(points, rule);
    onPaint();
  }
  onPoints([]);
}
