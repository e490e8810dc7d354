import * as z from "zod";

/** Key of the model's `metadata_props` under which {@link ModelMetadata} stands, as JSON. */
export const METADATA_KEY = "armseg";

const colour = z.tuple([z.number(), z.number(), z.number()]);

const METADATA = z.object({
  /** Of this description. */
  version: z.literal(1),
  output: z.enum(["logits", "likelihoods", "classes"]),
  confidence: z.boolean(),
  /** Index = class index. */
  classes: z.array(z.object({ name: z.string(), color: colour })).min(2),
  /** What the graph normalises by: the input has levels of 0 to 255, red, green, blue. */
  normalise: z.object({ mean: colour, std: colour }),
  /** Values that were black and white in images that are not 8-bit; `null` for 8-bit ones. */
  imageRange: z.tuple([z.number(), z.number()]).nullable(),
  /** What images were fitted into before the network saw them, keeping their aspect ratio, `[height, width]`; `null`: as they are. */
  base: z.tuple([z.number(), z.number()]).nullable(),
  /** `[height, width]` of the crops that the network was trained on. */
  crop: z.tuple([z.number(), z.number()]),
  network: z.string(),
  dataset: z.string(),
  /** Whatever the run's data say about their licence; `null` where nothing does. */
  license: z.string().nullable(),
  /** Of the checkpoint, as the run scored it; `null` where it was not. */
  scores: z
    .object({ split: z.string(), iteration: z.number(), mIoU: z.number(), aAcc: z.number() })
    .nullable(),
  /** Of the weights. */
  precision: z.enum(["float32", "float16", "int8"]),
});

/** What a model says about itself. */
export type ModelMetadata = z.infer<typeof METADATA>;

/** Reads what {@link METADATA_KEY} holds. @throws {Error} Naming what is missing or wrong. */
export function parseMetadata(text: string): ModelMetadata {
  const parsed = METADATA.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${path.join(".") || "metadata"}: ${message}`,
  );
  throw new Error(problems.join("; "));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
