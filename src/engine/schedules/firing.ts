/**
 * One due time, one transaction: the row that says what became of it, the submission, and the next due time
 * commit together. Whoever dies before leaves nothing, and whoever comes after finds what was done.
 */
import { type Overlap, onOverlap } from "../../core/schedules/overlap.ts";
import { nextStep, type Step } from "../../core/schedules/step.ts";
import type { Transaction } from "../../db/client.ts";
import { lacksPartition } from "../../db/missing_partition.ts";
import {
  endWaiting,
  insertFire,
  type NewFire,
  type OpenFire,
  openFires,
} from "../../db/statements/schedules/fires.ts";
import {
  lockSchedule,
  readSchedule,
  type ScheduleRow,
  settleSchedule,
} from "../../db/statements/schedules/rows.ts";
import type { Actions } from "../actions.ts";
import type { EngineContext } from "../context.ts";
import { InvalidInput } from "../engine.ts";
import { sqlState, transact } from "../pipeline.ts";
import { dueAfter, standingOf } from "./standing.ts";
import type { Ready, Submitter } from "./submitter.ts";

/** Whether whoever asks may still do so: the first statement of each transaction. */
export type Leads = (tx: Transaction) => Promise<boolean>;

/** A due time that is being dealt with. */
export interface Occasion {
  nominal: number;
  kind: NewFire["kind"];
  lateMs: number;
  askedBy: string | null;
}

export type Fate = Pick<NewFire, "state" | "job" | "workflow" | "reason">;
export interface Dealt {
  fate: Fate;
  tell(): void;
}
const nothing = () => {};

/** That due time has its row already: what was about to be submitted is taken back. */
class DealtWith extends Error {}

export class Firing {
  readonly #context: EngineContext;
  readonly #submitter: Submitter;
  readonly #actions: Pick<Actions, "cancelWithin" | "cancelWorkflowWithin">;
  readonly #now: () => number;

  constructor(
    context: EngineContext,
    parts: {
      submitter: Submitter;
      actions: Pick<Actions, "cancelWithin" | "cancelWorkflowWithin">;
      now: () => number;
    },
  ) {
    this.#context = context;
    this.#submitter = parts.submitter;
    this.#actions = parts.actions;
    this.#now = parts.now;
  }

