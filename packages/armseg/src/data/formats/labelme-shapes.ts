import * as z from "zod";
import { DataError, messageOf } from "../data-error.ts";
import { decodePng } from "../labels/png.ts";
import { runLengthsOf } from "../labels/run-length.ts";
import type { Region } from "../sample.ts";
import type { RegionsOfImage } from "./cityscapes-polygons.ts";
import { pointList, readJson, side } from "./json-file.ts";

const shape = z.object({
  label: z.string(),
  points: pointList,
  shape_type: z.string().nullish(),
  mask: z.string().nullish(),
});

/** The part of a LabelMe file that is read; LabelMe 3 to 5 write it. */
export const labelmeFile = z.object({
  shapes: z.array(shape),
  imagePath: z.string().nullish(),
  imageData: z.string().nullish(),
  imageHeight: side.nullish(),
  imageWidth: side.nullish(),
});

export type LabelmeFile = z.infer<typeof labelmeFile>;

type Shape = z.infer<typeof shape>;
type Point = readonly [number, number];

/** LabelMe's own drawing sizes (`labelme/utils/shape.py`, `shape_to_mask`). */
const LINE_WIDTH = 10;
const POINT_RADIUS = 5;
const CIRCLE_VERTICES = 128;

/**
 * Read a LabelMe file: every shape type as a region, painted in the order of the file.
 *
 * Lines are {@link LINE_WIDTH} pixels wide and points discs of radius {@link POINT_RADIUS}, as LabelMe exports them.
 *
 * @throws {DataError} If the file is missing, no JSON, of another form, or has a shape that cannot be read.
 */
export async function readLabelmeShapes(path: string): Promise<RegionsOfImage> {
  const file = await readJson(path, labelmeFile);
  const regions = file.shapes.flatMap((item, i) => {
    try {
      return shapeRegions(item).map((shape): Region => ({ label: item.label, shape }));
    } catch (cause) {
      throw new DataError(
        `shape ${i} ("${item.label}", ${item.shape_type ?? "polygon"}) in ${path}: ${messageOf(cause)}`,
        path,
        cause,
      );
    }
  });
  if (!file.imageHeight || !file.imageWidth) return { regions };
  return { regions, size: [file.imageHeight, file.imageWidth] };
}

function shapeRegions(item: Shape): Region["shape"][] {
  const points = item.points as readonly Point[];
  switch (item.shape_type ?? "polygon") {
    case "polygon":
      return [polygon(requirePoints(points, 3, Number.POSITIVE_INFINITY))];
    case "rectangle":
      // Other tools write its four corners, which may be turned.
      return [points.length === 4 ? polygon(points) : rectangle(requirePoints(points, 2))];
    case "rotation":
      return [polygon(requirePoints(points, 4))];
    case "circle":
      return [circle(requirePoints(points, 2))];
    case "line":
      return segments(requirePoints(points, 2));
    case "linestrip":
      return segments(requirePoints(points, 2, Number.POSITIVE_INFINITY));
    case "point":
      return requirePoints(points, 1).map((point) => disc(point, POINT_RADIUS));
    case "points":
      return requirePoints(points, 1, Number.POSITIVE_INFINITY).map((point) => disc(point, POINT_RADIUS));
    case "mask":
      return [maskBox(item)];
    default:
      throw new Error(`unknown shape type "${item.shape_type}"`);
  }
}

function requirePoints(points: readonly Point[], least: number, most = least): readonly Point[] {
  if (points.length >= least && points.length <= most) return points;
  throw new Error(`expected ${least === most ? least : `at least ${least}`} points, got ${points.length}`);
}

function segments(points: readonly Point[]): Region["shape"][] {
  return points.slice(1).map((to, i) => segment(points[i]!, to));
}

function polygon(points: readonly Point[]): Region["shape"] {
  return { kind: "polygon", rings: [points.flat()] };
}

function rectangle([a, b]: readonly Point[]): Region["shape"] {
  const [x0, y0, x1, y1] = [...a!, ...b!];
  return polygon([
    [x0!, y0!],
    [x1!, y0!],
    [x1!, y1!],
    [x0!, y1!],
  ]);
}

function circle([centre, rim]: readonly Point[]): Region["shape"] {
  return disc(centre!, Math.hypot(rim![0] - centre![0], rim![1] - centre![1]));
}

/** As PIL does, the box around the disc is truncated to whole pixels first. */
function disc([x, y]: Point, radius: number): Region["shape"] {
  const [left, right, top, bottom] = [x - radius, x + radius, y - radius, y + radius].map(Math.trunc) as [
    number,
    number,
    number,
    number,
  ];
  return polygon(
    Array.from({ length: CIRCLE_VERTICES }, (_, i): Point => {
      const angle = (2 * Math.PI * i) / CIRCLE_VERTICES;
      const across = (left + right + (right - left) * Math.cos(angle)) / 2;
      const down = (top + bottom + (bottom - top) * Math.sin(angle)) / 2;
      return [Math.round(across), Math.round(down)];
    }),
  );
}

function segment(from: Point, to: Point): Region["shape"] {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  const dx = ((to[1] - from[1]) / length) * ((LINE_WIDTH - 1) / 2);
  const dy = (-(to[0] - from[0]) / length) * ((LINE_WIDTH - 1) / 2);
  return polygon([
    [from[0] + dx, from[1] + dy],
    [to[0] + dx, to[1] + dy],
    [to[0] - dx, to[1] - dy],
    [from[0] - dx, from[1] - dy],
  ]);
}

/** A mask shape is a base64 PNG in the box between its two points. */
function maskBox(item: Shape): Region["shape"] {
  const [corner] = requirePoints(item.points as readonly Point[], 2);
  if (!item.mask) throw new Error("a mask shape without a mask");
  const png = decodePng(Buffer.from(item.mask, "base64"));
  if (png.channels !== 1) throw new Error("a mask shape that is not grey");
  const counts = runLengthsOf(png.data);
  const [left, top] = corner!.map(Math.trunc) as [number, number];
  return { kind: "rle", height: png.height, width: png.width, counts, top, left, isRowMajor: true };
}
