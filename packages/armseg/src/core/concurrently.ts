/**
 * Runs an asynchronous function over a list with a bounded number in flight, and hands each result on in the order of the list.
 *
 * Nothing is kept once it was handed on; a slow item holds back what comes after it.
 *
 * @param limit - How many run at once, at least 1.
 * @throws What either function throws first; no further items are begun then.
 */
export async function forEachConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T, index: number) => Promise<R>,
  take: (result: R, index: number) => void,
): Promise<void> {
  const waiting = new Map<number, R>();
  let [next, taken] = [0, 0];
  let hasFailed = false;
  const takeReady = (): void => {
    for (; waiting.has(taken); taken++) {
      take(waiting.get(taken) as R, taken);
      waiting.delete(taken);
    }
  };
  const lane = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      const index = next++;
      try {
        waiting.set(index, await run(items[index]!, index));
        takeReady();
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(Math.max(1, limit), items.length) }, lane));
}

/**
 * Runs an asynchronous function over a list with a bounded number in flight; results are in the order of the list.
 *
 * @param limit - How many run at once, at least 1.
 * @throws What the function throws first; no further items are begun then.
 */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  run: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  await forEachConcurrently(items, limit, run, (result) => void results.push(result));
  return results;
}
