/** An engine on a database of its own, with a lease and a grace that a test can wait for. */
import postgres from "postgres";
import { connect, type Database } from "../../src/db/client.ts";
import { createEngine } from "../../src/engine/create.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/options.ts";
import {
  type JobInput,
  jobInput,
  type WorkflowInput,
  workflowInput,
} from "../../src/messages/job_input.ts";
import { testDatabase } from "./database.ts";
import { eventually } from "./eventually.ts";
import { InlineWorker, type InlineWorkerOptions } from "./inline_worker.ts";
import { assertOracles } from "./oracles.ts";

export interface LogLine {
  level: "info" | "warn" | "error";
  message: string;
  facts: object;
}

export interface RigEngine {
  engine: Engine;
  database: Database;
  logs: LogLine[];
  stop(): Promise<void>;
}

export interface RigOptions extends Partial<EngineOptions> {
  /** Another way to the same database, such as through a proxy. */
  url?: string;
}

/** Long enough for a loaded machine, short enough to wait for. */
const LEASE_SECONDS = 3;
const GRACE_SECONDS = 1;

/** Everything that one test starts; `stop` ends all of it. */
export class Rig {
  readonly url: string;
  /** A plain connection beside the engine, for looking and for tampering. */
  readonly sql: postgres.Sql;
  readonly engines: RigEngine[] = [];
  readonly workers: InlineWorker[] = [];
  readonly #drop: () => Promise<void>;
  readonly #defaults: RigOptions;

  private constructor(url: string, drop: () => Promise<void>, defaults: RigOptions) {
    this.url = url;
    this.#drop = drop;
    this.#defaults = defaults;
    this.sql = postgres(url, {
      max: 4,
      onnotice: () => {},
      types: { bigint: { to: 20, from: [20], serialize: String, parse: Number } },
    }) as unknown as postgres.Sql;
  }

  /** With one engine running. */
  static async start(options: RigOptions = {}): Promise<Rig> {
    const rig = await Rig.bare(options);
    await rig.addEngine();
    return rig;
  }

  /** With a database and no engine. */
  static async bare(options: RigOptions = {}): Promise<Rig> {
    const { url, drop } = await testDatabase();
    return new Rig(url, drop, options);
  }

