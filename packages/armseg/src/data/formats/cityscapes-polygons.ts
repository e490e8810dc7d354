import * as z from "zod";
import type { Region } from "../sample.ts";
import { pointList, readJson, side } from "./json-file.ts";

const polygonFile = z.object({
  imgHeight: side,
  imgWidth: side,
  objects: z.array(
    z.object({
      label: z.string(),
      polygon: pointList,
      deleted: z.union([z.boolean(), z.number()]).optional(),
    }),
  ),
});

/** Labels whose id is negative: cityscapesScripts leaves them unpainted, so what lies beneath stays. */
const UNPAINTED = new Set(["license plate"]);

export interface RegionsOfImage {
  readonly regions: readonly Region[];
  /** `[height, width]` in pixels, where the file says it. */
  readonly size?: readonly [number, number];
}

/**
 * Read a Cityscapes polygon file (`*_polygons.json`): regions in painting order, deleted ones and licence plates left out.
 *
 * As in cityscapesScripts' `json2labelImg`, a name that `isKnown` denies and that ends in `group` (cargroup) stands for its singular.
 *
 * @throws {DataError} If the file is missing, no JSON or of another form.
 */
export async function readCityscapesPolygons(
  path: string,
  isKnown: (name: string) => boolean,
): Promise<RegionsOfImage> {
  const file = await readJson(path, polygonFile);
  const regions = file.objects
    .filter(({ deleted, label }) => !deleted && !UNPAINTED.has(label))
    .map(({ label, polygon }): Region => {
      const name = !isKnown(label) && label.endsWith("group") ? label.slice(0, -"group".length) : label;
      return { label: name, shape: { kind: "polygon", rings: [polygon.flat()] } };
    });
  return {
    regions: regions.filter(({ label }) => !UNPAINTED.has(label)),
    size: [file.imgHeight, file.imgWidth],
  };
}
