/** Yields the items of another iterable, of which the next is asked for before the one in hand is used. */
export async function* readAhead<T>(items: AsyncIterable<T>): AsyncGenerator<T, void> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    let next = iterator.next();
    for (let item = await next; !item.done; item = await next) {
      next = iterator.next();
      next.catch(() => {}); // thrown where it is awaited
      yield item.value;
    }
  } finally {
    await iterator.return?.();
  }
}
