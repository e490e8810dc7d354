import type { WrongPolygons } from "./wrong-polygons.ts";

/**
 * How an annotator in a hurry draws. Lengths are in pixels of a frame 2048 wide, areas in square pixels of it; both
 * are scaled to the width of the labels.
 */
export interface CoarsenParameters {
  /**
   * Probability that a pixel is inside a polygon by its distance to the nearest border: `[distance, probability]`,
   * both rising, linear in the logarithm of the distance between, constant beyond.
   */
  readonly coverage: readonly (readonly [distance: number, probability: number])[];
  /** Share, 0 to 1, of the variance of a margin that one whole region has in common; the rest varies along its border. */
  readonly regionShare: number;
  /** Length over which the margin varies along the border. */
  readonly wavelength: number;
  /** A region of this area is left out as often as drawn; smaller ones more often. */
  readonly smallArea: number;
  /** A region is the less drawn the thinner it is: one of this width, as often as not. */
  readonly smallWidth: number;
  /** Parts of regions below this area are never drawn. */
  readonly leastArea: number;
  /** Regions of one class nearer than this to each other may be drawn as one. */
  readonly mergeGap: number;
  /** Probability that they are. */
  readonly mergeProbability: number;
  /** What lies within one region and has at most this area is not seen at all. */
  readonly speckArea: number;
  /** What a drawn region encloses and has less than this area is drawn over. */
  readonly holeArea: number;
  /** Median distance that a drawn line may stray from the intended one. */
  readonly tolerance: number;
  /** Standard deviation of that distance's logarithm between polygons. */
  readonly toleranceSpread: number;
  /** Share of polygons drawn too large. */
  readonly overshootShare: number;
  /** By how much, on average. */
  readonly overshoot: number;
  /** Polygons that are wrong altogether. Default: none. */
  readonly wrong?: WrongPolygons;
}

/** Names of the ready-made parameters. */
export type CoarsenPreset = "light" | "cityscapes" | "cityscapes-wrong" | "heavy";

/** Fitted to 23 frames of Cityscapes' own coarse annotations; see docs/coarse-labels.md. */
const CITYSCAPES: CoarsenParameters = {
  coverage: [
    [1, 0.07],
    [4, 0.126],
    [8, 0.27],
    [14, 0.448],
    [25, 0.672],
    [46, 0.836],
    [66, 0.916],
    [90, 0.923],
  ],
  regionShare: 0.5,
  wavelength: 500,
  smallArea: 100,
  smallWidth: 1,
  leastArea: 40,
  mergeGap: 10,
  mergeProbability: 0.03,
  speckArea: 10,
  holeArea: 700,
  tolerance: 3.8,
  toleranceSpread: 0.5,
  overshootShare: 0.25,
  overshoot: 8,
};

/**
 * Fitted to what is wrong inside the polygons of the same frames, beyond what polygons drawn too large get wrong (of the pixels of poles,
 * that alone is a fifth). It is no function of a class's rarity: motorcycles are 98.5 % right, trucks 38 %.
 */
const CITYSCAPES_WRONG: WrongPolygons = {
  share: 0,
  shareOf: { wall: 0.46, truck: 0.65, train: 1, sidewalk: 0.05, terrain: 0.02 },
};

/** The ready-made parameters: half the margins, as measured on Cityscapes, the same with wrong polygons, and twice the margins. */
export const coarsenPresets: Readonly<Record<CoarsenPreset, CoarsenParameters>> = {
  light: {
    ...CITYSCAPES,
    coverage: stretch(CITYSCAPES.coverage, 0.5),
    smallArea: 60,
    smallWidth: 1.5,
    tolerance: 3.5,
    mergeProbability: 0.02,
    overshootShare: 0.15,
    overshoot: 5,
  },
  cityscapes: CITYSCAPES,
  "cityscapes-wrong": { ...CITYSCAPES, wrong: CITYSCAPES_WRONG },
  heavy: {
    ...CITYSCAPES,
    coverage: stretch(CITYSCAPES.coverage, 2),
    smallArea: 1500,
    smallWidth: 8,
    tolerance: 12,
    mergeProbability: 0.3,
    overshootShare: 0.4,
    overshoot: 24,
  },
};

function stretch(coverage: CoarsenParameters["coverage"], factor: number): CoarsenParameters["coverage"] {
  return coverage.map(([distance, probability]) => [distance * factor, probability] as const);
}

/**
 * The parameters of a preset, or the given ones checked.
 *
 * @throws {RangeError} Naming the parameter that is out of range.
 */
export function resolveParameters(preset: CoarsenPreset | CoarsenParameters): CoarsenParameters {
  if (typeof preset === "string") {
    const found = Object.hasOwn(coarsenPresets, preset) ? coarsenPresets[preset] : undefined;
    if (found === undefined) {
      const known = Object.keys(coarsenPresets).join(", ");
      throw new RangeError(`coarsen(): expected a preset of ${known}, got "${preset}".`);
    }
    return found;
  }
  const { coverage, wrong, ...numbers } = preset;
  for (const [name, value] of Object.entries(numbers)) {
    const isShare = /Share$|Probability$/.test(name);
    if (!(Number.isFinite(value) && value >= 0 && (!isShare || value <= 1))) {
      throw new RangeError(
        `coarsen(): ${name} must be ${isShare ? "from 0 to 1" : "a number of at least 0"}, got ${value}.`,
      );
    }
  }
  checkCoverage(coverage);
  if (wrong) checkWrong(wrong);
  if (!(preset.wavelength > 0)) {
    throw new RangeError(`coarsen(): wavelength must be above 0, got ${preset.wavelength}.`);
  }
  return preset;
}

function checkWrong({ share, shareOf }: WrongPolygons): void {
  for (const [name, value] of Object.entries({ share, ...shareOf })) {
    if (!(value >= 0 && value <= 1)) {
      throw new RangeError(`coarsen(): wrong.${name} must be from 0 to 1, got ${value}.`);
    }
  }
}

function checkCoverage(coverage: CoarsenParameters["coverage"]): void {
  const ok =
    coverage.length > 0 &&
    coverage.every(([distance, probability], i) => {
      const [before, less] = coverage[i - 1] ?? [0, 0];
      return distance > before && probability >= less && probability <= 1;
    });
  if (!ok) {
    throw new RangeError(
      "coarsen(): coverage must list [distance, probability] with rising distances above 0 and probabilities " +
        `that do not fall, within 0 to 1, got ${JSON.stringify(coverage)}.`,
    );
  }
}
