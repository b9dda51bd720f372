/**
 * The pipeline of starts and ends: reports of all sessions, one transaction a beat.
 *
 * A report counts only with (job, attempt, token) of a lease that stands. What the statements do
 * not return was refused: it is looked at again, by itself, in `#refused`.
 */
import { resolveReport, resolveUnstorable } from "../core/job_end.ts";
import { SECONDS_PER_POINT } from "../core/rank.ts";
import type { Sql, Transaction } from "../db/client.ts";
import { ROWS_MAX } from "../db/row_arrays.ts";
import { type EndedRow, endJobs, endPlainJobs } from "../db/statements/end_jobs.ts";
import { lockLive, readLeases, recordedAttempts } from "../db/statements/leases.ts";
import type { ReadyRow } from "../db/statements/ready_rows.ts";
import { resolveDependents } from "../db/statements/resolve_dependents.ts";
import { returnJobs } from "../db/statements/return_jobs.ts";
import { startJobs } from "../db/statements/start_jobs.ts";
import type { FinishedReport } from "../messages/frames.ts";
import type { EngineContext } from "./context.ts";
import { type End, endOf, type Lease, stopJobActor } from "./lease.ts";
import { Pipeline, rest } from "./pipeline.ts";
import { Records } from "./records.ts";

/** Where the answers about a lease go: the session that reported. */
export interface Reporter {
  readonly id: number;
  recorded(
    lease: { id: string; attempt: number; token: string },
    accepted: boolean,
    why?: string,
  ): void;
  /** The lease is over: forget it. */
  release(lease: Lease): void;
}

type EndItem = {
  kind: "end";
  lease: Lease;
  from: Reporter;
  end: End;
  report: FinishedReport | null;
};
type Item = { kind: "start"; lease: Lease; from: Reporter } | EndItem;

interface Written {
  /** One statement wrote them: what it left out may still stand. */
  alone: boolean;
  started: Set<string>;
  ended: Map<string, EndedRow>;
  returned: ReadyRow[];
  ready: ReadyRow[];
  failed: EndedRow[];
}

export interface EnderListener {
  /** Jobs that stand in the line now, in this beat's order. */
  ready(rows: ReadyRow[]): void;
  /** Jobs that ended, with those that a bad end took along. */
  ended(rows: EndedRow[], leases: { lease: Lease; end: End }[]): void;
}

export class Ender {
  readonly #context: EngineContext;
  readonly #listener: EnderListener;
  readonly #pipeline: Pipeline<Item, Written>;
  #stopped = false;

