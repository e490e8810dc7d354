import fs from "node:fs";
import * as z from "zod";
import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import { appendJsonLine, readJsonLines } from "./json-lines.ts";
import { regionMaskSchema } from "./region-mask-schema.ts";
import { labelIdentity } from "./regions.ts";

const painted = z.strictObject({
  /** Class index, or 255 for void. */
  class: z.int().min(0).max(IGNORE_INDEX),
  mask: regionMaskSchema,
});

const common = {
  ...labelIdentity,
  /** The region's id; of what a person drew freely, any text that is unique within the image. */
  region: z.string().min(1),
  /** The region's pixels. */
  mask: regionMaskSchema,
  /** When it was given, ISO 8601. */
  at: z.string().optional(),
  /** Who or what gave it. */
  by: z.string().optional(),
};

/**
 * A line of `verdicts.jsonl`: what becomes of the label at a region's pixels. Self-contained: it can be applied without the audit.
 *
 * Of several verdicts on one region of an image the last one counts; verdicts are applied in the order of the lines that count.
 */
export const verdictSchema = z.discriminatedUnion("verdict", [
  /** The label stays: it is right, or the verdict before is taken back. */
  z.strictObject({ ...common, verdict: z.literal("keep") }),
  /** The region becomes `class`, the class index that was predicted. */
  z.strictObject({ ...common, verdict: z.literal("prediction"), class: z.int().min(0).max(254) }),
  /** The region carries no label any longer. */
  z.strictObject({ ...common, verdict: z.literal("void") }),
  /** The painted masks, in order, replace what is below them, within the region and beyond; the rest of the region stays. */
  z.strictObject({ ...common, verdict: z.literal("painted"), painted: z.array(painted).min(1) }),
]);
export type Verdict = z.output<typeof verdictSchema>;

/** Yields the lines of a file of verdicts, in its order; none where it does not exist. @throws {Error} Naming file and line, if one is no verdict. */
export async function* readVerdicts(path: string): AsyncGenerator<Verdict> {
  if (fs.existsSync(path)) yield* readJsonLines(path, verdictSchema);
}

/** Returns the verdicts that count, of each region the last one given, in the order of their lines. */
export function verdictsThatCount(verdicts: readonly Verdict[]): Verdict[] {
  const last = new Map<string, Verdict>();
  for (const verdict of verdicts) {
    const key = JSON.stringify([verdict.image, verdict.region]);
    // Deleted first, so that it stands where its own line stands.
    last.delete(key);
    last.set(key, verdict);
  }
  return [...last.values()];
}

/** Appends a verdict to a file, which is made where there is none; on the disk when this returns. @throws {Error} If it is no verdict, or cannot be written. */
export function appendVerdict(path: string, verdict: Verdict): void {
  appendJsonLine(path, verdictSchema.parse(verdict));
}
