/** Ends a training whose scores have stopped to rise. */
export class EarlyStopping {
  readonly #patience: number;
  #best = Number.NEGATIVE_INFINITY;
  #worseInARow = 0;

  /**
   * @param patience - Scores in a row that are not above the best one, after which the training ends.
   * @param scores - Those of before, where a training is resumed.
   */
  constructor(patience: number, scores: readonly number[] = []) {
    this.#patience = patience;
    for (const score of scores) this.add(score);
  }

  /** Counts a score; NaN is above none. */
  add(score: number): void {
    this.#worseInARow = score > this.#best ? 0 : this.#worseInARow + 1;
    if (score > this.#best) this.#best = score;
  }

  /** Tells whether the training is to end if this is its next score. */
  endsWith(score: number): boolean {
    return !(score > this.#best) && this.#worseInARow + 1 >= this.#patience;
  }

  /** Whether the training is to end. */
  get isOver(): boolean {
    return this.#worseInARow >= this.#patience;
  }
}
