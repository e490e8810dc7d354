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
 * Of several verdicts on one region of an image the last one that is not undone counts; verdicts are applied in the order of the
 * lines that count.
 */
export const verdictSchema = z.discriminatedUnion("verdict", [
  /** The label stays: it is right. */
  z.strictObject({ ...common, verdict: z.literal("keep") }),
  /** The region becomes `class`, the class index that was predicted. */
  z.strictObject({ ...common, verdict: z.literal("prediction"), class: z.int().min(0).max(254) }),
  /** The region carries no label any longer. */
  z.strictObject({ ...common, verdict: z.literal("void") }),
  /** The painted masks, in order, replace what is below them, within the region and beyond; the rest of the region stays. */
  z.strictObject({ ...common, verdict: z.literal("painted"), painted: z.array(painted).min(1) }),
  /** The last verdict on the region is as if it had never been given; the file is only ever added to. */
  z.strictObject({ ...common, verdict: z.literal("undo") }),
]);
/** A line of the file. */
export type GivenVerdict = z.output<typeof verdictSchema>;
/** One that can be applied. */
export type Verdict = Exclude<GivenVerdict, { verdict: "undo" }>;

/** Yields the lines of a file of verdicts, in its order; none where it does not exist. @throws {Error} Naming file and line, if one is no verdict. */
export async function* readVerdicts(path: string): AsyncGenerator<GivenVerdict> {
  if (fs.existsSync(path)) yield* readJsonLines(path, verdictSchema);
}

/** Returns the verdicts that count, of each region the last one that is not undone, in the order of their lines. */
export function verdictsThatCount(given: readonly GivenVerdict[]): Verdict[] {
  const standing = new Map<string, { line: number; verdict: Verdict }[]>();
  for (const [line, verdict] of given.entries()) {
    const key = JSON.stringify([verdict.image, verdict.region]);
    const before = standing.get(key) ?? [];
    if (verdict.verdict === "undo") before.pop();
    else before.push({ line, verdict });
    standing.set(key, before);
  }
  const last = [...standing.values()].flatMap((list) => list.slice(-1));
  return last.sort((a, b) => a.line - b.line).map(({ verdict }) => verdict);
}

/** Appends a verdict to a file, which is made where there is none; on the disk when this returns. @throws {Error} If it is no verdict, or cannot be written. */
export function appendVerdict(path: string, verdict: GivenVerdict): void {
  appendJsonLine(path, verdictSchema.parse(verdict));
}
