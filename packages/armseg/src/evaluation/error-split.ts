import { argumentError } from "../core/argument-error.ts";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import { textTable } from "../core/text-table.ts";
import type { LabelImage } from "./maps.ts";
import { checkSameSize } from "./maps.ts";

/** What a coarse label says of a pixel whose fine label is known. */
export const COARSE_STATES = ["right", "wrong", "void"] as const;
export type CoarseState = (typeof COARSE_STATES)[number];
const VOID = COARSE_STATES.indexOf("void");

/** Bounds between bands of distance to the nearest border of fine labels, in pixels of a frame {@link REFERENCE_WIDTH} wide. */
export const DEFAULT_BANDS: readonly number[] = [2, 6, 10, 18, 34, 66, 130];
/** Frames of this width are the measure of distances. */
export const REFERENCE_WIDTH = 2048;
/** A void pixel this near to a border was left out by a hasty pen rather than overlooked. In pixels of such a frame. */
export const NEAR_BORDER = 10;

/** Pixels, and how many of them the network gets wrong. */
export interface ErrorCount {
  readonly pixels: number;
  readonly errors: number;
  /** errors / pixels; NaN where there are no pixels. */
  readonly rate: number;
}

/** A band of distances d with `from` ≤ d < `to`, in pixels of a frame 2,048 wide. */
export interface BandErrors {
  readonly from: number;
  readonly to: number;
  readonly byState: Readonly<Record<CoarseState, ErrorCount>>;
  readonly all: ErrorCount;
}

/** Where errors are, in four groups that together are all pixels. */
export interface ErrorGroups {
  readonly right: ErrorCount;
  readonly wrong: ErrorCount;
  /** In the bands that end at {@link NEAR_BORDER} or before. */
  readonly voidNearBorder: ErrorCount;
  readonly voidElsewhere: ErrorCount;
}

export interface ErrorSplitResult {
  readonly groups: ErrorGroups;
  readonly byState: Readonly<Record<CoarseState, ErrorCount>>;
  readonly all: ErrorCount;
  readonly bands: readonly BandErrors[];
}

export interface ErrorSplitOptions {
  /**
   * Euclidean distance of each pixel to the nearest pixel with another label, in pixels; `distanceToOther` of the coarsening, or another. Infinity
   * where there is none. The border itself lies half a pixel nearer.
   */
  readonly borderDistance: (map: LabelImage) => ArrayLike<number>;
  /** Rising bounds between the bands, see {@link DEFAULT_BANDS}. */
  readonly bands?: readonly number[];
}

/** The maps of one image, all of one size. */
export interface SplitMaps {
  /** Where it is ignored, nothing is counted. */
  readonly fine: LabelImage;
  readonly coarse: LabelImage;
  readonly prediction: LabelImage;
}

/**
 * Where a network trained on coarse labels errs, judged by fine ones: where its coarse label was right, wrong or void, and how near to a border.
 *
 * It tells apart what the network copied from wrong labels, what it failed to fill in, and what it gets wrong anyhow.
 */
export class ErrorSplit {
  readonly #borderDistance: ErrorSplitOptions["borderDistance"];
  readonly #bounds: readonly number[];
  /** Pixels and errors by band and state: `[band][state][pixels, errors]`. */
  readonly counts: Float64Array;

  /** @throws {RangeError} If the bounds do not rise. */
  constructor({ borderDistance, bands = DEFAULT_BANDS }: ErrorSplitOptions) {
    if (bands.some((bound, i) => !(bound > (bands[i - 1] ?? 0))))
      throw argumentError("ErrorSplit", "positive, rising bounds", bands);
    this.#borderDistance = borderDistance;
    this.#bounds = bands;
    this.counts = new Float64Array((bands.length + 1) * COARSE_STATES.length * 2);
  }

