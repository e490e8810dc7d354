import fs from "node:fs";
import { join } from "node:path";

/** Made by `golden/make-tensorboard-events.py`: a PNG, and TFRecords as TensorBoard writes them; bytes in hex. */
export const tensorBoardGolden: {
  readonly png: string;
  readonly records: Readonly<Record<"version" | "session_start" | "scalars" | "image" | "histogram", string>>;
} = JSON.parse(fs.readFileSync(join(import.meta.dirname, "../golden/tensorboard-events.json"), "utf8"));
