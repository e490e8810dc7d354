import * as z from "zod";
import { readJsonLines } from "./json-lines.ts";
import { regionMaskSchema, sha256Schema, sizeSchema } from "./region-mask-schema.ts";

const classIndex = z.int().min(0).max(254);

/** What identifies the label of an image, in regions and verdicts alike. */
export const labelIdentity = {
  /** Name of the sample, unique within the data set. */
  image: z.string().min(1),
  /** The file that the label was read from; relative to the run's folder where that is possible, with `/`. */
  labelFile: z.string().min(1),
  labelSha256: sha256Schema,
  /** `[height, width]` of the label. */
  size: sizeSchema,
} as const;

/** A line of `regions.jsonl`: connected pixels of one label that the network sees, surely enough, as one other class. */
export const auditRegionSchema = z.object({
  /** Unique within the audit: the image's name, `#`, and the region's number within the image. */
  id: z.string().min(1),
  /** From 1, the most suspicious. */
  rank: z.int().positive(),
  ...labelIdentity,
  /** Pixels. */
  area: z.int().positive(),
  /** Class index of the given label. */
  label: classIndex,
  /** Class index of the prediction. */
  prediction: classIndex,
  /** Σ (p_prediction − p_label) over the region's pixels. */
  score: z.number(),
  /** Mean likelihood of the predicted class over the region's pixels. */
  likelihood: z.number().min(0).max(1),
  mask: regionMaskSchema,
});
export type AuditRegion = z.output<typeof auditRegionSchema>;

/** Yields the regions of an audit, the most suspicious first. @throws {Error} Naming file and line, if one is not a region. */
export function readRegions(path: string): AsyncGenerator<AuditRegion> {
  return readJsonLines(path, auditRegionSchema);
}
