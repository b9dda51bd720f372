/**
 * Which waiting job goes to which free slot: the best pair first, over all free slots of this
 * replica, from the best 8 of each eligible line (engine rule 22).
 *
 * Greedy: every pair is scored once, and again as its worker or its organization fills up, in
 * bundles (see there). Of many lines so many jobs as `POOL` are weighed at a time, the first in line:
 * whenever one is taken the next one joins them, so that a decision costs by what it takes.
 */

import type { JobFacts } from "../../core/eligibility/facts.ts";
import { hasRoom } from "../../core/eligibility/fits.ts";
import type { NameHistory, ScoringInstance, ScoringJob } from "../../core/scoring/context.ts";
import { RULES, scoreInto } from "../../core/scoring/score.ts";
import type { KeyTurn } from "../leases/key_limits.ts";
import type { Session } from "../session.ts";
import { isEarlier, type Line, type Waiting } from "../window.ts";
import { Bundle, type Pair, Tally } from "./bundles.ts";

/** The best of a line that are weighed at once. */
export const HEADS = 8;
/** Jobs that are weighed at once over all lines, smallest rank first. */
const POOL = 64;
/** Passed-over candidates that a dispatch records: out of its bundle, and of so many others. */
const CANDIDATES = 3;
const NEAR_BUNDLES = 3;
/** The first three of a binary heap are among its first seven. */
const NEAR_TOP = 7;

export interface ChoiceLine {
  line: Line;
  facts: JobFacts;
  ramMb: number;
  cpus: number;
  /** Sessions that fit this shape and have a free slot. */
  sessions: readonly Session[];
  /** What all jobs of the line have in common, as text. */
  traits: string;
  /** A job of the line is given to somebody. */
  take(job: Waiting): void;
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
  /** Those whose heads have waited longest, in the order of their heads: `linesFor` are enough. */
  lines: readonly ChoiceLine[];
  max: number;
  instance: ScoringInstance;
  usedByOrg: Map<number, number>;
  /** Where queues are limited by keys. */
  keys?: KeyTurn;
  history(name: number): NameHistory | null;
  now: number;
}

/** How many lines a decision that takes so many jobs may look at. */
export function linesFor(taken: number): number {
  return POOL + taken;
}

/** A line with a job that may be weighed next. */
interface Parked {
  line: ChoiceLine;
  job: Waiting;
}

export function choose(input: ChooseInput): Choice[] {
  return new Chooser(input).run();
}

class Chooser {
  readonly #input: ChooseInput;
  readonly #bundles: Bundle[] = [];
  readonly #byOrg = new Map<number, Map<Session, Bundle>>();
  readonly #own = new Map<Session, Tally>();
  readonly #orgs = new Map<number, Tally>();
  readonly #lines: readonly ChoiceLine[];
  /** Lines looked at, of `#lines`. */
  #seen = 0;
  /** Lines of which a job was taken, by the one behind it; those before `#unparked` are back. */
  readonly #parked: Parked[] = [];
  #unparked = 0;
  /** How many of a line's jobs were weighed and not taken. */
  readonly #weighed = new Map<ChoiceLine, number>();
  readonly #taken = new Set<Waiting>();
  /** The next best jobs, of the choice that is being made. */
  readonly #near: Waiting[] = [];
  readonly #nearScores: number[] = [];
  #considered = 0;

  constructor(input: ChooseInput) {
    this.#input = input;
    this.#lines = input.lines.filter((l) => l.line.size > 0 && l.sessions.length > 0);
  }

  run(): Choice[] {
    this.#fill();
    const chosen: Choice[] = [];
    while (chosen.length < this.#input.max) {
      const best = this.#best();
      // Those weighed so far were for workers that are full by now, or refused by all others.
      if (!best && this.#weighMore()) continue;
      if (!best) break;
      const pair = best.top!;
      best.pop();
      if (this.#taken.has(pair.job)) continue;
      // Others of its key were taken since it was weighed.
      if (this.#input.keys?.isHeldBack(pair.job)) {
        this.#weighMore();
        continue;
      }
      if (hasRoom(pair.line.facts, best.session.facts, best.session.load)) {
        chosen.push(this.#take(pair, best));
      } else this.#weighMore();
    }
    return chosen;
  }

  /** The bundle with the best pair; those of workers that are full are forgotten. */
  #best(): Bundle | undefined {
    const bundles = this.#bundles;
    let best: Bundle | undefined;
    for (let at = bundles.length - 1; at >= 0; at--) {
      const bundle = bundles[at]!;
      if (isFull(bundle.session)) {
        bundles[at] = bundles[bundles.length - 1]!;
        bundles.pop();
        continue;
      }
      bundle.refresh();
      if (bundle.isBefore(best)) best = bundle;
    }
    return best;
  }

  /** The heads of all lines; fewer of each where that is too many, and then of the first lines. */
  #fill(): void {
    const lines = this.#lines;
    const each = Math.max(1, Math.min(HEADS, Math.floor(POOL / Math.max(1, lines.length))));
    let given = 0;
    while (this.#seen < lines.length && given < POOL) {
      const line = lines[this.#seen++]!;
      let heads = 0;
      while (heads < each && this.#weighNext(line)) heads += 1;
      if (heads > 0) given += 1;
    }
  }

  /** Weighs the next job of a line that somebody may take; heads that all refused stand in nobody's way. */
  #weighNext(line: ChoiceLine): boolean {
    // What is full stays so for this decision.
    if (line.sessions.every(isFull)) return false;
    for (;;) {
      const job = this.#next(line);
      if (!job) return false;
      this.#weighed.set(line, (this.#weighed.get(line) ?? 0) + 1);
      if (this.#weigh(line, job)) return true;
    }
  }

  /** The first of its jobs that was not weighed. */
  #next(line: ChoiceLine): Waiting | undefined {
    return line.line.at(this.#weighed.get(line) ?? 0);
  }

  /** One was taken: the first in line of what was not weighed joins the others, if there is any. */
  #weighMore(): boolean {
    for (;;) {
      const line = this.#unpark() ?? this.#lines[this.#seen++];
      if (!line) return false;
      if (this.#weighNext(line)) return true;
    }
  }

  #park(line: ChoiceLine): void {
    const job = this.#next(line);
    if (!job) return;
    let low = this.#unparked;
    let high = this.#parked.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isEarlier(job, this.#parked[middle]!.job)) high = middle;
      else low = middle + 1;
    }
    this.#parked.splice(low, 0, { line, job });
  }

  /** Unless a line that was not looked at comes before it. */
  #unpark(): ChoiceLine | undefined {
    const parked = this.#parked[this.#unparked];
    const unseen = this.#lines[this.#seen]?.line.at(0);
    if (!parked || (unseen && isEarlier(unseen, parked.job))) return undefined;
    this.#unparked += 1;
    return parked.line;
  }

