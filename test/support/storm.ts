/**
 * A storm: two engines on one database, one of them behind a wire that is cut, workers and callers
 * that do what their dice say; then a calm in which everything must end; then what everybody was
 * told is held against what is on record. One number, the seed, decides all that chance decides.
 */
import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import type { FinishedReport } from "../../src/messages/frames.ts";
import { DatabaseProxy } from "./database_proxy.ts";
import { Dice } from "./dice.ts";
import { Rig, type RigEngine } from "./engine.ts";
import { eventually } from "./eventually.ts";
import { assertOracles } from "./oracles.ts";
import { assertTold } from "./storm_claims.ts";
import { QUEUES, StormUser, Told } from "./storm_user.ts";
import { type StormGround, StormWorker } from "./storm_worker.ts";

const TURNS = 600;
const TURN_MS = 10;
const WORKERS = 6;

/** Transactions that are cut at their COMMIT: ends, leases, submissions, hellos, retries, others. */
const CUT = [
  /insert into dispatched_job/,
  /skip locked\),\s*leased as/,
  /insert into job /,
  /worker_connection/,
  /delete from job_end/,
  /update workflow/,
  /update operation/,
  /resolve|update edge/,
];

/** What an engine may call an error here: nothing but that its wire was cut. */
const LOST_CONNECTION = /CONNECTION_(CLOSED|ENDED|DESTROYED)|ECONNRE|EPIPE|idle-in-transaction/;

const CHANGES = { none: 900, cuts: 4, loses: 10, replaces: 1.5, adds: 1 };

export class Storm implements StormGround {
  readonly #dice: Dice;
  readonly rig: Rig;
  readonly #proxy: DatabaseProxy;
  #running: { own: RigEngine; cut: boolean }[] = [];
  #workers: StormWorker[] = [];
  readonly #user: StormUser;
  readonly told = new Told();
  /** By token. */
  readonly reports = new Map<string, FinishedReport>();
  #restoresAt = 0;
  #turn = 0;
  #replacing: Promise<void> | undefined;

  private constructor(seed: number, rig: Rig, proxy: DatabaseProxy) {
    this.#dice = new Dice(seed);
    this.rig = rig;
    this.#proxy = proxy;
    this.#user = new StormUser(this, this.#dice.fork(), this.told);
  }

  static async start(seed: number): Promise<Storm> {
    const rig = await Rig.bare({ leaseSeconds: 2, graceSeconds: 1 });
    const storm = new Storm(seed, rig, await DatabaseProxy.start(rig.url));
    await storm.#addEngine(false);
    await storm.#addEngine(true);
    await storm.#limit();
    for (let n = 0; n < WORKERS; n++) storm.#addWorker();
    return storm;
  }

  async #addEngine(cut: boolean): Promise<void> {
    const own = await this.rig.addEngine(cut ? { url: this.#proxy.url } : {});
    this.#running.push({ own, cut });
  }

  /** `narrow` takes three at a time and twenty a second. */
  async #limit(): Promise<void> {
    const engine = this.anyEngine();
    for (const queue of QUEUES) {
      await this.rig.submit({ queue }, engine);
      await engine.resumeQueue("default", queue, "storm");
    }
    await this.rig.sql`
      insert into queue_limit (queue_id, concurrency, rate_count, rate_seconds, tokens)
      select id, 3, 20, 1, 20 from queue where name = 'narrow'`;
  }

  // What workers and callers ask

  anyEngine(): Engine {
    return this.#dice.pick(this.#running).own.engine;
  }

  workerUids(): string[] {
    return this.#workers.map((w) => w.uid);
  }

  reported(report: FinishedReport): void {
    if (!this.reports.has(report.token)) this.reports.set(report.token, report);
  }

  hasReported(token: string): boolean {
    return this.reports.has(token);
  }

  added(ids: string[]): void {
    this.told.jobs.push(...ids);
  }

  left(worker: StormWorker): void {
    this.#workers = this.#workers.filter((w) => w !== worker);
    this.#addWorker();
  }

