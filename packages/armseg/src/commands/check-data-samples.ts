import { createHash } from "node:crypto";
import { IGNORE_INDEX } from "../core/ignore-index.ts";
import type { LabelInspection } from "../data/labels/inspect-label.ts";
import type { Sample } from "../data/sample.ts";
import type { Inspection } from "../data/scan/inspect-sample.ts";

/** How many samples of a split are shown. */
export interface SampleCounts {
  /** At random. */
  readonly random: number;
  /** At each extreme: the least labelled, those of most classes, those of the rarest class. */
  readonly extreme: number;
}

/**
 * Chooses the samples of a split that a page shows, while the split is scanned.
 *
 * It keeps no more than it was asked for, per class at the most, whatever the number of samples; and the same samples whatever the
 * order in which they come.
 */
export class SampleChooser {
  readonly #seed: number;
  readonly #counts: SampleCounts;
  readonly #random: Foremost;
  readonly #leastLabelled: Foremost;
  readonly #mostClasses: Foremost;
  readonly #ofClass = new Map<number, Foremost>();

  /** @param seed - Names the random choice. */
  constructor(seed: number, counts: SampleCounts) {
    this.#seed = seed;
    this.#counts = counts;
    this.#random = new Foremost(counts.random);
    this.#leastLabelled = new Foremost(counts.extreme);
    this.#mostClasses = new Foremost(counts.extreme);
  }

  /** Takes notice of a sample, once. */
  add(sample: Sample, { label }: Pick<Inspection, "label">): void {
    if (!sample.annotation) return;
    this.#random.add(sample, drawOf(this.#seed, sample.name));
    if (!label) return;
    const pixels = pixelsByClass(label);
    const labelled = [...pixels.values()].reduce((sum, count) => sum + count, 0);
    const share = labelled / (label.size[0] * label.size[1]);
    // Labels without a valid pixel are a warning, which shows them.
    if (share > 0 && share < 1) this.#leastLabelled.add(sample, share);
    if (pixels.size > 0) this.#mostClasses.add(sample, -pixels.size);
    for (const [index, count] of pixels) this.#classOf(index).add(sample, -count);
  }

  #classOf(index: number): Foremost {
    const known = this.#ofClass.get(index) ?? new Foremost(this.#counts.extreme);
    this.#ofClass.set(index, known);
    return known;
  }

  /** Samples with a label, drawn at random. */
  get random(): readonly Sample[] {
    return this.#random.samples;
  }

  /** The samples of which the least is labelled, but something; none of those that are labelled wholly. */
  get leastLabelled(): readonly Sample[] {
    return this.#leastLabelled.samples;
  }

  /** The samples with most classes. */
  get mostClasses(): readonly Sample[] {
    return this.#mostClasses.samples;
  }

  /** The samples with most pixels of a class. */
  ofClass(index: number): readonly Sample[] {
    return this.#ofClass.get(index)?.samples ?? [];
  }
}

/** The first few samples by rank, then by name. */
class Foremost {
  readonly #count: number;
  readonly #kept: { readonly sample: Sample; readonly rank: number }[] = [];

  constructor(count: number) {
    this.#count = count;
  }

  add(sample: Sample, rank: number): void {
    const after = this.#kept.findIndex(
      (other) => rank < other.rank || (rank === other.rank && sample.name < other.sample.name),
    );
    this.#kept.splice(after < 0 ? this.#kept.length : after, 0, { sample, rank });
    if (this.#kept.length > this.#count) this.#kept.pop();
  }

  get samples(): readonly Sample[] {
    return this.#kept.map(({ sample }) => sample);
  }
}

/** Returns the number that a sample draws, which depends on the seed and its name alone. */
function drawOf(seed: number, name: string): number {
  return createHash("sha256").update(`${seed}/${name}`).digest().readUIntBE(0, 6);
}

function pixelsByClass({ values }: LabelInspection): Map<number, number> {
  const sums = new Map<number, number>();
  for (const { label, pixels } of values)
    if (label !== undefined && label !== IGNORE_INDEX && pixels > 0)
      sums.set(label, (sums.get(label) ?? 0) + pixels);
  return sums;
}
