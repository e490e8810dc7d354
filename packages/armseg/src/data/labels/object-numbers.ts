import type { MaskFacts } from "./mask-facts.ts";

/** Fewer masks decide nothing, nor do fewer objects: small sets of classes may lack none. */
const LEAST_MASKS = 5;
const LEAST_OBJECTS = 6;
/** Numbers of objects vary from image to image; sets of classes that lack none hardly do. */
const LEAST_COUNTS = 4;
const LEAST_RATIO = 2;

/**
 * Tells masks that number the objects of each image (`SegmentationObject`, cell counters, instance exports) from masks of classes: the values of each are 1 to n
 * without a gap, and n varies.
 */
export class ObjectNumbers {
  #masks = 0;
  #hasGaps = false;
  #most: { path: string; count: number } = { path: "", count: 0 };
  #least = Number.POSITIVE_INFINITY;
  readonly #counts = new Set<number>();

  add({ mode, values, path }: MaskFacts): void {
    if (this.#hasGaps) return;
    // 0 is what lies around objects, 255 what many write for ignored pixels.
    const objects = values.filter((value) => value !== 0 && value !== 255);
    this.#hasGaps = mode === "rgb" || objects.some((value, i) => value !== i + 1);
    if (objects.length === 0 || this.#hasGaps) return;
    this.#masks++;
    this.#counts.add(objects.length);
    this.#least = Math.min(this.#least, objects.length);
    if (objects.length > this.#most.count) this.#most = { path, count: objects.length };
  }

  /** What is to be said of the masks; undefined where they are like masks of classes. */
  get text(): string | undefined {
    const { path, count } = this.#most;
    const areObjects =
      !this.#hasGaps &&
      this.#masks >= LEAST_MASKS &&
      count >= LEAST_OBJECTS &&
      this.#counts.size >= LEAST_COUNTS &&
      count >= LEAST_RATIO * this.#least;
    if (!areObjects) return undefined;
    return `the values of each mask are 1 to n without a gap, with n from ${this.#least} to ${count} (${path}), as numbers of objects are: a value then means another thing in each image; use the masks of classes`;
  }
}
