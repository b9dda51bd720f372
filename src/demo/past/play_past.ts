/**
 * Plays the past, event by event: submissions come, jobs wait for each other and for slots, run, fail,
 * are tried again, and end. Nothing is written here; what is finished is handed out. Pure but for dice.
 */
import { backoffMs } from "../../core/backoff.ts";
import type { Submission } from "../cast/task.ts";
import type { Dice } from "../dice.ts";
import { perform } from "../play/perform.ts";
import { Heap } from "./heap.ts";
import { pastId } from "./ids.ts";
import type { Casting } from "./new_submission.ts";
import { type Chosen, type KeepContext, PastDispatcher } from "./past_dispatcher.ts";
import type { FinalState, PastAttempt, PastJob, PastSample, PastSubmission } from "./past_job.ts";
import type { PastWorker } from "./past_worker.ts";

export interface PastPlay {
  dice: Dice;
  workers: readonly PastWorker[];
  casting: Casting;
  orgNames: ReadonlyMap<number, string>;
  keep: KeepContext;
}

export type Finished = { submission: PastSubmission } | { sample: PastSample };

type Event = { at: number } & (
  | { what: "arrives"; submission: Submission }
  | { what: "due"; job: PastJob }
  | { what: "adds"; attempt: PastAttempt }
  | { what: "ends"; attempt: PastAttempt }
  | { what: "look" }
);

/** Of all attempts, so many are cancelled while they run, and lost with workers that crash. */
const CANCELLED = 0.006;
const LOST = 0.012;
const LOST_MAX = 2;
/** A job that extends its workflow does so this long before it ends. */
const ADDS_BEFORE_MS = 250;

export class PlayedPast {
  readonly #play: PastPlay;
  readonly #dispatcher: PastDispatcher;
  readonly #events = new Heap<Event>();
  readonly #byId: ReadonlyMap<number, PastWorker>;
  #finished: Finished[] = [];

  constructor(play: PastPlay) {
    this.#play = play;
    this.#dispatcher = new PastDispatcher(play.workers, play.orgNames, play.keep);
    this.#byId = new Map(play.workers.map((worker) => [worker.id, worker]));
  }

  submit(at: number, submission: Submission): void {
    this.#events.put({ at, what: "arrives", submission });
  }

  look(at: number): void {
    this.#events.put({ at, what: "look" });
  }

  /** All that finishes up to this moment, in the order of time. */
  *until(ms: number): Generator<Finished, void, void> {
    for (;;) {
      const event = this.#events.take();
      if (!event) return;
      if (event.at > ms) {
        this.#events.put(event);
        return;
      }
      this.#happen(event);
      yield* this.#finished;
      this.#finished = [];
    }
  }

