/**
 * The aggregator: computes rollups and rankings behind a stored watermark, one replica at a time.
 *
 * A pass looks which minutes were touched since the last one, whenever they were, and computes each of
 * them whole; minutes make hours, hours days, days weeks. Downtime only makes a pass longer, and what
 * comes late only touches an old minute. Each step is a transaction that nobody else can do at once.
 */
import { Cron } from "croner";
import { BUCKET_MS, bucketStart, coarser, type Granularity } from "../../core/metrics/buckets.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { ensurePartitionsFor } from "../../db/partitions.ts";
import { writeNameRuns } from "../../db/statements/background/write_name_runs.ts";
import { readHorizon } from "../../db/statements/read_events.ts";
import { holdRole, leaveRole, stillLeads } from "../../db/statements/replicas.ts";
import { floorFor } from "../../db/statements/rollups/floors.ts";
import {
  clearDirty,
  dirtyBuckets,
  markDirty,
  moveProgress,
  type Progress,
  readProgress,
  touchedMinutes,
} from "../../db/statements/rollups/progress.ts";
import { countRevision } from "../../db/statements/rollups/revision.ts";
import { writeCatalogue } from "../../db/statements/rollups/write_catalogue.ts";
import { writeGauges } from "../../db/statements/rollups/write_gauges.ts";
import { writeRankings } from "../../db/statements/rollups/write_rankings.ts";
import { writeCoarser, writeMinutes } from "../../db/statements/rollups/write_rollups.ts";
import { openUpkeep } from "../../db/upkeep.ts";
import type { EngineContext } from "../context.ts";
import { transact } from "../pipeline.ts";
import type { Service } from "../service.ts";
import { floorOf, keepMarks } from "./reader_marks.ts";

const ROLE = "aggregator";
/** A step is far shorter; whoever dies in one is followed after this long. */
const ROLE_SECONDS = 60;
const MARKS_MAX = 64;
/** Ends that waited out a long outage are this old at most when they are written. */
const LATEST_MS = 4 * 86_400_000;
/** Minutes that lookers may still be adding to: computed again in every pass. */
const SAMPLED_MS = 2 * 60_000;
/** Minutes computed together: as many as take about this long. */
const STEP_MS = 500;
const MINUTES_MAX = 60;
/**
 * While much waits, what is ready is shown this often; but each time a day's and a week's buckets are summed
 * anew, which over a month of a million jobs took more than half of all time. At most this share of it.
 */
const SUM_EVERY_MS = 3_000;
const SUM_SHARE = 0.1;

