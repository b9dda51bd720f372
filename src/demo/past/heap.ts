/** A binary heap: what comes first in time is taken first; of the same time, what was put first. */
export class Heap<T extends { at: number }> {
  readonly #items: { item: T; at: number; order: number }[] = [];
  #count = 0;

  get size(): number {
    return this.#items.length;
  }

  put(item: T): void {
    const items = this.#items;
    const fresh = { item, at: item.at, order: this.#count++ };
    let place = items.length;
    items.push(fresh);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(fresh, items[parent]!)) break;
      items[place] = items[parent]!;
      place = parent;
    }
    items[place] = fresh;
  }

  take(): T | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (first === undefined || last === undefined || items.length === 0) return first?.item;
    let place = 0;
    for (;;) {
      let child = place * 2 + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && isBefore(items[child + 1]!, items[child]!)) child += 1;
      if (!isBefore(items[child]!, last)) break;
      items[place] = items[child]!;
      place = child;
    }
    items[place] = last;
    return first.item;
  }
}

interface Placed {
  at: number;
  order: number;
}

function isBefore(a: Placed, b: Placed): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