  #addWorker(): StormWorker {
    const n = this.rig.workers.length;
    const dice = this.#dice.fork();
    const worker = new StormWorker(this, dice, {
      name: `storm-${n}`,
      concurrency: dice.between(2, 12),
      handlers: ["work", "build"],
      // Some take everything.
      features: n % 2 === 0 ? ["rare"] : [],
      resources: n % 2 === 0 ? { ram_mb: 2_000, cpus: 4 } : { ram_mb: 1_000, cpus: 1 },
      org: dice.chance(0.3) ? null : "default",
    });
    this.rig.workers.push(worker);
    this.#workers.push(worker);
    return worker;
  }

  // The storm

  async blow(turns = TURNS): Promise<void> {
    for (this.#turn = 1; this.#turn <= turns; this.#turn++) {
      for (const worker of this.#workers) worker.turn();
      this.#user.turn();
      this.#change();
      if (this.#turn === turns >> 1) {
        await assertOracles(this.rig.sql, "in the middle of the storm", { quiet: false });
      }
      await new Promise((done) => setTimeout(done, TURN_MS));
    }
  }

  #change(): void {
    if (this.#restoresAt > 0) {
      if (this.#turn < this.#restoresAt) return;
      this.#restoresAt = 0;
      this.#proxy.restore();
    }
    if (this.#replacing) return;
    switch (this.#dice.weighted(CHANGES)) {
      case "cuts":
        this.#proxy.cut();
        this.#restoresAt = this.#turn + this.#dice.between(1, this.#dice.chance(0.2) ? 200 : 20);
        return;
      case "loses": {
        const what = this.#dice.pick(["lose_answer", "lose_commit"] as const);
        this.#proxy.cutAtCommit(what, this.#dice.pick(CUT), this.#dice.between(1, 3));
        return;
      }
      case "replaces":
        this.#replace();
        return;
      case "adds":
        if (this.#workers.length < WORKERS + 3) this.#addWorker();
    }
  }

  /** One engine stops as on SIGTERM, another starts in its place. */
  #replace(): void {
    const old = this.#dice.pick(this.#running);
    this.#running = this.#running.filter((r) => r !== old);
    // Nothing is planned for the connections of a start: it would fail, and be started again.
    this.#proxy.cutAtCommit("lose_answer", /./, 0);
    this.#replacing = old.own
      .stop()
      .then(() => this.#addEngine(old.cut))
      .catch((error) => {
        this.told.faults.push(`an engine was not replaced: ${error.stack}`);
      })
      .finally(() => {
        this.#replacing = undefined;
      });
  }

  // The calm

  async calm(): Promise<void> {
    this.#proxy.restore();
    this.#proxy.cutAtCommit("lose_answer", /./, 0);
    await eventually(() => !this.#replacing, "an engine stops and another one starts", {
      deadlineMs: 60_000,
    });
    await this.#user.rest();
    // Whom no job knows: a job that everybody else has rejected goes to them.
    for (let n = 0; n < 4; n++) this.#addWorker();
    for (const worker of this.#workers) worker.calmDown();
    const { own } = this.#running.find((r) => !r.cut) ?? this.#running[0]!;
    for (const queue of QUEUES) await own.engine.resumeQueue("default", queue, "storm");
    await own.engine.setDraining(false, "storm");
    for (const id of await this.#openWorkflows()) {
      await own.engine.addToWorkflow(id, [], { close: true }, "storm");
    }
    await this.#empties("select id, kind, state from operation where finished_at is null");
    await this.#empties(
      "select id, state, waiting_for, due_at, attempt, session_id, rejected_by from live_job",
    );
    await this.#empties("select id, state, open from workflow where finished_at is null");
    await eventually(() => {
      this.#turnAll();
      const left = this.#workers.flatMap((w) =>
        [...w.unrecorded.values()].map((r) => ({ by: w.name, session: w.sessionId, ...r })),
      );
      if (left.length === 0) return true;
      throw new Error(`${left.length} are not: ${JSON.stringify(left.slice(0, 4))}`);
    }, "every reported end is answered");
  }

  #turnAll(): void {
    for (const worker of this.#workers) worker.turn();
  }

  async #openWorkflows(): Promise<string[]> {
    const rows = await this.rig.sql`select id from workflow where state = 'open'`;
    return rows.map((r) => r.id as string);
  }

  /** Until this query finds nothing more. */
  async #empties(query: string): Promise<void> {
    await eventually(
      async () => {
        this.#turnAll();
        const rows = await this.rig.sql.unsafe(query);
        if (rows.length === 0) return true;
        throw new Error(`${rows.length} rows: ${JSON.stringify(rows.slice(0, 4))}`);
      },
      `nothing left: ${query}`,
      { deadlineMs: 60_000, everyMs: TURN_MS },
    );
  }

  /** What everybody was told is true. */
  async settle(): Promise<void> {
    const errors = this.rig.engines.flatMap((e) => e.logs.filter((l) => l.level === "error"));
    const faults = errors
      .map((l) => `${l.message}: ${JSON.stringify(l.facts)}`)
      .filter((text) => !LOST_CONNECTION.test(text));
    assert.deepEqual([...this.told.faults, ...faults], []);
    await assertTold(this.rig.sql, this.told, {
      reports: this.reports,
      answers: this.rig.workers.flatMap((w) => w.recorded),
    });
    await assertOracles(this.rig.sql, "after the storm");
  }

  /** For whoever looks into a failure: what is on record of the jobs that its message names. */
  async tell(message: string): Promise<string> {
    const ids = [...new Set(message.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}/g))];
    const of = (table: string, column: string, order: string) =>
      this.rig.sql.unsafe(
        `select * from ${table} where ${column} = any($1::uuid[]) order by ${order}`,
        [ids],
      );
    const found = {
      live: await of("live_job", "id", "id"),
      ended: await of("job_end", "job_id", "job_id"),
      attempts: await of("dispatched_job", "job_id", "job_id, attempt"),
      events: await of("phase_event", "job_id", "job_id, id"),
    };
    return JSON.stringify(found, null, 1);
  }

  async stop(options: { oracles: boolean }): Promise<void> {
    this.#proxy.restore();
    let over = false;
    const stopping = this.rig.stop(options);
    const note = () => {
      over = true;
    };
    stopping.then(note, note);
    await eventually(() => over, "every engine stops", { deadlineMs: 60_000 });
    await stopping;
    await this.#proxy.stop();
  }
}
