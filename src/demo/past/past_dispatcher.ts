/**
 * Who got what in the past, and why: chosen by the very rules that choose today, so that what is kept of
 * a decision explains it. One job or one slot at a time, where the engine weighs many at once.
 */

import { readyRank } from "../../core/rank.ts";
import { averagesOf } from "../../core/scoring/calibration.ts";
import type { ScoringInstance, ScoringJob } from "../../core/scoring/context.ts";
import { RULES, scoreInto } from "../../core/scoring/score.ts";
import { snakeKeys } from "../../core/snake_keys.ts";
import { hashUuid } from "../../engine/names.ts";
import type { PastAttempt, PastDecision, PastJob, PastKind } from "./past_job.ts";
import { PastWindows } from "./past_windows.ts";
import type { PastWorker } from "./past_worker.ts";

export type KeepContext = (id: string, kind: "worker" | "job" | "instance", body: object) => void;

export interface Chosen {
  job: PastJob;
  worker: PastWorker;
  decision: Omit<PastDecision, "beat">;
}

/** Jobs of one shape that wait, the first in line first. */
interface Line {
  kind: PastKind;
  workers: readonly PastWorker[];
  waiting: PastJob[];
}

const CANDIDATES = 3;
/** The instance is looked at again after so much of the past. */
const LOOK_MS = 60_000;

export class PastDispatcher {
  readonly #workers: readonly PastWorker[];
  readonly #keep: KeepContext;
  readonly #orgNames: ReadonlyMap<number, string>;
  readonly #lines = new Map<number, Line>();
  readonly #jobContexts = new Map<PastKind, string>();
  readonly #terms = new Float32Array(RULES.length);
  readonly #usedByOrg = new Map<number, number>();
  readonly #windows = new PastWindows();
  #pending = 0;
  #instance: ScoringInstance;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #instanceContext = "";

  constructor(
    workers: readonly PastWorker[],
    orgNames: ReadonlyMap<number, string>,
    keep: KeepContext,
  ) {
    this.#workers = workers;
    this.#orgNames = orgNames;
    this.#keep = keep;
    this.#instance = this.#look(0);
  }