  #weigh(line: ChoiceLine, job: Waiting): boolean {
    if (this.#input.keys?.isHeldBack(job)) return false;
    this.#considered += 1;
    let any = false;
    for (const session of line.sessions) {
      if (job.rejectedBy.length > 0 && job.rejectedBy.includes(session.workerId)) continue;
      if (isFull(session)) continue;
      any = true;
      this.#bundle(session, job.org).add(job, line);
    }
    return any;
  }

  #bundle(session: Session, org: number): Bundle {
    const known = this.#byOrg.get(org)?.get(session);
    if (known) return known;
    const byOrg = this.#byOrg.get(org) ?? new Map<Session, Bundle>();
    this.#byOrg.set(org, byOrg);
    const tallies = {
      own: tally(this.#own, session, session.load.slots),
      org: tally(this.#orgs, org, this.#input.instance.slotsOffered),
    };
    const bundle = new Bundle(session, tallies, this.#score);
    byOrg.set(session, bundle);
    this.#bundles.push(bundle);
    return bundle;
  }

  readonly #score = (job: Waiting, line: ChoiceLine, session: Session): number => {
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
  };

  #take(pair: Pair, bundle: Bundle): Choice {
    const { job, line } = pair;
    const { session } = bundle;
    const score = this.#score(job, line, session);
    bundle.moved(pair, score);
    const choice: Choice = {
      job,
      line,
      session,
      score,
      terms: rounded(terms),
      candidates: [],
      candidateScores: [],
      considered: this.#considered,
    };
    this.#taken.add(job);
    this.#input.keys?.took(job);
    this.#passOver(choice, bundle);
    line.take(job);
    this.#weighed.set(line, this.#weighed.get(line)! - 1);
    this.#park(line);
    // Before anything moves on: what joins the others is scored at the same moment as they are.
    this.#weighMore();
    session.reserve(line);
    bundle.own.add();
    bundle.org.add();
    const used = this.#input.usedByOrg;
    used.set(job.org, (used.get(job.org) ?? 0) + 1);
    return choice;
  }

  /** The next best jobs: near the top of this bundle and of a few others, each named once. */
  #passOver(choice: Choice, own: Bundle): void {
    this.#near.length = 0;
    this.#nearScores.length = 0;
    this.#findNear(own);
    const others = Math.min(NEAR_BUNDLES, this.#bundles.length);
    for (let at = 0; at < others; at++) {
      const bundle = this.#bundles[at]!;
      if (bundle !== own) this.#findNear(bundle);
    }
    for (const [at, { id }] of this.#near.entries()) {
      choice.candidates.push(id);
      choice.candidateScores.push(round(this.#nearScores[at]!));
    }
  }

  #findNear(bundle: Bundle): void {
    for (let at = 0; at < NEAR_TOP; at++) {
      const pair = bundle.at(at);
      if (!pair) return;
      const score = bundle.scoreOf(pair);
      // Most are no better than those that stand there already; of a bulk all are equal.
      const last = this.#nearScores[CANDIDATES - 1];
      if (last !== undefined && score <= last) continue;
      if (!this.#taken.has(pair.job)) this.#keepNear(pair.job, score);
    }
  }

  /** Where it is among the best, once. */
  #keepNear(job: Waiting, score: number): void {
    const jobs = this.#near;
    const scores = this.#nearScores;
    const known = jobs.indexOf(job);
    if (known >= 0 && scores[known]! >= score) return;
    if (known >= 0) remove(known, jobs, scores);
    let place = jobs.length;
    while (place > 0 && scores[place - 1]! < score) place -= 1;
    if (place === jobs.length) {
      jobs.push(job);
      scores.push(score);
    } else {
      jobs.splice(place, 0, job);
      scores.splice(place, 0, score);
    }
    if (jobs.length > CANDIDATES) remove(CANDIDATES, jobs, scores);
  }
}

function isFull({ load }: Session): boolean {
  return load.used >= load.slots;
}

function tally<K>(tallies: Map<K, Tally>, key: K, slots: number): Tally {
  let known = tallies.get(key);
  if (!known) {
    known = new Tally(slots);
    tallies.set(key, known);
  }
  return known;
}

function remove(place: number, ...lists: unknown[][]): void {
  for (const list of lists) list.splice(place, 1);
}

function rounded(values: Float32Array): number[] {
  const out: number[] = [];
  for (let at = 0; at < RULES.length; at++) out.push(round(values[at]!));
  return out;
}

/** Scores are read by people: three decimals. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
