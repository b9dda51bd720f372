/** Edits by two people at once, as one of them saves. Pure. */

/**
 * The fields of `wanted` that somebody else has changed since they were seen: saved, they would take that
 * back. Not those where both want the same.
 */
export function overwritten<T extends object>(
  wanted: Partial<T>,
  { seen, now }: { seen: Partial<T>; now: T },
): (keyof T)[] {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const keys = Object.keys(wanted) as (keyof T)[];
  return keys.filter((key) => {
    return key in seen && !same(seen[key], now[key]) && !same(wanted[key], now[key]);
  });
}
