/** The files of an audit, read and written without libtorch. */
export {
  fillMask_,
  fitsSize,
  maskArea,
  maskStretches,
  type RegionMask,
  regionMask,
} from "../../core/region-mask.ts";
export { type AuditedImage, auditedImageSchema, readAuditedImages } from "./images.ts";
export { type AuditPaths, auditPaths } from "./paths.ts";
export { regionMaskSchema } from "./region-mask-schema.ts";
export { type AuditRegion, auditRegionSchema, readRegions } from "./regions.ts";
export {
  type AuditMeasure,
  type AuditSummary,
  auditSummarySchema,
  isUnlearned,
  readAuditSummary,
  unlearnedNote,
} from "./summary.ts";
export {
  appendVerdict,
  type GivenVerdict,
  readVerdicts,
  type Verdict,
  verdictSchema,
  verdictsThatCount,
} from "./verdicts.ts";
