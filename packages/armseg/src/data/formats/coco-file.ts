import * as z from "zod";
import { numberList, side } from "./json-file.ts";

/** Numbers as COCO has them, or texts as VIA writes them; `1` and `"1"` are the same id. */
const id = z.union([z.int(), z.string()]);
const color = z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]);

const images = z.array(
  z.object({
    id,
    file_name: z.string().nullish(),
    /** LVIS has no `file_name`. */
    coco_url: z.string().nullish(),
    height: side.nullish(),
    width: side.nullish(),
  }),
);
const categories = z.array(
  z.object({ id, name: z.string(), supercategory: z.string().nullish(), color: color.optional() }),
);

const runLengths = z.object({
  size: z.tuple([side, side]),
  counts: z.union([z.string(), numberList]),
});

/** Instances or stuff: one segmentation per annotation. VIA writes a polygon without the list around it. */
export const cocoFile = z.object({
  images,
  categories,
  annotations: z.array(
    z.object({
      id: id.nullish(),
      image_id: id,
      category_id: id,
      segmentation: z.union([runLengths, z.array(numberList), numberList]).nullish(),
      bbox: numberList.nullish(),
    }),
  ),
});

/** Panoptic: one PNG per image, and the category of each of its segments. */
export const cocoPanopticFile = z.object({
  images,
  categories,
  annotations: z.array(
    z.object({
      image_id: id,
      file_name: z.string(),
      segments_info: z.array(z.object({ id: z.int().min(0).max(0xffffff), category_id: id })),
    }),
  ),
});

export type CocoFile = z.infer<typeof cocoFile>;
export type CocoImage = CocoFile["images"][number];
export type CocoCategory = CocoFile["categories"][number];
export type CocoAnnotation = CocoFile["annotations"][number];
