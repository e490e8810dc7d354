import * as z from "zod";
import type { RegionMask } from "../../core/region-mask.ts";

const count = z.int().min(0);

/** A {@link RegionMask} in a file: its runs add up. */
export const regionMaskSchema: z.ZodType<RegionMask> = z
  .strictObject({
    top: count,
    left: count,
    height: z.int().positive(),
    width: z.int().positive(),
    runs: z.array(count),
  })
  .superRefine(({ height, width, runs }, context) => {
    const sum = runs.reduce((total, run) => total + run, 0);
    if (sum !== height * width)
      context.addIssue({
        code: "custom",
        message: `expected runs of ${height * width} pixels together (${height}x${width}), got ${sum}`,
      });
  });

/** `[height, width]` in pixels. */
export const sizeSchema = z.tuple([z.int().positive(), z.int().positive()]);

/** SHA-256 of a file, 64 hexadecimal digits in lower case. */
export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits in lower case");
