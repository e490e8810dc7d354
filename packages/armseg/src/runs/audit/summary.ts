import fs from "node:fs";
import * as z from "zod";

const pixels = z.number().min(0);
const channel = z.int().min(0).max(255);

/** How a list of regions, and two rankings of pixels, do against fine labels; shares in [0, 1], `null` where there is nothing to count. */
export const auditMeasureSchema = z.object({
  /** Labelled pixels whose label is another class than the fine one. */
  wrong: pixels,
  /** Unlabelled pixels that have a fine label. */
  missing: pixels,
  /** Of the first so many regions, the share of which most pixels are labelled wrongly: ours, and cleanlab's; `null` where there are fewer. */
  precision: z.array(
    z.object({ regions: z.int().positive(), ours: z.number().nullable(), cleanlab: z.number().nullable() }),
  ),
  /** Share of the wrongly labelled pixels that lie in regions: ours, and cleanlab's. */
  wrongRecall: z.object({ ours: z.number().nullable(), cleanlab: z.number().nullable() }),
  /** Share of the missing pixels that are predicted above the class's threshold, and of these the share predicted rightly. */
  missingRecall: z.number().nullable(),
  missingPrecision: z.number().nullable(),
});
export type AuditMeasure = z.output<typeof auditMeasureSchema>;

/** `audit.json`: what was audited, and what was found in all. */
export const auditSummarySchema = z.object({
  version: z.literal(1),
  checkpoint: z.string(),
  dataset: z.string(),
  split: z.string(),
  images: z.int().min(0),
  regions: z.int().min(0),
  /** 1 where each image was judged by a network that had been trained on it. */
  folds: z.int().positive(),
  /** Smaller regions are not listed; `null` for the default, 0.01 % of the image and at least 20 pixels. */
  leastArea: z.int().positive().nullable(),
  /** Index = class index. */
  classes: z.array(
    z.object({
      name: z.string(),
      color: z.tuple([channel, channel, channel]),
      /** τ: regions predicted as this class have at least this likelihood at every pixel. */
      threshold: z.number(),
      /** Pixels labelled as this class. */
      labelled: pixels,
      /** Those of them that are predicted as another. */
      disagreeing: pixels,
      /** Those of them in regions. */
      suspicious: pixels,
      /** Regions labelled as this class. */
      regions: z.int().min(0),
      /** What its regions are predicted as, the most pixels first. */
      predictedAs: z.array(z.object({ class: z.int(), pixels, regions: z.int() })),
    }),
  ),
  /** Where fine labels were given. */
  measure: auditMeasureSchema.nullable(),
  seconds: z.number(),
});
export type AuditSummary = z.output<typeof auditSummarySchema>;

/** A class is not learned where the network agrees with fewer of its labelled pixels. */
const LEAST_AGREEMENT = 0.05;

/**
 * Tells whether an audit says nothing of the labels of a class, as the network predicts it hardly anywhere: it is then sure of another class
 * at right labels, too.
 */
export function isUnlearned({ labelled, disagreeing }: AuditSummary["classes"][number]): boolean {
  return labelled > 0 && disagreeing > (1 - LEAST_AGREEMENT) * labelled;
}

/** Returns what a reader of an audit must know of the classes that the network has not learned; empty where it has learned all. */
export function unlearnedNote({ classes }: Pick<AuditSummary, "classes">): string {
  const names = classes.filter(isUnlearned).map(({ name }) => name);
  if (names.length === 0) return "";
  return `The network has not learned ${names.join(", ")}: regions labelled so say nothing of the labels. Train longer, or look past them.`;
}

/** Reads `audit.json`. @throws {Error} If it is missing, which means that there is no complete audit, or damaged. */
export function readAuditSummary(path: string): AuditSummary {
  if (!fs.existsSync(path))
    throw new Error(`readAuditSummary(): ${path} is missing: audit the run first, with armseg audit`);
  try {
    return auditSummarySchema.parse(JSON.parse(fs.readFileSync(path, "utf8")));
  } catch (cause) {
    throw new Error(
      `readAuditSummary(): ${path} is no summary of an audit by this version; audit the run again`,
      { cause },
    );
  }
}
