/**
 * Which waiting job goes to which free slot: the best pair first, over all free slots of this
 * replica, from the best 8 of each eligible line (engine rule 22).
 *
 * Lazy greedy: every pair is scored once; a pair that comes to the top after its worker changed is
 * scored again and goes back. That is exact as long as giving a worker one more job only lowers its
 * scores (saturation, spread, fair share), and close where it does not.
 */

import type { JobFacts } from "../core/eligibility/facts.ts";
import { hasRoom } from "../core/eligibility/fits.ts";
import type { NameHistory, ScoringInstance, ScoringJob } from "../core/scoring/context.ts";
import { RULES, scoreInto } from "../core/scoring/score.ts";
import type { Session } from "./session.ts";
import { smallest } from "./smallest.ts";
import type { Line, Waiting } from "./window.ts";

/** The best of a line that are weighed at once. */
export const HEADS = 8;
/** Jobs that are weighed at once over all lines, smallest rank first. */
const POOL_MAX = 256;
/** Passed-over candidates that a dispatch records, out of so many at the top of the heap. */
const CANDIDATES = 3;
const NEAR_TOP = 12;
/**
 * A pair is scored again once its worker, or its organization, took this part of the slots more. Exact
 * for workers of up to 64 slots; scoring all heads again for each of 2,000 took half of a decision.
 */
const GRAIN = 64;

export interface ChoiceLine {
  line: Line;
  facts: JobFacts;
  ramMb: number;
  cpus: number;
  /** Sessions that fit this shape and have a free slot. */
  sessions: Session[];
}

export interface Choice {
  job: Waiting;
  line: ChoiceLine;
  session: Session;
  score: number;
  terms: number[];
  candidates: string[];
  candidateScores: number[];
  considered: number;
}

interface Pair {
  job: Waiting;
  line: ChoiceLine;
  session: Session;
  score: number;
  /** Picks of this session and of the job's organization when it was scored. */
  stamp: number;
}

const terms = new Float32Array(RULES.length);
const scratch: ScoringJob = {
  id: "",
  org: 0,
  queue: 0,
  name: 0,
  shape: 0,
  rank: 0,
  readyAt: 0,
  priority: 0,
  dependents: 0,
  ramMb: null,
  cpus: null,
  inputWorkers: [],
  history: null,
};

export interface ChooseInput {
  lines: ChoiceLine[];
  max: number;
  instance: ScoringInstance;
  usedByOrg: Map<number, number>;
  history(name: number): NameHistory | null;
  now: number;
}

export function choose(input: ChooseInput): Choice[] {
  return new Chooser(input).run();
}

class Chooser {
  readonly #input: ChooseInput;
  readonly #heap: Pair[] = [];
  readonly #weighed = new Map<ChoiceLine, number>();
  readonly #picks = new Map<Session | number, number>();
  readonly #taken = new Set<string>();
  #considered = 0;

  constructor(input: ChooseInput) {
    this.#input = input;
  }

