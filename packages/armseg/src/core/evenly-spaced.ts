/**
 * Returns at most `count` items spread evenly over a list, in its order: the middles of as many equal parts, so that neither end
 * is preferred. A list that is short enough is returned whole.
 */
export function evenlySpaced<T>(items: readonly T[], count: number): T[] {
  const taken = Math.min(count, items.length);
  return Array.from({ length: taken }, (_, i) => items[Math.floor(((i + 0.5) * items.length) / taken)]!);
}

/** Returns at most `count` items spread evenly over a list, in its order, with the first and the last among them. */
export function evenlySpacedWithEnds<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.round((i * (items.length - 1)) / (count - 1))]!);
}
