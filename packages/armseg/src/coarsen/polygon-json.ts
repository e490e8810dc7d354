import { type WriteOptions, writeNewFile } from "../core/atomic-file.ts";
import type { ClassInfo } from "../data/sample.ts";
import type { CoarsePolygon } from "./rasterise.ts";

/** Polygons as a Cityscapes polygon file: `imgHeight`, `imgWidth`, `objects` with `label` and `polygon`. */
export function polygonJson(
  polygons: readonly CoarsePolygon[],
  [height, width]: readonly [number, number],
  classes: readonly ClassInfo[],
): string {
  const objects = polygons.map(({ label, vertices }) => {
    const name = classes[label]?.name;
    if (name === undefined) {
      throw new RangeError(
        `polygonJson(): a polygon has class ${label}, but there are ${classes.length} classes.`,
      );
    }
    return { label: name, polygon: vertices };
  });
  return `${JSON.stringify({ imgHeight: height, imgWidth: width, objects })}\n`;
}

/**
 * Writes polygons in Cityscapes' form, whole or not at all, making the folder if needed.
 *
 * @throws {Error} If the file exists and `overwrite` is not set, or it cannot be written.
 */
export function writePolygonJson(
  path: string,
  polygons: readonly CoarsePolygon[],
  size: readonly [number, number],
  classes: readonly ClassInfo[],
  options: WriteOptions = {},
): void {
  writeNewFile("writePolygonJson", path, polygonJson(polygons, size, classes), options);
}
