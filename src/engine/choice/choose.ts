/**
 * Which waiting job goes to which free slot: the best pair first, over all free slots of this
 * replica, from the best 8 of each eligible line (engine rule 22).
 *
 * Greedy: every pair is scored once, and again as its worker or its organization fills up, in
 * bundles (see there).
 */

import type { JobFacts } from "../../core/eligibility/facts.ts";
import { hasRoom } from "../../core/eligibility/fits.ts";
import type { NameHistory, ScoringInstance, ScoringJob } from "../../core/scoring/context.ts";
import { RULES, scoreInto } from "../../core/scoring/score.ts";
import type { Session } from "../session.ts";
import type { Line, Waiting } from "../window.ts";
import { Bundle, type Pair, Tally } from "./bundles.ts";

/** The best of a line that are weighed at once. */
export const HEADS = 8;
/** Jobs that are weighed at once over all lines, smallest rank first: so many lines are enough. */
export const POOL_MAX = 256;
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
  /** Those whose heads have waited longest. */
  lines: readonly ChoiceLine[];
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
  readonly #bundles: Bundle[] = [];
  readonly #byOrg = new Map<number, Map<Session, Bundle>>();
  readonly #own = new Map<Session, Tally>();
  readonly #orgs = new Map<number, Tally>();
  readonly #weighed = new Map<ChoiceLine, number>();
  readonly #taken = new Set<string>();
  #considered = 0;

  constructor(input: ChooseInput) {
    this.#input = input;
  }

  run(): Choice[] {
    this.#fill();
    const chosen: Choice[] = [];
    while (chosen.length < this.#input.max) {
      const best = this.#best();
      if (!best) break;
      const pair = best.top!;
      best.pop();
      if (this.#taken.has(pair.job.id)) continue;
      if (!hasRoom(pair.line.facts, best.session.facts, best.session.load)) continue;
      chosen.push(this.#take(pair, best));
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

  /** The heads of all lines; fewer of each where that is too many. */
  #fill(): void {
    const lines = this.#input.lines.filter((l) => l.line.size > 0 && l.sessions.length > 0);
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
      any = true;
      // What is full stays so for this decision.
      if (!isFull(session)) this.#bundle(session, job.org).add(job, line);
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

  #take({ job, line }: Pair, bundle: Bundle): Choice {
    const { session } = bundle;
    const score = this.#score(job, line, session);
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
    this.#passedOver(choice, bundle);
    line.take(job);
    session.reserve(line);
    bundle.own.add();
    bundle.org.add();
    const used = this.#input.usedByOrg;
    used.set(job.org, (used.get(job.org) ?? 0) + 1);
    // The one who moved up into the heads of its line is weighed too.
    this.#weighed.set(line, this.#weighed.get(line)! - 1);
    this.#weighNext(line);
    return choice;
  }

  /** The next best jobs: near the top of this bundle and of a few others, each named once. */
  #passedOver(choice: Choice, own: Bundle): void {
    this.#passOver(choice, own);
    const others = Math.min(NEAR_BUNDLES, this.#bundles.length);
    for (let at = 0; at < others; at++) {
      const bundle = this.#bundles[at]!;
      if (bundle !== own) this.#passOver(choice, bundle);
    }
  }

  #passOver(choice: Choice, bundle: Bundle): void {
    for (let at = 0; at < NEAR_TOP; at++) {
      const pair = bundle.at(at);
      if (!pair) return;
      const score = round(bundle.scoreOf(pair));
      // Most are no better than those that stand there already; of a bulk all are equal.
      const last = choice.candidateScores[CANDIDATES - 1];
      if (last !== undefined && score <= last) continue;
      if (!this.#taken.has(pair.job.id)) passOver(choice, pair.job.id, score);
    }
  }
}

/** Kept where it is among the best, once. */
function passOver({ candidates, candidateScores }: Choice, id: string, score: number): void {
  const known = candidates.indexOf(id);
  if (known >= 0 && candidateScores[known]! >= score) return;
  if (known >= 0) remove(known, candidates, candidateScores);
  let place = candidates.length;
  while (place > 0 && candidateScores[place - 1]! < score) place -= 1;
  if (place >= CANDIDATES) return;
  candidates.splice(place, 0, id);
  candidateScores.splice(place, 0, score);
  if (candidates.length > CANDIDATES) remove(CANDIDATES, candidates, candidateScores);
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

/** Scores are read by people: three decimals. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