  async addEngine(options: RigOptions = {}): Promise<RigEngine> {
    const { url = this.url, ...engineOptions } = { ...this.#defaults, ...options };
    const database = await connect(url, { beats: 5, reads: 2 });
    const logs: LogLine[] = [];
    const say = (level: LogLine["level"]) => (facts: object, message: string) => {
      logs.push({ level, facts, message });
      if (process.env.TEST_ENGINE_LOG) console.error(level, message, JSON.stringify(facts));
    };
    const log = { info: say("info"), warn: say("warn"), error: say("error") };
    const engine = createEngine(database, log, {
      leaseSeconds: LEASE_SECONDS,
      graceSeconds: GRACE_SECONDS,
      ...engineOptions,
    });
    let stopped = false;
    const own: RigEngine = {
      engine,
      database,
      logs,
      stop: async () => {
        if (stopped) return;
        stopped = true;
        await engine.stop();
        await database.close();
      },
    };
    this.engines.push(own);
    await engine.start();
    return own;
  }

  get engine(): Engine {
    return this.engines[0]!.engine;
  }

  get logs(): LogLine[] {
    return this.engines[0]!.logs;
  }

  async worker(options: InlineWorkerOptions = {}, engine = this.engine): Promise<InlineWorker> {
    const worker = new InlineWorker(engine, options);
    this.workers.push(worker);
    await worker.connect();
    return worker;
  }

  // Short words for what nearly every test does

  async submit(input: Partial<JobInput> = {}, engine = this.engine): Promise<string> {
    return (await this.submitMany([input], engine))[0]!;
  }

  async submitMany(inputs: Partial<JobInput>[], engine = this.engine): Promise<string[]> {
    const jobs = inputs.map((input) => jobInput.parse({ ...HANDLER, ...input }));
    return (await engine.submitJobs("default", jobs, "tester")).map((s) => s.id);
  }

  submitWorkflow(
    jobs: (Omit<Partial<JobInput>, "depends_on"> & { key: string; depends_on?: unknown })[],
    more: Partial<WorkflowInput> = {},
    engine = this.engine,
  ) {
    const input = workflowInput.parse({
      name: "flow",
      jobs: jobs.map((job) => ({ ...HANDLER, ...job })),
      ...more,
    });
    return engine.submitWorkflow("default", input, "tester");
  }

  /** The state of a job, live or ended. */
  async state(id: string): Promise<string> {
    const [row] = await this.sql`
      select coalesce((select state::text from live_job where id = ${id}),
        (select state::text from job_end where job_id = ${id})) as state`;
    return row!.state as string;
  }

  async live(id: string): Promise<postgres.Row> {
    const [row] = await this.sql`select * from live_job where id = ${id}`;
    if (!row) throw new Error(`job ${id} is not live: ${await this.state(id)}`);
    return row;
  }

  async end(id: string): Promise<postgres.Row> {
    return await eventually(
      async () => (await this.sql`select * from job_end where job_id = ${id}`)[0],
      `job ${id} ends`,
    );
  }

  until(id: string, ...states: string[]): Promise<string> {
    return eventually(
      async () => {
        const state = await this.state(id);
        if (states.includes(state)) return state;
        throw new Error(state);
      },
      `job ${id} is ${states.join(" or ")}`,
    );
  }

  async attempts(id: string): Promise<postgres.Row[]> {
    return await this.sql`select * from dispatched_job where job_id = ${id} order by attempt`;
  }

  /** The job's history as words: "queued(run_at)", "ready", … */
  async history(id: string): Promise<string[]> {
    const rows = await this.sql`
      select state, waiting_for from phase_event where job_id = ${id} order by id`;
    return rows.map((r) => (r.waiting_for ? `${r.state}(${r.waiting_for})` : r.state));
  }

  workflowState(id: string, ...states: string[]): Promise<string> {
    return eventually(
      async () => {
        const [row] = await this.sql`select state from workflow where id = ${id}`;
        if (states.includes(row!.state)) return row!.state as string;
        throw new Error(row!.state);
      },
      `workflow ${id} is ${states.join(" or ")}`,
      { deadlineMs: 20_000 },
    );
  }

  /** Runs a statement in a transaction that stays open, and so holds its locks, until released. */
  async hold(text: string, params: string[] = []): Promise<() => Promise<void>> {
    const sql = postgres(this.url, { max: 1, onnotice: () => {} });
    let release = () => {};
    let held = () => {};
    const locked = new Promise<void>((done) => {
      held = done;
    });
    const over = sql.begin(async (tx) => {
      await tx.unsafe(text, params);
      held();
      await new Promise<void>((done) => {
        release = done;
      });
    });
    await Promise.race([locked, over]);
    return async () => {
      release();
      await over;
      await sql.end({ timeout: 1 });
    };
  }

  /** Whether that many connections of engines wait for a lock. */
  async engineWaits(count = 1): Promise<boolean> {
    const [row] = await this.sql`select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'
        and application_name = 'signalbox engine'`;
    return row!.n >= count;
  }

  async blocked(count = 1): Promise<void> {
    const what = `${count} engine connections wait for a lock`;
    await eventually(() => this.engineWaits(count), what, { everyMs: 5 });
  }

  /** Workers gone, engines stopped, the rows checked. */
  async stop({ oracles = true }: { oracles?: boolean } = {}): Promise<void> {
    for (const worker of this.workers) worker.drop();
    for (const engine of this.engines) await engine.stop();
    try {
      if (oracles) await assertOracles(this.sql);
    } finally {
      await this.sql.end({ timeout: 1 });
      await this.#drop();
    }
  }
}

/** Resolved at once by a worker that says nothing else. */
const HANDLER = { name: "work", kind: "handler" as const };
