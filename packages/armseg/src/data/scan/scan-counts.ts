import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ImageRange } from "../image-form.ts";
import type { LabelInspection, ValueCount } from "../labels/inspect-label.ts";
import type { Sample } from "../sample.ts";
import type { Finding } from "./problems.ts";

export interface ClassCount {
  readonly name: string;
  readonly pixels: number;
  /** Images with at least one pixel of the class. */
  readonly images: number;
  /** All valid pixels of those images. */
  readonly validPixelsOfImages: number;
}

/** Counts classes, label by label. */
export class ClassCounts {
  readonly counts: { name: string; pixels: number; images: number; validPixelsOfImages: number }[];

  constructor(classes: readonly { readonly name: string }[]) {
    this.counts = classes.map(({ name }) => ({ name, pixels: 0, images: 0, validPixelsOfImages: 0 }));
  }

  add({ values }: LabelInspection): void {
    const own = new Map<number, number>();
    for (const { label, pixels } of values)
      if (label !== undefined && label !== IGNORE_INDEX && pixels > 0)
        own.set(label, (own.get(label) ?? 0) + pixels);
    const valid = [...own.values()].reduce((a, b) => a + b, 0);
    for (const [label, pixels] of own) {
      const count = this.counts[label];
      if (!count) continue;
      count.pixels += pixels;
      count.images++;
      count.validPixelsOfImages += valid;
    }
  }
}

/** Panoptic segments and photographs in place of masks have ever new colours: so many values of one meaning are told apart. */
const MOST_VALUES = 1024;
const OTHER_VALUES = "(other values)";

/** Sums the annotations' own values, label by label. */
export class ValueSums {
  readonly #sums = new Map<number | undefined, Map<string, number>>();

  add({ values }: LabelInspection): void {
    for (const { value, label, pixels } of values) {
      // Colours of panoptic segments may stand for one class here and another there.
      const sums = this.#sums.get(label) ?? new Map<string, number>();
      this.#sums.set(label, sums);
      const key = sums.has(value) || sums.size < MOST_VALUES ? value : OTHER_VALUES;
      sums.set(key, (sums.get(key) ?? 0) + pixels);
    }
  }

  /** In the order of the values. */
  get counts(): ValueCount[] {
    const counts = [...this.#sums].flatMap(([label, sums]) =>
      [...sums].map(([value, pixels]) => ({ value, pixels, ...(label !== undefined && { label }) })),
    );
    return counts.sort((a, b) => a.value.localeCompare(b.value, "en", { numeric: true }));
  }
}

/** Counts how often each text occurs. */
export class TextCounts {
  readonly #counts = new Map<string, number>();

  add(item: string): void {
    this.#counts.set(item, (this.#counts.get(item) ?? 0) + 1);
  }

  /** The commonest first. */
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a));
  }
}

/** 16-bit images that fill a smaller share of their range were measured with 13 bits or less, and are read as so many levels fewer. */
const LEAST_SHARE_OF_16_BITS = 1 / 8;
/** So many images are named, as many as a problem has examples. */
const NAMED = 100;

/** Finds 16-bit images of which the upper eight bits, those that are read, hold a few grey levels only. */
export class RangeCheck {
  readonly #named: { readonly sample: Sample; readonly range: ImageRange }[] = [];
  #count = 0;
  #low = Number.POSITIVE_INFINITY;
  #high = 0;

  /** @param range - Smallest and largest value of the image, where it has 16 bits. */
  add(sample: Sample, range: ImageRange | undefined): void {
    if (!range || range[1] - range[0] >= LEAST_SHARE_OF_16_BITS * 65536) return;
    this.#low = Math.min(this.#low, range[0]);
    this.#high = Math.max(this.#high, range[1]);
    if (this.#count++ < NAMED) this.#named.push({ sample, range });
  }

  get findings(): Finding[] {
    const remedy = `; set data.imageRange: [${this.range?.join(", ")}] (from all such images here), or what your camera gives`;
    const found = this.#named.map(({ sample: { name, image }, range }, i): Finding => {
      const levels = (range[1] >> 8) - (range[0] >> 8) + 1;
      return {
        kind: "16-bit image that fills little of its range",
        samples: [name],
        text: `${image} has values of ${range[0]} to ${range[1]} of 65535, which leaves ${levels} of 256 levels${i === 0 ? remedy : ""}`,
      };
    });
    const [last] = found.splice(-1);
    return last ? [...found, { ...last, cases: this.#count - found.length }] : [];
  }

  /**
   * The range to read such images by, undefined where there are none: all values of so many bits where the images fill half of them, so that both splits get one
   * range; else what occurs.
   */
  get range(): ImageRange | undefined {
    if (this.#count === 0) return undefined;
    const whole = 2 ** Math.ceil(Math.log2(this.#high + 1)) - 1;
    if (this.#high - this.#low >= whole / 2) return [0, whole];
    return [this.#low, Math.max(this.#high, this.#low + 1)];
  }
}
