/**
 * The window: the head of every line of ready jobs that some connected worker could run (engine
 * rule 21). A line is one shape. It is refilled by keyset from the last key seen, and swept from the
 * head now and then: what came in by another replica or with a smaller rank stands before that key.
 *
 * Peeking from the head each time under one old snapshot went from 1.8 to 17 ms and on; by keyset
 * 1.1 to 1.1. No payloads here: a million waiting jobs must not fill this process.
 */
import { orderOfId } from "../core/ids.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";

/** A waiting job as scoring reads it. Kept in rank order inside its line. */
export interface Waiting {
  id: string;
  /** Of the id, see `orderOfId`: jobs of one bulk have one rank, and are told apart by this. */
  order: number;
  org: number;
  queue: number;
  name: number;
  shape: number;
  /** Epoch seconds. */
  rank: number;
  readyAt: number;
  priority: number;
  dependents: number;
  inputWorkers: readonly number[];
  /** Its queue runs only so many at once that share it; null where it does not matter. */
  key: string | null;
  rejectedBy: readonly number[];
}

/** Rows that are looked through as quickly as a set is asked. */
const SHORT = 16;

export class Line {
  readonly shape: number;
  /** Sorted by (rank, id); served from `#head`, so that a shift moves nothing. */
  #rows: Waiting[] = [];
  /** Of a line that is longer than `SHORT`, or was: ten thousand sets were a tenth of the window's memory. */
  #ids: Set<string> | undefined;
  #head = 0;
  /** The last key read from the database. Rows beyond it may exist unless `exhausted`. */
  afterRank = Number.NEGATIVE_INFINITY;
  afterId = "00000000-0000-0000-0000-000000000000";
  exhausted = false;
  /** `exhausted` holds for all jobs of the shape, not only for those that are this replica's to peek. */
  whole = false;
  /** Read again from the head: something may stand before the last key. */
  rewind = false;
  /** A job was left to the keyset: a read that was under way already may not have seen it. */
  missed = false;
  /** A job was passed by that nobody would take: for a new worker it is looked for again. */
  passed = false;
  /** Rows whose key is full, when that was last looked at. */
  held = 0;

  constructor(shape: number) {
    this.shape = shape;
  }

  get size(): number {
    return this.#rows.length - this.#head;
  }

  /** Rows that could be given to somebody. */
  get usable(): number {
    return Math.max(0, this.size - this.held);
  }

  at(place: number): Waiting | undefined {
    return this.#rows[this.#head + place];
  }

  /**
   * Rows read by keyset come in order and go behind what is there. Those that nobody would take (see
   * `isWanted`) are passed by: a window full of them would hide every job behind.
   */
  append(rows: Waiting[], isWanted: (row: Waiting) => boolean): void {
    const last = rows[rows.length - 1];
    if (!last) return;
    this.afterRank = last.rank;
    this.afterId = last.id;
    for (const row of rows) {
      if (isWanted(row)) this.#insert(row);
      else this.passed = true;
    }
  }

  /** A job that just became ready. Ignored where the keyset will find it by itself. */
  offer(row: Waiting, max: number): void {
    const beyond = row.rank !== this.afterRank ? row.rank > this.afterRank : row.id > this.afterId;
    if (beyond && (!this.exhausted || this.size >= max)) {
      this.reopen();
      return;
    }
    this.#insert(row);
    if (beyond) {
      this.afterRank = row.rank;
      this.afterId = row.id;
    }
    // Above its bound the tail goes; the keyset reads it again when its turn comes.
    if (this.size > max * 2) this.#cut(max);
  }

  has(id: string): boolean {
    return this.#indexOf(id, orderOfId(id)) >= 0;
  }

  /** Numbers first: to tell apart texts that begin alike took a third of a refill. */
  #indexOf(id: string, order: number): number {
    if (this.#ids && !this.#ids.has(id)) return -1;
    return this.#find((row) => row.order === order && row.id === id);
  }

  /** The index of the first such row, or -1. */
  #find(is: (row: Waiting) => boolean): number {
    for (let i = this.#head; i < this.#rows.length; i++) if (is(this.#rows[i]!)) return i;
    return -1;
  }

  /** More may stand behind the last key by now, though it was read to its end. */
  reopen(): void {
    this.missed = true;
    this.exhausted = false;
    this.whole = false;
  }