  /** Adds an image. @throws {RangeError} If the sizes of its maps differ. */
  add({ fine, coarse, prediction }: SplitMaps): this {
    checkSameSize("ErrorSplit.add", "a coarse label", coarse, fine);
    checkSameSize("ErrorSplit.add", "a prediction", prediction, fine);
    const distances = this.#borderDistance(fine);
    const scale = REFERENCE_WIDTH / fine.width;
    for (let i = 0; i < fine.data.length; i++) {
      const truth = fine.data[i]!;
      if (truth === IGNORE_INDEX) continue;
      const coarseClass = coarse.data[i]!;
      const state = coarseClass === IGNORE_INDEX ? VOID : coarseClass === truth ? 0 : 1;
      const at = 2 * (this.#bandOf((distances[i]! - 0.5) * scale) * COARSE_STATES.length + state);
      this.counts[at]! += 1;
      if (prediction.data[i] !== truth) this.counts[at + 1]! += 1;
    }
    return this;
  }

  result(): ErrorSplitResult {
    const bands = [0, ...this.#bounds].map((_, band) => band);
    const all = COARSE_STATES.map((_, state) => state);
    const isNear = (band: number) => (this.#bounds[band] ?? Infinity) <= NEAR_BORDER;
    const states = byState((state) => this.#sum(bands, [state]));
    return {
      groups: {
        right: states.right,
        wrong: states.wrong,
        voidNearBorder: this.#sum(bands.filter(isNear), [VOID]),
        voidElsewhere: this.#sum(
          bands.filter((band) => !isNear(band)),
          [VOID],
        ),
      },
      byState: states,
      all: this.#sum(bands, all),
      bands: bands.map((band) => ({
        from: this.#bounds[band - 1] ?? 0,
        to: this.#bounds[band] ?? Infinity,
        byState: byState((state) => this.#sum([band], [state])),
        all: this.#sum([band], all),
      })),
    };
  }

  #bandOf(distance: number): number {
    let band = 0;
    while (band < this.#bounds.length && distance >= this.#bounds[band]!) band++;
    return band;
  }

  #sum(bands: readonly number[], states: readonly number[]): ErrorCount {
    let [pixels, errors] = [0, 0];
    for (const band of bands)
      for (const state of states) {
        const at = 2 * (band * COARSE_STATES.length + state);
        pixels += this.counts[at]!;
        errors += this.counts[at + 1]!;
      }
    return { pixels, errors, rate: errors / pixels };
  }
}

function byState(count: (state: number) => ErrorCount): Record<CoarseState, ErrorCount> {
  return { right: count(0), wrong: count(1), void: count(2) };
}

/** Returns the split as lines of text: the four groups, then the bands of distance. */
export function errorSplitTable({ groups, bands, ...total }: ErrorSplitResult): string {
  return [...groupLines(groups, total.all), "", ...bandLines(bands, total), ""].join("\n");
}

function groupLines(groups: ErrorGroups, all: ErrorCount): string[] {
  const row = (name: string, { pixels, errors, rate }: ErrorCount) => [
    name,
    percent(rate),
    percent(pixels / all.pixels),
    percent(errors / all.errors),
  ];
  return textTable([
    ["where the errors are, in percent", "error rate", "of all pixels", "of all errors"],
    row("coarse label right", groups.right),
    row("coarse label wrong", groups.wrong),
    row(`coarse label void, within ${NEAR_BORDER} px of a border`, groups.voidNearBorder),
    row("coarse label void, elsewhere", groups.voidElsewhere),
    row("all", all),
  ]);
}

function percent(share: number): string {
  return Number.isNaN(share) ? "–" : (100 * share).toFixed(2);
}

function bandLines(bands: readonly BandErrors[], total: Pick<BandErrors, "byState" | "all">): string[] {
  const cell = ({ pixels, rate }: ErrorCount) =>
    pixels === 0 ? "no pixels" : `${percent(rate)} (${((100 * pixels) / total.all.pixels).toFixed(1)})`;
  const line = (name: string, { byState, all }: Pick<BandErrors, "byState" | "all">) => [
    name,
    ...COARSE_STATES.map((state) => cell(byState[state])),
    cell(all),
  ];
  const nameOf = ({ from, to }: BandErrors) => (to === Infinity ? `${from} and more` : `${from} to ${to}`);
  const rows = [
    ["px from a border", "coarse right", "coarse wrong", "coarse void", "all"],
    ...bands.map((band) => line(nameOf(band), band)),
    line("all", total),
  ];
  return [
    ...textTable(rows),
    `Errors in percent (percent of all pixels); px of a frame ${REFERENCE_WIDTH} wide.`,
  ];
}
