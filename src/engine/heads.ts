/**
 * Lines in the order of their heads, the one that has waited longest first. With thousands of lines
 * a turn that looked at each of them spent most of its time so; here it looks at those that it weighs.
 *
 * A binary heap whose items know their places: a line whose head changed moves by itself.
 */
import type { Line } from "./window.ts";

/** An item of `Heads`; all but `line` are kept by it. */
export interface Headed {
  readonly line: Line;
  /** In the heap, from 0; -1 outside. */
  place: number;
  /** Of the head, when it was last looked at. */
  rank: number;
}

export class Heads<T extends Headed> {
  readonly #heap: T[] = [];

  get size(): number {
    return this.#heap.length;
  }

  /** The line's head may have changed; a line without one leaves. */
  update(item: T): void {
    const head = item.line.at(0);
    if (!head) {
      this.remove(item);
      return;
    }
    if (item.place >= 0 && item.rank === head.rank) return;
    item.rank = head.rank;
    if (item.place < 0) this.#heap.push(item);
    this.#settle(item, item.place < 0 ? this.#heap.length - 1 : item.place);
  }

  remove(item: T): void {
    const { place } = item;
    if (place < 0) return;
    item.place = -1;
    const last = this.#heap.pop()!;
    if (last !== item) this.#settle(last, place);
  }

  /** The first lines in their order. */
  first(count: number): T[] {
    const heap = this.#heap;
    const out: T[] = [];
    // Only what stands below a line that was taken can be next.
    const front: T[] = heap.length > 0 ? [heap[0]!] : [];
    while (out.length < count && front.length > 0) {
      const next = front.pop()!;
      out.push(next);
      const below = next.place * 2 + 1;
      if (below < heap.length) insert(front, heap[below]!);
      if (below + 1 < heap.length) insert(front, heap[below + 1]!);
    }
    return out;
  }

  /** Puts an item where it belongs, above or below a place that is free. */
  #settle(item: T, free: number): void {
    const heap = this.#heap;
    let at = free;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(item, heap[parent]!)) break;
      this.#put(heap[parent]!, at);
      at = parent;
    }
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, item)) break;
      this.#put(heap[child]!, at);
      at = child;
    }
    this.#put(item, at);
  }

  #put(item: T, at: number): void {
    this.#heap[at] = item;
    item.place = at;
  }
}

/** Of equal ranks, as after a bulk, the shape decides: by ids it took ten times as long. */
export function isBefore(a: Headed, b: Headed): boolean {
  return a.rank !== b.rank ? a.rank < b.rank : a.line.shape < b.line.shape;
}

/** Into a list whose last is the first. */
function insert<T extends Headed>(list: T[], item: T): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(item, list[middle]!)) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, item);
}
