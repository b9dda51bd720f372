/**
 * The pairs that a decision weighs, the best of them first.
 *
 * A bundle holds those of one worker and one organization. What is picked for either moves all of
 * them alike (free slots, fair share), so the first of a bundle is scored again and the others follow
 * it; scoring each of 256 again for every 64th of 1,000 slots took most of a decision. Only where the
 * worker has promised memory or processors since, which suits one job less than another, all are scored.
 */

import type { Session } from "../session.ts";
import { isOlder, type Waiting } from "../window.ts";
import type { ChoiceLine } from "./choose.ts";

/**
 * Pairs are scored again once their worker, or their organization, took this part of the slots more:
 * after every pick, for workers of up to so many slots.
 */
const GRAIN = 64;

/** Picks of this decision for one worker or one organization. */
export class Tally {
  readonly #slots: number;
  #picks = 0;
  grains = 0;

  constructor(slots: number) {
    this.#slots = slots;
  }

  add(): void {
    this.#picks += 1;
    const fine = this.#slots <= GRAIN;
    this.grains = fine ? this.#picks : Math.floor((this.#picks * GRAIN) / this.#slots);
  }
}

export interface Pair {
  job: Waiting;
  line: ChoiceLine;
  /** Of the job: here, so that to compare pairs touches nothing else. */
  order: number;
  /** Without what its bundle has moved since. */
  score: number;
}

export class Bundle {
  readonly session: Session;
  readonly own: Tally;
  readonly org: Tally;
  /** A binary heap. */
  readonly #pairs: Pair[] = [];
  readonly #score: (job: Waiting, line: ChoiceLine, session: Session) => number;
  #moved = 0;
  /** Of both tallies, and what the worker had promised, when it was scored. */
  #grains = 0;
  #ramMb: number;
  #cpus: number;

  constructor(
    session: Session,
    tallies: { own: Tally; org: Tally },
    score: (job: Waiting, line: ChoiceLine, session: Session) => number,
  ) {
    this.session = session;
    this.own = tallies.own;
    this.org = tallies.org;
    this.#score = score;
    this.#grains = this.own.grains + this.org.grains;
    this.#ramMb = session.load.ramReservedMb;
    this.#cpus = session.load.cpusReserved;
  }

  get top(): Pair | undefined {
    return this.#pairs[0];
  }

  /** Whether its first pair is better than that of the other bundle. */
  isBefore(other: Bundle | undefined): boolean {
    const mine = this.#pairs[0];
    const theirs = other?.top;
    if (!mine || !theirs) return mine !== undefined;
    const ahead = this.scoreOf(mine) - other!.scoreOf(theirs);
    return ahead !== 0 ? ahead > 0 : isOlder(mine.job, theirs.job);
  }

  /** By its place in the heap. */
  at(place: number): Pair | undefined {
    return this.#pairs[place];
  }

  /** What the pair's score is by now. */
  scoreOf(pair: Pair): number {
    return pair.score + this.#moved;
  }

  /** What one of its pairs scores at this moment: the others have moved with it. */
  moved(pair: Pair, score: number): void {
    if (this.#isReservedAlike()) this.#moved = exact(score - pair.score);
  }

  add(job: Waiting, line: ChoiceLine): void {
    // First of all: what is new has not moved with the others.
    this.refresh();
    const score = exact(this.#score(job, line, this.session) - this.#moved);
    rise(this.#pairs, { job, line, order: job.order, score });
  }

  pop(): void {
    const last = this.#pairs.pop()!;
    if (this.#pairs.length > 0) sink(this.#pairs, 0, last);
  }

  refresh(): void {
    const grains = this.own.grains + this.org.grains;
    const top = this.#pairs[0];
    if (grains === this.#grains) return;
    this.#grains = grains;
    if (!top) return;
    if (this.#isReservedAlike()) {
      this.#moved = exact(this.#score(top.job, top.line, this.session) - top.score);
      return;
    }
    this.#ramMb = this.session.load.ramReservedMb;
    this.#cpus = this.session.load.cpusReserved;
    this.#moved = 0;
    for (const pair of this.#pairs) {
      pair.score = exact(this.#score(pair.job, pair.line, this.session));
    }
    const pairs = this.#pairs;
    for (let at = (pairs.length >> 1) - 1; at >= 0; at--) sink(pairs, at, pairs[at]!);
  }

  /** The worker has promised as much memory and as many processors as when its pairs were scored. */
  #isReservedAlike(): boolean {
    const { ramReservedMb, cpusReserved } = this.session.load;
    return ramReservedMb === this.#ramMb && cpusReserved === this.#cpus;
  }
}

/** Without what adding and taking away leaves behind: equal pairs stay equal. */
function exact(score: number): number {
  return Math.round(score * 1e6) / 1e6;
}

/** Equal scores by id, so that a decision can be repeated. */
function before(a: Pair, b: Pair): boolean {
  if (a.score !== b.score) return a.score > b.score;
  return a.order !== b.order ? a.order < b.order : a.job.id < b.job.id;
}

function rise(heap: Pair[], pair: Pair): void {
  let at = heap.length;
  heap.push(pair);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!before(pair, heap[parent]!)) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = pair;
}

/** Puts a pair where it belongs, at a free place or below. */
function sink(heap: Pair[], free: number, pair: Pair): void {
  let at = free;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, pair)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = pair;
}
