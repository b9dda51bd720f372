/**
 * Lines in the order of their heads, the one that has waited longest first. With thousands of lines
 * a turn that looked at each of them spent most of its time so; here it looks at those that it weighs.
 *
 * A sorted list in pieces. What comes first lies side by side, and a line whose head was taken moves
 * within two pieces; a binary heap touched ten thousand places all over memory for the same.
 */
import type { Line } from "./window.ts";

/** An item of `Heads`; all but `line` are kept by it. */
export interface Headed {
  readonly line: Line;
  /** Whether it stands here, and by which rank and order. */
  isListed: boolean;
  rank: number;
  order: number;
}

/** A piece that is full is cut in two. */
const PIECE_MAX = 128;

export class Heads<T extends Headed> {
  /** In their order, none empty. */
  readonly #pieces: Piece<T>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The line's head may have changed; a line without one leaves. */
  update(item: T): void {
    const head = item.line.at(0);
    if (!head) {
      this.remove(item);
      return;
    }
    if (item.isListed && item.rank === head.rank && item.order === head.order) return;
    this.remove(item);
    item.isListed = true;
    item.rank = head.rank;
    item.order = head.order;
    this.#insert(item);
  }

  remove(item: T): void {
    if (!item.isListed) return;
    item.isListed = false;
    this.#size -= 1;
    // Those of one rank and order, made in the same instant, may stand in several pieces.
    for (let at = this.#pieceOf(item); ; at++) {
      const piece = this.#pieces[at]!;
      if (!piece.remove(item)) continue;
      if (piece.size === 0) this.#pieces.splice(at, 1);
      return;
    }
  }

  /** The first lines in their order. */
  first(count: number): T[] {
    const out: T[] = [];
    for (const piece of this.#pieces) {
      for (let at = 0; at < piece.size; at++) {
        if (out.length >= count) return out;
        out.push(piece.at(at));
      }
    }
    return out;
  }

  #insert(item: T): void {
    this.#size += 1;
    if (this.#pieces.length === 0) this.#pieces.push(new Piece());
    const at = Math.min(this.#pieceOf(item), this.#pieces.length - 1);
    const piece = this.#pieces[at]!;
    piece.insert(item);
    if (piece.isFull) this.#pieces.splice(at + 1, 0, piece.cut());
  }

  /** The first piece whose last is not before it. */
  #pieceOf({ rank, order }: T): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pieces[middle]!.endsBefore(rank, order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Items with their keys beside them, so that a search touches no item. From `#from` to `#to`: heads
 * leave at the front, mostly, and come back at an end, and nothing moves.
 */
class Piece<T extends Headed> {
  readonly #items: (T | undefined)[] = [];
  readonly #ranks: number[] = [];
  readonly #orders: number[] = [];
  #from = 0;
  #to = 0;

  get size(): number {
    return this.#to - this.#from;
  }

  /** Nothing can be put behind its last any more. */
  get isFull(): boolean {
    return this.#to === PIECE_MAX;
  }

  at(place: number): T {
    return this.#items[this.#from + place]!;
  }

  endsBefore(rank: number, order: number): boolean {
    const last = this.#ranks[this.#to - 1]!;
    return last < rank || (last === rank && this.#orders[this.#to - 1]! < order);
  }

  insert(item: T): void {
    const at = this.#find(item.rank, item.order);
    for (let place = this.#to; place > at; place--) this.#move(place - 1, place);
    this.#put(item, at);
    this.#to += 1;
  }

  /** Whether it stood here. */
  remove(item: T): boolean {
    let at = this.#find(item.rank, item.order);
    while (at < this.#to && this.#items[at] !== item) at += 1;
    if (at === this.#to) return false;
    if (at === this.#from) {
      this.#items[at] = undefined;
      this.#from += 1;
      return true;
    }
    for (let place = at + 1; place < this.#to; place++) this.#move(place, place - 1);
    this.#to -= 1;
    this.#items[this.#to] = undefined;
    return true;
  }

  /** Its second half, as a piece of its own; what stays begins at the front again. */
  cut(): Piece<T> {
    const other = new Piece<T>();
    const half = (this.#from + this.#to) >> 1;
    for (let at = half; at < this.#to; at++) {
      other.#put(this.#items[at]!, other.#to);
      other.#to += 1;
    }
    for (let at = this.#from; at < half; at++) this.#move(at, at - this.#from);
    this.#to = half - this.#from;
    this.#from = 0;
    this.#items.length = this.#to;
    return other;
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    this.#ranks[at] = item.rank;
    this.#orders[at] = item.order;
  }

  #move(from: number, to: number): void {
    this.#items[to] = this.#items[from];
    this.#ranks[to] = this.#ranks[from]!;
    this.#orders[to] = this.#orders[from]!;
  }

  /** The first place that is not before it. */
  #find(rank: number, order: number): number {
    const ranks = this.#ranks;
    const orders = this.#orders;
    let low = this.#from;
    let high = this.#to;
    while (low < high) {
      const middle = (low + high) >> 1;
      const own = ranks[middle]!;
      if (own < rank || (own === rank && orders[middle]! < order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
