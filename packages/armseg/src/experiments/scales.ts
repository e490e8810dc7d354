import { PAPER } from "./paper-scale.ts";
import type { Scale } from "./scale.ts";
import { CAMVID, SCENES } from "./small-scales.ts";

/** Every scale by name. */
export const SCALES = { paper: PAPER, camvid: CAMVID, scenes: SCENES } as const satisfies Record<
  Scale["name"],
  Scale
>;

export type ScaleName = keyof typeof SCALES;