  constructor(context: EngineContext, listener: EnderListener) {
    this.#context = context;
    this.#listener = listener;
    this.#pipeline = new Pipeline({
      name: "ends",
      sql: context.database.ends,
      log: context.log,
      max: context.options.beatItems,
      write: (tx, items, beat) => this.#write(tx, items, beat),
      writeAlone: (sql, items, beat) => this.#writeAlone(sql, items, beat),
      committed: (items, written) => this.#committed(items, written),
      onBad: (item, error) => this.#bad(item, error),
    });
  }

  /** Reports that wait for the next beat. */
  get size(): number {
    return this.#pipeline.size;
  }

  idle(): Promise<void> {
    return this.#pipeline.idle();
  }

  stop(): void {
    this.#stopped = true;
    this.#pipeline.stop();
  }

  start(from: Reporter, leases: Lease[]): void {
    this.#pipeline.add(leases.map((lease) => ({ kind: "start", lease, from })));
  }

  end(from: Reporter, ends: { lease: Lease; end: End; report: FinishedReport | null }[]): void {
    this.#pipeline.add(ends.map((e) => ({ kind: "end", from, ...e })));
  }

  /** A report for a lease that this session does not hold: already on record, or lost. */
  async settleUnknown(from: Reporter, reports: FinishedReport[]): Promise<void> {
    const jobs = [...new Set(reports.map((r) => r.job))];
    const known = await this.#surely(() => recordedAttempts(this.#context.database.beats, jobs));
    const records = new Records(known);
    for (const r of reports) {
      const lease = { id: r.job, attempt: r.attempt, token: r.token };
      const same = records.holds(lease, r.outcome);
      from.recorded(lease, same, same ? "repeated" : "lease_lost");
    }
  }

  /** Asks until the database answers: a worker waits for a word about what it has reported. */
  async #surely<R>(ask: () => Promise<R>): Promise<R> {
    for (let pause = 50; ; pause = Math.min(pause * 2, 2_000)) {
      try {
        return await ask();
      } catch (error) {
        if (this.#stopped) throw error;
        this.#context.log.warn({ error: String(error) }, "reports wait for the database");
        await rest(pause);
      }
    }
  }

  // One beat

  async #write(tx: Transaction, items: Item[], beat: string): Promise<Written> {
    const ending = new Set<string>();
    for (const item of items) if (item.kind === "end") ending.add(item.lease.token);
    const starts = items.filter((i) => i.kind === "start" && !ending.has(i.lease.token));
    const ends = items.filter((i) => i.kind === "end");
    const finals = ends.flatMap((i) => ("final" in i.end ? [i.end.final] : []));
    const returns = ends.flatMap((i) => ("returned" in i.end ? [i.end.returned] : []));
    // One connection: these travel together and run in this order. The lock comes first, for all and
    // in one order: what waits for a submission by one of these jobs must see what it wrote.
    const [, , started, ended, returned] = await Promise.all([
      tx.unsafe("insert into beat (id) values ($1)", [beat], { prepare: true }),
      lockLive(
        tx,
        items.map((i) => i.lease.id),
      ),
      startJobs(
        tx,
        starts.map(({ lease }) => ({
          job: lease.id,
          session: lease.session,
          token: lease.token,
          startedAt: lease.startedAt ?? this.#context.clock.now(),
          timeoutSeconds: lease.timeoutSeconds,
        })),
      ),
      endJobs(tx, finals),
      returnJobs(tx, returns, SECONDS_PER_POINT),
    ]);
    const below = ended.some((e) => e.has_dependents)
      ? await resolveDependents(tx, ended, SECONDS_PER_POINT)
      : { ready: [], failed: [] };
    return {
      alone: false,
      started: new Set(started),
      ended: new Map(ended.map((e) => [e.id, e])),
      returned,
      ...below,
    };
  }

  /** Final ends of jobs that nothing depends on, as nearly all are: three round trips less. */
  #writeAlone(sql: Sql, items: Item[], beat: string): Promise<Written> | undefined {
    const finals = items.flatMap((i) =>
      i.kind === "end" && i.lease.plain && "final" in i.end ? [i.end.final] : [],
    );
    if (finals.length < items.length || finals.length > ROWS_MAX) return undefined;
    return endPlainJobs(sql, finals, beat).then((ended) => ({
      alone: true,
      started: new Set(),
      ended: new Map(ended.map((e) => [e.id, e])),
      returned: [],
      ready: [],
      failed: [],
    }));
  }

  #committed(items: Item[], written: Written | undefined): void {
    const refused: Item[] = [];
    const done: { lease: Lease; end: End }[] = [];
    const back = new Set(written?.returned.map((r) => r.id));
    const twice = endedTwice(items);
    for (const item of items) {
      if (item.kind === "start") {
        if (written?.started.has(item.lease.id)) item.lease.actor.send({ type: "start" });
        continue;
      }
      const { id } = item.lease;
      if (twice.has(id) || (!written?.ended.has(id) && !back.has(id))) {
        refused.push(item);
        continue;
      }
      done.push(item);
      item.lease.actor.send({ type: item.end.event });
      stopJobActor(item.lease.actor);
      item.from.release(item.lease);
      if (item.report) item.from.recorded(item.lease, true);
    }
    if (done.length > 0) this.#context.bus.tell("attempts.ended", { ends: done });
    if (written) {
      const ready = [...written.returned, ...written.ready];
      this.#listener.ended([...written.ended.values(), ...written.failed], done);
      if (ready.length > 0) this.#listener.ready(ready);
    }
    this.#context.bus.tell("events.committed", {});
    if (refused.length === 0) return;
    if (!written?.alone) {
      void this.#refused(refused);
      return;
    }
    // Held or changed by somebody at that moment, or not plain any more: again, with locks.
    for (const item of refused) item.lease.plain = false;
    this.#pipeline.add(refused);
  }

  /**
   * Refused ends. On record already: accepted, repeated. Still leased by the same token: a cancel was
   * asked meanwhile and wins over a return. Else the lease is lost: a newer attempt or a final job.
   */
  async #refused(items: Item[]): Promise<void> {
    try {
      const ids = items.map((i) => i.lease.id);
      const { beats } = this.#context.database;
      const [recorded, standing] = await this.#surely(() =>
        Promise.all([recordedAttempts(beats, ids), readLeases(beats, ids)]),
      );
      const records = new Records(recorded);
      const rows = new Map(standing.map((s) => [s.id, s]));
      for (const item of items) {
        if (item.kind !== "end") continue;
        const { lease, from } = item;
        const row = rows.get(lease.id);
        if (row?.token === lease.token && row.session_id === lease.session) {
          lease.cancelRequested = row.cancel_requested;
          lease.requeueRequested = row.cancel_requeue;
          lease.cancelActor = row.cancel_actor;
          lease.cancelReason = row.cancel_reason;
          this.#pipeline.add([{ ...item, end: this.#again(item) }]);
          continue;
        }
        from.release(lease);
        stopJobActor(lease.actor);
        const { report } = item;
        const same = report && records.holds(lease, report.outcome);
        if (item.report) from.recorded(lease, same === true, same ? "repeated" : "lease_lost");
      }
    } catch (error) {
      // The workers still hold these reports and repeat them at the next hello.
      this.#context.log.error({ error: String(error) }, "refused ends could not be settled");
    }
  }

  /** The same end, unless a cancel was asked meanwhile. */
  #again(item: Extract<Item, { kind: "end" }>): End {
    const { lease, report } = item;
    if (!lease.cancelRequested) return item.end;
    const ending = resolveReport(report?.outcome ?? "released", report?.reason, lease);
    return endOf(lease, ending, {
      at: this.#context.clock.now(),
      random: Math.random(),
      ...(report ? { report } : {}),
    });
  }

  /** Alone in its transaction and still refused by its types: the job ends with a reason. */
  #bad(item: Item, error: unknown): Item | null {
    this.#context.log.error(
      { job: item.lease.id, error: String(error) },
      "a report could not be stored",
    );
    if (item.kind === "start") return null;
    if ("final" in item.end && item.end.final.reason === "unstorable_report") return null;
    const end = endOf(item.lease, resolveUnstorable(item.lease), {
      at: this.#context.clock.now(),
      random: 0,
      error: "The worker's report could not be stored.",
    });
    return { ...item, end };
  }
}

/**
 * Jobs of which a beat brought the ends of two attempts, as after an outage: only one of them can have
 * been written, and what the statements return does not say which.
 */
function endedTwice(items: Item[]): Set<string> {
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const { kind, lease } of items) {
    if (kind !== "end") continue;
    if (seen.has(lease.id)) twice.add(lease.id);
    seen.add(lease.id);
  }
  return twice;
}