  /**
   * The next step of a schedule, in a pass that began at `since`. False where it has none now, or somebody
   * else has done it.
   */
  async step(id: string, leads: Leads, since: number): Promise<boolean> {
    const seen = await readSchedule(this.#context.database.intake, id);
    if (seen === null || seen.paused_ms !== null) return false;
    const now = this.#now();
    const step = nextStep(standingOf(seen), now, since);
    if (step.kind !== "fire")
      return this.#commit(seen, leads, (tx) => this.#pass(tx, seen, step, now));
    const { due } = step;
    const kind = step.isMissed ? "missed" : "due";
    const occasion: Occasion = { nominal: due.nominal, kind, lateMs: now - due.at, askedBy: null };
    try {
      return await this.#tried(
        () => this.#submitter.prepare(seen, due.nominal),
        (ready) => this.#commit(seen, leads, (tx) => this.#fire(tx, seen, occasion, ready)),
        (reason) => this.#commit(seen, leads, (tx) => this.#refuse(tx, seen, occasion, reason)),
      );
    } catch (error) {
      if (!(error instanceof DealtWith)) throw error;
      this.#context.log.warn(
        { schedule: seen.name, due: due.nominal },
        "a due time had fired before",
      );
      return this.#commit(seen, leads, (tx) => this.#goOn(tx, seen, due.nominal));
    }
  }

  /** Submits the oldest run that waits, once those before it have ended. False where it is not to. */
  async release(id: string, leads: Leads): Promise<boolean> {
    const { intake } = this.#context.database;
    const seen = await readSchedule(intake, id);
    if (seen === null || seen.paused_ms !== null) return false;
    const first = nextInLine(await openFires(intake, id));
    if (first === null) return false;
    const nominal = first.nominal_ms;
    const end = async (tx: Transaction, dealt: Dealt) => {
      await endWaiting(tx, { schedule: id, nominal, ...dealt.fate, at: Math.floor(this.#now()) });
      return dealt.tell;
    };
    const refused = (reason: string): Dealt => ({
      fate: { state: "refused", reason },
      tell: nothing,
    });
    return this.#tried(
      () => this.#submitter.prepare(seen, nominal),
      (ready) =>
        this.#commit(seen, leads, async (tx) => {
          const still = nextInLine(await openFires(tx, id));
          return still?.nominal_ms === nominal ? end(tx, await this.#submit(tx, ready)) : nothing;
        }),
      (reason) => this.#commit(seen, leads, (tx) => end(tx, refused(reason))),
    );
  }

  /** Inside a transaction that holds the row: what the overlap policy makes of a run. */
  async deal(tx: Transaction, row: ScheduleRow, ready: Ready): Promise<Dealt> {
    const open = await openFires(tx, row.id);
    const live = open.filter((fire) => fire.is_live);
    const waiting = open.filter((fire) => fire.state === "waiting").length;
    const decision = onOverlap(row.overlap as Overlap, live.length, waiting);
    switch (decision.kind) {
      case "skip":
        return { fate: { state: "skipped", reason: decision.reason }, tell: nothing };
      case "wait":
        return { fate: { state: "waiting" }, tell: nothing };
      case "submit":
        return this.#submit(tx, ready);
      case "replace": {
        const told = await this.#cancel(tx, row, live);
        const { fate, tell } = await this.#submit(tx, ready);
        const all = [...told, tell];
        return { fate, tell: () => all.forEach((say) => void say()) };
      }
    }
  }

  async #submit(tx: Transaction, ready: Ready): Promise<Dealt> {
    const { job, workflow, tell } = await this.#submitter.submit(tx, ready);
    return { fate: { state: "submitted", job, workflow }, tell };
  }

  async #cancel(tx: Transaction, row: ScheduleRow, live: OpenFire[]): Promise<(() => void)[]> {
    const actor = `schedule ${row.name}`;
    const reason = "replaced by the next run of its schedule";
    const jobs = live.flatMap(({ job_id: job }) => (job === null ? [] : [job]));
    const told = jobs.length > 0 ? [await this.#actions.cancelWithin(tx, jobs, actor, reason)] : [];
    for (const { workflow_id: id } of live) {
      if (id === null) continue;
      told.push(await this.#actions.cancelWorkflowWithin(tx, id, actor, reason));
    }
    return told;
  }

  async #fire(tx: Transaction, row: ScheduleRow, occasion: Occasion, ready: Ready) {
    const { fate, tell } = await this.deal(tx, row, ready);
    if (!(await this.#note(tx, row, occasion, fate))) throw new DealtWith();
    return tell;
  }

  async #refuse(tx: Transaction, row: ScheduleRow, occasion: Occasion, reason: string) {
    await this.#note(tx, row, occasion, { state: "refused", reason });
    return nothing;
  }

  async #goOn(tx: Transaction, row: ScheduleRow, settled: number) {
    await settleSchedule(tx, row.id, { settled, dueAt: dueAfter(row, settled), fired: null });
    return nothing;
  }

  /** What became of it, and where the schedule goes on. False where that due time was dealt with before. */
  async #note(tx: Transaction, row: ScheduleRow, occasion: Occasion, fate: Fate): Promise<boolean> {
    const { nominal } = occasion;
    const isFirst = await this.record(tx, row.id, occasion, fate);
    const isFired = fate.state !== "skipped" && fate.state !== "refused";
    await settleSchedule(tx, row.id, {
      settled: nominal,
      dueAt: dueAfter(row, nominal),
      fired: isFired ? nominal : null,
    });
    return isFirst;
  }

  /** False where that due time has been dealt with before. */
  record(tx: Transaction, schedule: string, occasion: Occasion, fate: Fate): Promise<boolean> {
    const at = Math.floor(this.#now());
    const isOut = fate.state === "submitted";
    const sent = isOut ? { firedAt: at, lateMs: Math.max(0, occasion.lateMs) } : {};
    const { nominal, kind, askedBy } = occasion;
    return insertFire(tx, { schedule, nominal, kind, askedBy, at, ...fate, ...sent });
  }

  /** Nothing fires: due times are left out, or the row says wrongly that one is due. */
  async #pass(
    tx: Transaction,
    row: ScheduleRow,
    step: Exclude<Step, { kind: "fire" }>,
    now: number,
  ) {
    if (step.kind !== "skip") {
      const dueAt = step.kind === "wait" ? step.due.at : null;
      await settleSchedule(tx, row.id, { settled: row.settled_ms, dueAt, fired: null });
      return nothing;
    }
    const { through: nominal, count, isMore } = step;
    const isOfPause = row.resumed_ms !== null && nominal <= row.resumed_ms;
    await insertFire(tx, {
      ...{ schedule: row.id, nominal, kind: "missed", state: "skipped", missed: count },
      reason: isOfPause
        ? "it was due while the schedule was paused"
        : "no server was there in time",
      at: Math.floor(now),
    });
    if (isMore)
      this.#context.log.info({ schedule: row.name, count }, "more due times were skipped");
    return this.#goOn(tx, row, nominal);
  }

  /** Tells after the commit. False where the schedule is not what it was, or another server leads. */
  async #commit(
    seen: ScheduleRow,
    leads: Leads,
    act: (tx: Transaction) => Promise<() => void>,
  ): Promise<boolean> {
    const tell = await transact(this.#context.database.intake, async (tx) => {
      if (!(await leads(tx))) return null;
      const row = await lockSchedule(tx, seen.id);
      return row?.revision === seen.revision && row.paused_ms === null ? act(tx) : null;
    });
    tell?.();
    return tell !== null;
  }

  /** What can never be submitted is refused, so that the schedule goes on with the next due time. */
  async #tried(
    prepare: () => Promise<Ready>,
    act: (ready: Ready) => Promise<boolean>,
    refuse: (reason: string) => Promise<boolean>,
  ): Promise<boolean> {
    try {
      return await act(await prepare());
    } catch (error) {
      if (!isFinal(error)) throw error;
      this.#context.log.warn({ error: String(error) }, "a schedule could not submit its run");
      return refuse((error as Error).message);
    }
  }
}

function isFinal(error: unknown): boolean {
  if (error instanceof InvalidInput) return true;
  return /^2[23]/.test(sqlState(error) ?? "") && !lacksPartition(error);
}

/** The oldest that waits, where nothing lives any more. */
function nextInLine(open: readonly OpenFire[]): OpenFire | null {
  if (open.some((fire) => fire.is_live)) return null;
  return open.find((fire) => fire.state === "waiting") ?? null;
}
