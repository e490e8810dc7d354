import * as z from "zod";
import { readJsonLines } from "./json-lines.ts";
import { labelIdentity } from "./regions.ts";

const pixels = z.int().min(0);
const file = z.string().min(1);

/** A line of `images.jsonl`: an image of the audit. */
export const auditedImageSchema = z.object({
  ...labelIdentity,
  /** Relative to the run's folder where that is possible, with `/`. */
  imageFile: file,
  /** Labelled pixels. */
  labelled: pixels,
  /** Those of them that are predicted as another class, whatever the likelihood. */
  disagreeing: pixels,
  /** Those of them in regions. */
  suspicious: pixels,
  /** Regions listed. */
  regions: z.int().min(0),
  /** cleanlab's soft minimum of the likelihoods of the given labels, in [0, 1]: the lower, the more suspicious. `null` without labelled pixels. */
  quality: z.number().min(0).max(1).nullable(),
  /** PNG files of the label's size, relative to the run's folder. `null` where they were not asked for. */
  planes: z
    .object({
      /** Indexed: the class of the given label, 255 where there is none. */
      label: file,
      /** Indexed: the predicted class, at every pixel. */
      prediction: file,
      /** 8-bit grey: likelihood of the predicted class, 0..255 for 0..1. */
      likelihood: file,
    })
    .nullable(),
});
export type AuditedImage = z.output<typeof auditedImageSchema>;

/** Yields the images of an audit in the order of the data set. @throws {Error} Naming file and line, if one is not an image. */
export function readAuditedImages(path: string): AsyncGenerator<AuditedImage> {
  return readJsonLines(path, auditedImageSchema);
}