  #happen(event: Event): void {
    const { at } = event;
    if (event.what === "arrives") this.#arrive(event.submission, at);
    else if (event.what === "due") this.#ready(event.job, at);
    else if (event.what === "adds") this.#add(event.attempt, at);
    else if (event.what === "ends") this.#end(event.attempt);
    else this.#finished.push({ sample: this.#sample(at) });
  }

  #arrive(submission: Submission, at: number): void {
    const { jobs } = this.#play.casting.accept(submission, at, this.#play.dice);
    for (const job of jobs) if (job.pending === 0) this.#ready(job, at);
  }

  #ready(job: PastJob, at: number, risen = true): void {
    job.readyAt = at;
    job.risen = risen;
    const chosen = this.#dispatcher.ready(job, at);
    if (chosen) this.#begin(chosen, at);
  }

  #begin({ job, worker, decision }: Chosen, at: number): void {
    const { dice } = this.#play;
    const number = job.attempts.length + 1;
    const performance = perform(job.kind.task, dice, number, worker.role.speed);
    const dispatchedAt = at + 2 + dice.next() * 9;
    const startedAt = dispatchedAt + 1 + dice.next() * 14;
    const attempt: PastAttempt = {
      job,
      number,
      worker: worker.id,
      session: worker.sessionAt(dispatchedAt),
      queuedAt: job.queuedAt,
      eligibleAt: job.eligibleAt,
      readyAt: job.readyAt,
      risen: job.risen,
      dispatchedAt,
      startedAt,
      endedAt: startedAt + performance.runMs,
      ...{
        outcome: "succeeded",
        stateAfter: "succeeded",
        reason: null,
        error: null,
        askedAt: null,
      },
      performance,
      decision: { ...decision, beat: pastId(dispatchedAt, dice) },
    };
    this.#decideEnd(attempt, worker);
    job.attempts.push(attempt);
    if (attempt.outcome === "succeeded" && job.kind.task.extends) {
      const when = Math.max(startedAt, attempt.endedAt - ADDS_BEFORE_MS);
      this.#events.put({ at: when, what: "adds", attempt });
    }
    this.#events.put({ at: attempt.endedAt, what: "ends", attempt });
  }

  /** What becomes of it stands when it begins: its performance, or what comes between. */
  #decideEnd(attempt: PastAttempt, { role }: PastWorker): void {
    const { dice } = this.#play;
    const { job, performance } = attempt;
    const limitMs = (job.input.timeout_seconds ?? Number.POSITIVE_INFINITY) * 1_000;
    const cut = attempt.startedAt + performance.runMs * (0.2 + dice.next() * 0.6);
    if (role.habit === "crashes" && dice.chance(LOST) && job.attempts.length < LOST_MAX) {
      Object.assign(attempt, { outcome: "lost", stateAfter: "ready", reason: "worker_lost" });
      attempt.endedAt = cut;
    } else if (dice.chance(CANCELLED)) {
      Object.assign(attempt, { outcome: "cancelled", stateAfter: "cancelled", askedAt: cut });
      attempt.endedAt = cut + 350;
    } else if (performance.runMs > limitMs) {
      attempt.endedAt = attempt.startedAt + limitMs + 350;
      this.#fail(attempt, "timed_out", "timeout", "the job's time was over");
    } else if (performance.trouble) {
      this.#fail(attempt, "failed", null, performance.trouble.error);
    }
  }

  #fail(
    attempt: PastAttempt,
    outcome: "failed" | "timed_out",
    reason: string | null,
    error: string,
  ): void {
    const { job } = attempt;
    const again = job.failures + 1 < job.maxAttempts;
    Object.assign(attempt, { outcome, reason, error, stateAfter: again ? "queued" : "failed" });
  }

  #add(attempt: PastAttempt, at: number): void {
    const jobs = this.#play.casting.extend(attempt, at, this.#play.dice);
    for (const job of jobs) if (job.pending === 0) this.#ready(job, at);
  }

  #end(attempt: PastAttempt): void {
    const { job, endedAt: at, stateAfter } = attempt;
    const worker = this.#byId.get(attempt.worker)!;
    worker.free(job);
    this.#dispatcher.ended(attempt);
    if (stateAfter === "queued") this.#backOff(job, at);
    else if (stateAfter === "ready") {
      job.queuedAt = at;
      job.eligibleAt = at;
      this.#ready(job, at, false);
    } else {
      if (stateAfter === "failed") job.failures += 1;
      this.#finish(job, stateAfter, at, attempt.reason);
    }
    for (;;) {
      const chosen = this.#dispatcher.offer(worker, at);
      if (!chosen) return;
      this.#begin(chosen, at);
    }
  }

  #backOff(job: PastJob, at: number): void {
    job.failures += 1;
    const { base_seconds = 10, factor = 2, max_seconds = 3_600 } = job.input.backoff ?? {};
    const backoff = { base_seconds, factor, max_seconds };
    const due = at + backoffMs(backoff, job.failures, this.#play.dice.next());
    job.queuedAt = at;
    job.eligibleAt = due;
    this.#events.put({ at: due, what: "due", job });
  }

  #finish(job: PastJob, state: FinalState, at: number, reason: string | null): void {
    if (job.end) return;
    job.end = { at, state, reason };
    for (const dependent of job.dependents) {
      if (dependent.end) continue;
      if (state !== "succeeded") {
        this.#finish(dependent, "dependency_failed", at, `dependency ${job.id} ended ${state}`);
        continue;
      }
      dependent.pending -= 1;
      const ran = job.attempts.at(-1)!.worker;
      if (!dependent.inputWorkers.includes(ran)) dependent.inputWorkers.push(ran);
      if (dependent.pending === 0) this.#ready(dependent, at);
    }
    const { submission } = job;
    submission.alive -= 1;
    submission.endedAt = at;
    if (submission.alive === 0) this.#finished.push({ submission });
  }

  #sample(at: number): PastSample {
    const workers = this.#play.workers.map((worker) => {
      const { scoring, role, org, id, figures } = worker;
      return {
        worker: id,
        org,
        slots: role.slots,
        used: scoring.used,
        ...figures,
        hasHandlers: role.handlers.length > 0,
        cpuPct: scoring.cpuPct ?? 0,
        ramFreeMb: scoring.ramFreeMb ?? 0,
        ramTotalMb: role.ramMb,
      };
    });
    return { at, workers, orgs: this.#dispatcher.work };
  }
}
