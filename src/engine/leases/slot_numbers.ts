/**
 * Which numbers of a worker's slots are taken, from 1: whoever frees a slot names it by its number, so a
 * job keeps its own from its lease to its end, over reconnects too. The number freed last is given next.
 */
export class SlotNumbers {
  readonly #free: number[] = [];
  /** The largest that was given. */
  #last = 0;

  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#last += 1;
    return this.#last;
  }

  /** The number that a resumed lease had, or another where that is taken or not known. */
  claim(slot: number | null): number {
    if (slot === null) return this.take();
    if (slot > this.#last) {
      for (let n = slot - 1; n > this.#last; n--) this.#free.push(n);
      this.#last = slot;
      return slot;
    }
    const at = this.#free.indexOf(slot);
    if (at < 0) return this.take();
    this.#free.splice(at, 1);
    return slot;
  }

  give(slot: number): void {
    this.#free.push(slot);
  }
}