  /** Removes by place from the head. */
  take(place: number): Waiting {
    const index = this.#head + place;
    const row = this.#rows[index]!;
    this.#ids?.delete(row.id);
    if (place === 0) {
      this.#head += 1;
      // Soon: what was taken is held by this list, times ten thousand lines.
      if (this.#head >= SHORT && this.#head * 2 >= this.#rows.length) {
        this.#rows = this.#rows.slice(this.#head);
        this.#head = 0;
      }
    } else this.#rows.splice(index, 1);
    return row;
  }

  remove(row: Waiting): boolean {
    const index = this.#find((other) => other === row);
    if (index >= 0) this.take(index - this.#head);
    return index >= 0;
  }

  /** Forgets the last key: the next refill starts at the head. Rows held stay. */
  restart(): void {
    this.rewind = false;
    this.exhausted = false;
    this.whole = false;
    this.afterRank = Number.NEGATIVE_INFINITY;
    this.afterId = "00000000-0000-0000-0000-000000000000";
  }

  clear(): void {
    this.#rows = [];
    this.#ids = undefined;
    this.#head = 0;
    this.passed = false;
    this.held = 0;
    this.restart();
  }

  /**
   * Counts the rows whose key is full. Where they leave less than `enough` and the keyset has more, all but
   * the first `kept` of each key are passed by: they would hide whatever stands behind them.
   */
  holdBack(isHeld: (row: Waiting) => boolean, enough: number, kept: number): void {
    const rows = this.#rows.slice(this.#head);
    this.held = rows.reduce((n, row) => (isHeld(row) ? n + 1 : n), 0);
    if (this.usable >= enough || this.exhausted) return;
    const seen = new Map<string | null, number>();
    const stay = rows.filter((row) => {
      if (!isHeld(row)) return true;
      const n = (seen.get(row.key) ?? 0) + 1;
      seen.set(row.key, n);
      return n <= kept;
    });
    if (stay.length === rows.length) return;
    this.passed = true;
    this.held -= rows.length - stay.length;
    this.#rows = stay;
    this.#head = 0;
    if (this.#ids) this.#ids = new Set(stay.map((row) => row.id));
  }

  #cut(max: number): void {
    for (let i = this.#head + max; i < this.#rows.length; i++) this.#ids?.delete(this.#rows[i]!.id);
    this.#rows.length = this.#head + max;
    const last = this.#rows[this.#rows.length - 1]!;
    this.afterRank = last.rank;
    this.afterId = last.id;
    this.exhausted = false;
    this.whole = false;
  }

  #insert(row: Waiting): void {
    // Cancelled and retried, it comes back under another rank: it must not stand here twice.
    const held = this.#indexOf(row.id, row.order);
    if (held >= 0) this.take(held - this.#head);
    const rows = this.#rows;
    if (!this.#ids && this.size >= SHORT)
      this.#ids = new Set(rows.slice(this.#head).map((r) => r.id));
    this.#ids?.add(row.id);
    const last = rows[rows.length - 1];
    if (!last || this.size === 0 || isEarlier(last, row)) {
      rows.push(row);
      return;
    }
    let low = this.#head;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = rows[middle]!;
      if (isEarlier(at, row)) low = middle + 1;
      else high = middle;
    }
    if (rows[low]?.id !== row.id) rows.splice(low, 0, row);
  }
}

/** Whether it stands before the other in line. */
export function isEarlier(a: Waiting, b: Waiting): boolean {
  return a.rank !== b.rank ? a.rank < b.rank : isOlder(a, b);
}

/** Of equals, which was submitted first. */
export function isOlder(a: Waiting, b: Waiting): boolean {
  return a.order !== b.order ? a.order < b.order : a.id < b.id;
}

export function waitingOf(row: ReadyRow): Waiting {
  return {
    id: row.id,
    order: orderOfId(row.id),
    org: row.org_id,
    queue: row.queue_id,
    name: row.name_id,
    shape: row.shape_id,
    rank: row.ready_rank!,
    readyAt: row.ready_s! * 1000,
    priority: row.priority,
    dependents: row.dependents,
    inputWorkers: row.input_workers ?? NONE,
    key: row.key ?? null,
    rejectedBy: row.rejected_by ?? NONE,
  };
}

const NONE: readonly number[] = [];
