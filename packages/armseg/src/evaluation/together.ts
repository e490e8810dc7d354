import { isNonFiniteLogits, NonFiniteLogitsError } from "./bands.ts";

/**
 * Runs a part of an evaluation that waits for no other process. Of several processes one may meet NaN in it; then all of them
 * throw, where they would wait for it for ever.
 *
 * @param peers - The processes, all of which call this; one on its own where there are none.
 * @throws {NonFiniteLogitsError} If the network's outputs hold NaN or infinity, on any process.
 */
export async function together<T>(
  peers: { gather<V>(value: V): V[] } | undefined,
  body: () => Promise<T>,
): Promise<T> {
  let result: { readonly value: T } | undefined;
  let cause: unknown;
  try {
    result = { value: await body() };
  } catch (error) {
    if (!isNonFiniteLogits(error)) throw error;
    cause = error;
  }
  const own = cause === undefined ? null : (cause as Error).message;
  const met = (peers?.gather(own) ?? [own]).find((message) => message !== null);
  if (met) throw new NonFiniteLogitsError(met, { cause });
  return (result as { readonly value: T }).value;
}