  run(): Choice[] {
    this.#fill();
    const chosen: Choice[] = [];
    while (chosen.length < this.#input.max && this.#heap.length > 0) {
      const pair = pop(this.#heap);
      if (this.#taken.has(pair.job.id)) continue;
      if (!hasRoom(pair.line.facts, pair.session.facts, pair.session.load)) continue;
      if (this.#stale(pair)) {
        pair.score = this.#score(pair);
        pair.stamp = this.#stamp(pair);
        push(this.#heap, pair);
        continue;
      }
      chosen.push(this.#take(pair));
    }
    return chosen;
  }

  /** The heads of all lines; where that is too many, the lines whose head has waited longest. */
  #fill(): void {
    let lines = this.#input.lines.filter((l) => l.line.size > 0 && l.sessions.length > 0);
    const most = Math.max(1, Math.floor(POOL_MAX / HEADS));
    if (lines.length > most) lines = smallest(lines, POOL_MAX, (l) => l.line.at(0)!.rank);
    const each = Math.max(1, Math.min(HEADS, Math.floor(POOL_MAX / Math.max(1, lines.length))));
    for (const line of lines) {
      this.#weighed.set(line, 0);
      for (let n = 0; n < each && this.#weighNext(line); n++);
    }
  }

  /** Weighs the next job of a line that somebody may take; heads that all refused stand in nobody's way. */
  #weighNext(line: ChoiceLine): boolean {
    for (;;) {
      const place = this.#weighed.get(line)!;
      const job = line.line.at(place);
      if (!job) return false;
      this.#weighed.set(line, place + 1);
      if (this.#weigh(line, job)) return true;
    }
  }

  #weigh(line: ChoiceLine, job: Waiting): boolean {
    this.#considered += 1;
    let any = false;
    for (const session of line.sessions) {
      if (job.rejectedBy.length > 0 && job.rejectedBy.includes(session.workerId)) continue;
      const pair: Pair = { job, line, session, score: 0, stamp: 0 };
      pair.score = this.#score(pair);
      pair.stamp = this.#stamp(pair);
      push(this.#heap, pair);
      any = true;
    }
    return any;
  }

  #score(pair: Pair): number {
    const { job, line, session } = pair;
    scratch.id = job.id;
    scratch.org = job.org;
    scratch.queue = job.queue;
    scratch.name = job.name;
    scratch.shape = job.shape;
    scratch.rank = job.rank;
    scratch.readyAt = job.readyAt;
    scratch.priority = job.priority;
    scratch.dependents = job.dependents;
    scratch.ramMb = line.ramMb || null;
    scratch.cpus = line.cpus || null;
    scratch.inputWorkers = job.inputWorkers;
    scratch.history = this.#input.history(job.name);
    return scoreInto(terms, scratch, session.scoring, this.#input.instance, this.#input.now);
  }

  /** Grows with what was picked for the pair's worker and for its organization. */
  #stamp({ job, session }: Pair): number {
    const own = this.#grains(session, session.load.slots);
    return own + this.#grains(job.org, this.#input.instance.slotsOffered);
  }

  #grains(key: Session | number, slots: number): number {
    const picks = this.#picks.get(key) ?? 0;
    return slots <= GRAIN ? picks : Math.floor((picks * GRAIN) / slots);
  }

  #stale(pair: Pair): boolean {
    return pair.stamp !== this.#stamp(pair);
  }

  #take(pair: Pair): Choice {
    const { job, line, session } = pair;
    const score = this.#score(pair);
    const choice: Choice = {
      job,
      line,
      session,
      score,
      terms: Array.from(terms, round),
      candidates: [],
      candidateScores: [],
      considered: this.#considered,
    };
    this.#taken.add(job.id);
    this.#passedOver(choice);
    line.line.remove(job);
    session.reserve(line);
    this.#bump(session);
    this.#bump(job.org);
    const used = this.#input.usedByOrg;
    used.set(job.org, (used.get(job.org) ?? 0) + 1);
    // The one who moved up into the heads of its line is weighed too.
    this.#weighed.set(line, this.#weighed.get(line)! - 1);
    this.#weighNext(line);
    return choice;
  }

  #bump(key: Session | number): void {
    this.#picks.set(key, (this.#picks.get(key) ?? 0) + 1);
  }

  /** The next best jobs: near the top of the heap, each named once. */
  #passedOver({ candidates, candidateScores }: Choice): void {
    const most = Math.min(NEAR_TOP, this.#heap.length);
    for (let at = 0; at < most; at++) {
      const { job, score } = this.#heap[at]!;
      if (this.#taken.has(job.id)) continue;
      const known = candidates.indexOf(job.id);
      if (known >= 0 && candidateScores[known]! >= score) continue;
      if (known >= 0) remove(known, candidates, candidateScores);
      let place = candidates.length;
      while (place > 0 && candidateScores[place - 1]! < score) place -= 1;
      if (place >= CANDIDATES) continue;
      candidates.splice(place, 0, job.id);
      candidateScores.splice(place, 0, round(score));
      if (candidates.length > CANDIDATES) remove(CANDIDATES, candidates, candidateScores);
    }
  }
}

function remove(place: number, ...lists: unknown[][]): void {
  for (const list of lists) list.splice(place, 1);
}

/** Scores are read by people: three decimals. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

// A binary heap, greatest score first; equal scores by id, so that a decision can be repeated.

function before(a: Pair, b: Pair): boolean {
  return a.score !== b.score ? a.score > b.score : a.job.id < b.job.id;
}

function push(heap: Pair[], pair: Pair): void {
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

function pop(heap: Pair[]): Pair {
  const top = heap[0]!;
  const last = heap.pop()!;
  if (heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child += 1;
    if (!before(heap[child]!, last)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return top;
}