export class Aggregator implements Service {
  readonly name = "aggregator";
  readonly #context: EngineContext;
  #sql: Sql | undefined;
  #cron: Cron | undefined;
  #running: Promise<void> | undefined;
  #stopped = true;
  #minutesAStep = 5;
  #isListed = false;
  #computed = 0;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#sql = openUpkeep(this.#context.database.url);
    const interval = this.#context.options.rollupIntervalSeconds;
    this.#cron = new Cron("* * * * * *", { interval, protect: true, unref: true }, () =>
      this.pass(),
    );
    void this.pass();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cron?.stop();
    await this.#running;
    const { database, replicaId } = this.#context;
    await leaveRole(database.beats, ROLE, replicaId).catch(() => {});
    await this.#sql?.end({ timeout: 2 });
  }

  /** A pass that begins now, after the one that runs. Never throws: the next does what this could not. */
  pass(): Promise<void> {
    this.#running = (this.#running ?? Promise.resolve())
      .then(() => this.#recorded())
      .catch((error) => {
        if (this.#stopped) return;
        this.#context.log.warn({ error: String(error) }, "rollups were not computed");
      });
    return this.#running;
  }

  async #recorded(): Promise<void> {
    await this.#context.maintenance.pass(
      "rollups",
      () => this.#pass(),
      (minutes) => (minutes > 0 ? { success: minutes } : null),
    );
  }

  /** Answers how many minutes it has computed. */
  async #pass(): Promise<number> {
    this.#computed = 0;
    if (this.#stopped || !(await this.#mark())) return 0;
    if (!this.#isListed) await writeCatalogue(this.#sql!);
    this.#isListed = true;
    let nextSum = performance.now() + SUM_EVERY_MS;
    while (await this.#minutes()) {
      const from = performance.now();
      if (from < nextSum) continue;
      await this.#sum();
      const to = performance.now();
      nextSum = to + Math.max(SUM_EVERY_MS, (to - from) / SUM_SHARE);
    }
    await this.#sum();
    return this.#computed;
  }

  /** What minutes changed, into hours, days and weeks. */
  async #sum(): Promise<void> {
    for (const granularity of ["hour", "day", "week"] as const) {
      while (await this.#coarser(granularity));
    }
    this.#context.bus.tell("rollups.computed", {});
  }

  /** Moves the watermark and marks what was touched. False where another replica leads. */
  async #mark(): Promise<boolean> {
    const sql = this.#sql!;
    const before = await readProgress(sql);
    const { xmin, next, ids } = await readHorizon(sql);
    const now = this.#context.clock.now();
    const from = before?.horizon ?? "0";
    const marks = [...(before?.marks ?? []), { next, ids }];
    const floor = floorOf(before?.marks ?? [], from);
    // Until a mark bounds the read, what was there before the first look is still to be read, of whatever
    // age: somebody's open transaction may have kept it from that look.
    const sinceMs = before && floor > 0 ? before.completeUntil - LATEST_MS : 0;
    const minutes = await touchedMinutes(sql, { from, to: xmin, floor, ids, sinceMs });
    const first = earliest(minutes, before?.knownFrom ?? now);
    const sampled = Math.min(now, before?.completeUntil ?? now) - SAMPLED_MS;
    for (let at = bucketStart("minute", sampled); at <= now; at += BUCKET_MS.minute)
      minutes.add(at);
    const kept = keepMarks(marks, xmin, MARKS_MAX);
    const after: Progress = { horizon: xmin, marks: kept, completeUntil: now, knownFrom: first };
    const moved = await this.#lead(async (tx) => {
      if (!(await moveProgress(tx, before, after))) return false;
      await markDirty(tx, "minute", minutes);
      return true;
    });
    return moved === true;
  }

  /**
   * The newest minutes, and those soon before them: what lies between is computed too, and comes out as
   * it was. True where more may wait.
   */
  async #minutes(): Promise<boolean> {
    if (this.#stopped) return false;
    const dirty = await dirtyBuckets(this.#sql!, "minute", this.#minutesAStep);
    if (dirty.length === 0) return false;
    const first = dirty[0]! - this.#minutesAStep * BUCKET_MS.minute;
    const minutes = dirty.filter((at) => at > first).reverse();
    await this.#room("rollup_minute", await this.#computable("minute", minutes));
    const began = performance.now();
    const done = await this.#lead(async (tx) => {
      await clearDirty(tx, "minute", minutes);
      const whole = await this.#computable("minute", minutes, tx);
      if (whole.length === 0) return;
      const [from, to] = [whole[0]!, whole.at(-1)! + BUCKET_MS.minute];
      await writeMinutes(tx, from, to);
      await writeGauges(tx, from, to);
      await writeRankings(tx, from, to);
      await writeNameRuns(tx, from, to);
      await countRevision(tx, from + BUCKET_MS.minute);
      await markDirty(tx, "hour", startsIn("hour", whole));
    });
    if (done !== null) this.#computed += minutes.length;
    const isQuick = performance.now() - began < STEP_MS / 2;
    const isSlow = performance.now() - began > STEP_MS * 2;
    if (isQuick) this.#minutesAStep = Math.min(MINUTES_MAX, this.#minutesAStep * 2);
    else if (isSlow) this.#minutesAStep = Math.max(1, Math.floor(this.#minutesAStep / 2));
    return done !== null;
  }

  async #coarser(granularity: "hour" | "day" | "week"): Promise<boolean> {
    if (this.#stopped) return false;
    const [bucket] = await dirtyBuckets(this.#sql!, granularity, 1);
    if (bucket === undefined) return false;
    if (granularity === "hour") {
      await this.#room("rollup_hour", await this.#computable("hour", [bucket]));
    }
    const next = coarser(granularity);
    const done = await this.#lead(async (tx) => {
      await clearDirty(tx, granularity, [bucket]);
      if ((await this.#computable(granularity, [bucket], tx)).length === 0) return;
      const end = bucket + BUCKET_MS[granularity];
      await writeCoarser(tx, granularity, bucket, end);
      await countRevision(tx, end);
      if (next) await markDirty(tx, next, [bucketStart(next, bucket)]);
    });
    return done !== null;
  }

  /**
   * Those whose rows are all still there. What retention has taken the rows of stays as it was computed,
   * whatever comes late. In a transaction, it takes no more of them until that has ended.
   */
  async #computable(of: Granularity, buckets: readonly number[], tx?: Transaction) {
    const floor = await floorFor(of, tx ?? this.#sql!, tx !== undefined);
    const whole = buckets.filter((at) => at >= floor);
    const left = buckets.length - whole.length;
    if (left > 0 && tx) {
      const facts = { granularity: of, buckets: left };
      this.#context.log.warn(facts, "what came too late is not in the rollups any more");
    }
    return whole;
  }

  /** Buckets of the past may lie before the partitions that are made ahead. */
  async #room(table: "rollup_minute" | "rollup_hour", buckets: readonly number[]): Promise<void> {
    if (buckets.length > 0) await ensurePartitionsFor(this.#sql!, table, buckets);
  }

  /** Null where this replica does not lead, or does not any more. */
  async #lead<R>(work: (tx: Transaction) => Promise<R>): Promise<R | null> {
    const { database, replicaId } = this.#context;
    const term = await holdRole(database.beats, ROLE, replicaId, ROLE_SECONDS);
    if (term === null) return null;
    return await transact(this.#sql!, async (tx) =>
      (await stillLeads(tx, ROLE, term)) ? await work(tx) : null,
    );
  }
}

function startsIn(granularity: Granularity, moments: readonly number[]): Set<number> {
  return new Set(moments.map((at) => bucketStart(granularity, at)));
}

function earliest(minutes: ReadonlySet<number>, known: number): number {
  let first = known;
  for (const at of minutes) first = Math.min(first, at);
  return first;
}
