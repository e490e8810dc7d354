import { scenesClasses } from "@armseg/scenes";
import type { LabelImage } from "../../data/sample.ts";
import { type CoarsenOptions, coarsen } from "../coarsen.ts";
import { type CoarsenStatistics, type CoarsePair, coarsenStatistics } from "../statistics.ts";

/** Coarsens frames, each by its number, and compares what comes out with them. */
export function measure(frames: readonly LabelImage[], options: Partial<CoarsenOptions>): CoarsenStatistics {
  const pairs = frames.map((fine, index): CoarsePair => {
    const { label, polygons } = coarsen(fine, { seed: 1, numClasses: 11, ...options, index });
    return { fine, coarse: label, polygons };
  });
  return coarsenStatistics(pairs, scenesClasses);
}
