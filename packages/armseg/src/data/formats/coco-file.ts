import * as z from "zod";
import { numberList, side } from "./json-file.ts";

const id = z.int();
const color = z.tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)]);

const images = z.array(z.object({ id, file_name: z.string(), height: side, width: side }));
const categories = z.array(z.object({ id, name: z.string(), color: color.optional() }));

const runLengths = z.object({
  size: z.tuple([side, side]),
  counts: z.union([z.string(), numberList]),
});

/** Instances or stuff: one segmentation an annotation. */
export const cocoFile = z.object({
  images,
  categories,
  annotations: z.array(
    z.object({
      image_id: id,
      category_id: id,
      segmentation: z.union([runLengths, z.array(numberList)]).optional(),
    }),
  ),
});

/** Panoptic: one PNG an image, and the category of each of its segments. */
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

/** The lists that every COCO file has. */
export const cocoLists = z.object({ images, categories });

export type CocoFile = z.infer<typeof cocoFile>;
export type CocoPanopticFile = z.infer<typeof cocoPanopticFile>;
export type CocoImage = CocoFile["images"][number];
export type CocoCategory = CocoFile["categories"][number];
export type CocoSegmentation = NonNullable<CocoFile["annotations"][number]["segmentation"]>;