  /** Slots used by an organization, and its jobs in line. */
  get work(): { org: number; pending: number; active: number }[] {
    const work = new Map(
      [...this.#orgNames.keys()].map((org) => [org, { org, pending: 0, active: 0 }]),
    );
    for (const { kind, waiting } of this.#lines.values())
      work.get(kind.org)!.pending += waiting.length;
    for (const [org, used] of this.#usedByOrg) work.get(org)!.active += used;
    return [...work.values()].filter(({ pending, active }) => pending + active > 0);
  }

  /** A job is ready: the worker that suits it best, or a place in its line. */
  ready(job: PastJob, now: number): Chosen | null {
    const line = this.#lineOf(job.kind);
    if (line.waiting.length === 0) {
      const free = line.workers.filter((worker) => worker.hasRoomFor(job.kind));
      if (free.length > 0)
        return this.#choose(
          best(free, (one) => this.#score(job, one, now)),
          job,
          now,
        );
    }
    this.#pending += 1;
    const { waiting } = line;
    let place = waiting.length;
    while (place > 0 && rankOf(waiting[place - 1]!) > rankOf(job)) place -= 1;
    waiting.splice(place, 0, job);
    return null;
  }

  /** A worker has a slot: the head of a line that suits it best, or nothing. */
  offer(worker: PastWorker, now: number): Chosen | null {
    const heads: PastJob[] = [];
    for (const { kind, workers, waiting } of this.#lines.values()) {
      if (waiting.length === 0 || !workers.includes(worker)) continue;
      if (worker.hasRoomFor(kind)) heads.push(waiting[0]!);
    }
    if (heads.length === 0) return null;
    const job = best(heads, (one) => this.#score(one, worker, now));
    this.#lineOf(job.kind).waiting.shift();
    this.#pending -= 1;
    return this.#choose(worker, job, now);
  }

  ended(attempt: PastAttempt): void {
    const { org } = attempt.job.kind;
    this.#windows.ended(attempt);
    this.#usedByOrg.set(org, this.#usedByOrg.get(org)! - 1);
  }

  #choose(worker: PastWorker, job: PastJob, now: number): Chosen {
    if (now - this.#lookedAt > LOOK_MS) {
      this.#instance = this.#look(now);
      this.#lookedAt = now;
    }
    const { candidates, considered } = this.#passedOver(worker, now);
    const score = this.#score(job, worker, now);
    const decision = {
      score,
      terms: Array.from(this.#terms),
      candidates,
      considered: considered + 1,
      workerContext: worker.context(this.#keep),
      jobContext: this.#jobContext(job.kind),
      instanceContext: this.#instanceContext,
    };
    const { org } = job.kind;
    this.#usedByOrg.set(org, (this.#usedByOrg.get(org) ?? 0) + 1);
    worker.take(job);
    return { job, worker, decision };
  }

  /** The best of those that this worker could have run instead. */
  #passedOver(worker: PastWorker, now: number) {
    const candidates: { job: PastJob; score: number }[] = [];
    let considered = 0;
    if (this.#pending === 0) return { candidates, considered };
    for (const { kind, waiting } of this.#lines.values()) {
      if (waiting.length === 0 || !worker.fits(kind)) continue;
      for (const job of waiting.slice(0, CANDIDATES)) {
        candidates.push({ job, score: this.#score(job, worker, now) });
      }
      considered += Math.min(8, waiting.length);
    }
    candidates.sort((a, b) => b.score - a.score);
    return { candidates: candidates.slice(0, CANDIDATES), considered };
  }

  #score(job: PastJob, worker: PastWorker, now: number): number {
    return scoreInto(this.#terms, scoringOf(job), worker.scoring, this.#instance, now);
  }

  #lineOf(kind: PastKind): Line {
    const known = this.#lines.get(kind.shape);
    if (known) return known;
    const workers = this.#workers.filter((worker) => worker.fits(kind));
    const line: Line = { kind, workers, waiting: [] };
    this.#lines.set(kind.shape, line);
    return line;
  }

  #jobContext(kind: PastKind): string {
    const known = this.#jobContexts.get(kind);
    if (known) return known;
    const { task, requirements } = kind;
    const body = { queue: task.queue, kind: task.kind, requirements, history: snakeHistory(task) };
    const id = hashUuid(`job:${JSON.stringify(body)}`);
    this.#jobContexts.set(kind, id);
    this.#keep(id, "job", body);
    return id;
  }

  #look(now: number): ScoringInstance {
    const windows = this.#windows.read(now);
    const averages = averagesOf(windows);
    const sum = (of: (worker: PastWorker) => number) =>
      this.#workers.reduce((all, worker) => all + of(worker), 0);
    const slotsUsed = sum(({ scoring }) => scoring.used);
    const slotsOffered = sum(({ scoring }) => scoring.slots);
    const counts = {
      workers: this.#workers.length,
      pending: this.#pending,
      active: slotsUsed,
      idle_workers: this.#workers.filter(({ scoring }) => scoring.used === 0).length,
      slots_used: slotsUsed,
      slots_offered: slotsOffered,
      contended: this.#pending > slotsOffered - slotsUsed,
      active_orgs: Math.max(1, this.work.length),
    };
    const used = [...this.#usedByOrg].filter(([, n]) => n > 0);
    const body = {
      ...counts,
      used_by_org: Object.fromEntries(used.map(([org, n]) => [this.#orgNames.get(org), n])),
      averages: snakeKeys(averages),
      windows: snakeKeys(windows),
    };
    this.#instanceContext = hashUuid(`instance:${JSON.stringify(body)}`);
    this.#keep(this.#instanceContext, "instance", body);
    return {
      workers: counts.workers,
      pending: counts.pending,
      active: counts.active,
      idleWorkers: counts.idle_workers,
      slotsUsed,
      slotsOffered,
      contended: counts.contended,
      activeOrgs: counts.active_orgs,
      usedByOrg: new Map(used),
      averages,
    };
  }
}

function rankOf(job: PastJob): number {
  return scoringOf(job).rank;
}

/** Made once for each time that a job is ready. */
function scoringOf(job: PastJob): ScoringJob {
  const known = job.scoring;
  if (known && known.readyAt === job.readyAt) return known;
  const { kind } = job;
  const { requirements } = kind;
  job.scoring = {
    id: job.id,
    org: kind.org,
    queue: kind.queue,
    name: kind.name,
    shape: kind.shape,
    rank: readyRank(job.readyAt, job.priority),
    readyAt: job.readyAt,
    priority: job.priority,
    dependents: job.below,
    ramMb: requirements.ram_mb ?? null,
    cpus: requirements.cpus ?? null,
    inputWorkers: job.inputWorkers,
    history: historyOf(kind.task),
  };
  return job.scoring;
}

const HISTORIES = new Map<PastKind["task"], NonNullable<ScoringJob["history"]>>();

/** What earlier attempts of this name used. */
function historyOf(task: PastKind["task"]): NonNullable<ScoringJob["history"]> {
  const known = HISTORIES.get(task);
  if (known) return known;
  const { seconds, ramMb, cores, diskMb, networkMbps } = task;
  const history = {
    samples: 200,
    ramP95Mb: Math.round(ramMb * 1.1),
    ramMaxMb: Math.round(ramMb * 1.12),
    cpuMs: cores * seconds * 1_000,
    diskBytes: diskMb * 1e6,
    networkMbps,
    runMs: seconds * 1_050,
    oomRate: 0,
  };
  HISTORIES.set(task, history);
  return history;
}

function snakeHistory(task: PastKind["task"]) {
  const { samples, ramP95Mb, ramMaxMb, cpuMs, diskBytes, networkMbps, runMs } = historyOf(task);
  return {
    samples,
    ram_p95_mb: ramP95Mb,
    ram_max_mb: ramMaxMb,
    cpu_ms: cpuMs,
    disk_bytes: diskBytes,
    network_mbps: networkMbps,
    run_ms: runMs,
    oom_rate: 0,
  };
}

function best<T extends object>(list: readonly T[], score: (one: T) => number): T {
  let found = list[0]!;
  let most = Number.NEGATIVE_INFINITY;
  for (const one of list) {
    const points = score(one);
    if (points > most) [found, most] = [one, points];
  }
  return found;
}
