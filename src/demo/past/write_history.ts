/**
 * Writes a past: plays it and hands it to the database in batches. For a database that no engine uses yet;
 * rollups of it are computed by the aggregator, which finds its events by itself.
 */

import { RULES_VERSION } from "../../core/scoring/score.ts";
import { normalRequirements, shapeKey } from "../../core/shape_key.ts";
import type { Sql } from "../../db/client.ts";
import { ensurePartitionsFor, PARTITIONED_TABLES } from "../../db/partitions.ts";
import {
  analyzePast,
  forgetRollupProgress,
  type PastContext,
  writePastContexts,
  writePastHistories,
  writePastSamples,
} from "../../db/statements/past/write_fleet.ts";
import { writePast } from "../../db/statements/past/write_past.ts";
import { writePastWorkflows } from "../../db/statements/past/write_workflows.ts";
import { openUpkeep } from "../../db/upkeep.ts";
import { Names } from "../../engine/names.ts";
import { type Cast, ORGANIZATIONS } from "../cast/organizations.ts";
import { FLEET } from "../cast/worker_role.ts";
import { Dice } from "../dice.ts";
import { arrivals } from "./arrivals.ts";
import { Casting, kindKey } from "./new_submission.ts";
import { hirePastWorkers } from "./past_fleet.ts";
import type { PastKind, PastSample } from "./past_job.ts";
import { PastRows } from "./past_rows.ts";
import { type Finished, PlayedPast } from "./play_past.ts";

export interface HistoryOptions {
  seed: number;
  /** Ids of the organizations of the demo, by name. */
  orgs: ReadonlyMap<string, number>;
  /** When work came in: from and to, epoch milliseconds, in the order of time. */
  windows: readonly Window[];
  /** Nothing is known of later than this. */
  until: number;
  /** Workers and the instance are looked at so often. */
  sampleEveryMs: number;
  onProgress?(jobs: number): void;
}

export interface Window {
  from: number;
  to: number;
  /** How much came, where 1 is as much as in the living demo. */
  pace: number;
}

const BATCH_JOBS = 4_000;
/** Few rows are found without statistics, and autovacuum comes to them by itself. */
const ANALYZED_FROM = 50_000;
const DAY_MS = 86_400_000;
/** What names used is taken from attempts of so long. */
const HISTORIES_OF_MS = 3 * DAY_MS;

/** How many jobs and attempts were written. */
export async function writeHistory(
  url: string,
  options: HistoryOptions,
): Promise<{ jobs: number; attempts: number }> {
  const sql = openUpkeep(url);
  // The database is what is slow: two of its processes write, and a third part of a core plays.
  const other = openUpkeep(url);
  try {
    await makeRoom(sql, options);
    const written = await new HistoryWriter(sql, [other], options).run();
    await writePastHistories(sql, options.until - HISTORIES_OF_MS);
    await forgetRollupProgress(sql);
    if (written.jobs > ANALYZED_FROM) await analyzePast(sql);
    return written;
  } finally {
    await Promise.all([sql.end({ timeout: 5 }), other.end({ timeout: 5 })]);
  }
}

/** Rollups make their own. */
async function makeRoom(sql: Sql, { windows, until }: HistoryOptions): Promise<void> {
  const days = new Set([until]);
  for (const { from, to } of windows) {
    // What begins in a window may end on the day after it.
    for (let at = from; at < to + 2 * DAY_MS; at += DAY_MS) days.add(Math.min(at, until));
  }
  for (const table of PARTITIONED_TABLES) {
    if (!table.startsWith("rollup")) await ensurePartitionsFor(sql, table, days);
  }
}

interface Writer {
  sql: Sql;
  /** Its batch before. */
  busy: Promise<unknown>;
}

class HistoryWriter {
  readonly #sql: Sql;
  readonly #options: HistoryOptions;
  #rows = new PastRows();
  #samples: PastSample[] = [];
  #contexts: PastContext[] = [];
  readonly #writers: Writer[];
  #turn = 0;
  readonly #written = { jobs: 0, attempts: 0 };

  constructor(sql: Sql, others: readonly Sql[], options: HistoryOptions) {
    this.#sql = sql;
    this.#options = options;
    this.#writers = [sql, ...others].map((own) => ({ sql: own, busy: Promise.resolve() }));
  }

  async run(): Promise<{ jobs: number; attempts: number }> {
    const { seed, orgs, windows, sampleEveryMs } = this.#options;
    const kinds = await internKinds(this.#sql, orgs);
    const workers = await hirePastWorkers(this.#sql, FLEET, this.#options);
    const played = new PlayedPast({
      ...{ dice: Dice.of(seed, "past"), workers, casting: new Casting(kinds) },
      orgNames: new Map([...orgs].map(([name, id]) => [id, name])),
      keep: (id, kind, body) => this.#contexts.push({ id, kind, body }),
    });
    for (const window of windows) {
      for (let at = ceil(window.from, sampleEveryMs); at < window.to; at += sampleEveryMs) {
        played.look(at);
      }
      for (const { at, submission } of arrivals(ORGANIZATIONS, seed, window)) {
        await this.#take(played.until(at));
        played.submit(at, submission);
      }
      await this.#take(played.until(Number.POSITIVE_INFINITY));
    }
    await this.#flush();
    await Promise.all(this.#writers.map(({ busy }) => busy));
    return this.#written;
  }

  /** What ended after the end of all is left out: it would be of the future. */
  async #take(finished: Iterable<Finished>): Promise<void> {
    const { until } = this.#options;
    for (const one of finished) {
      if ("sample" in one) this.#samples.push(one.sample);
      else if (one.submission.endedAt < until) this.#rows.add(one.submission);
      if (this.#rows.jobs.length >= BATCH_JOBS) await this.#flush();
    }
  }

  /** While batches are written the next one is played. */
  async #flush(): Promise<void> {
    const [rows, samples, contexts] = [this.#rows, this.#samples, this.#contexts];
    [this.#rows, this.#samples, this.#contexts] = [new PastRows(), [], []];
    const writer = this.#writers[this.#turn++ % this.#writers.length]!;
    await writer.busy;
    this.#written.jobs += rows.jobs.length;
    this.#written.attempts += rows.attempts.length;
    this.#options.onProgress?.(this.#written.jobs);
    writer.busy = writer.sql.begin(async (tx) => {
      await writePastContexts(tx, contexts);
      await writePast(tx, rows, RULES_VERSION);
      await writePastWorkflows(tx, rows);
      await writePastSamples(tx, sampleRows(samples));
    });
    // What fails here is told by who waits for it next.
    writer.busy.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function ceil(ms: number, step: number): number {
  return Math.ceil(ms / step) * step;
}

function sampleRows(samples: readonly PastSample[]) {
  return {
    workers: samples.flatMap(({ at, workers }) => workers.map((one) => ({ at, ...one }))),
    instance: samples.flatMap(({ at, orgs }) => {
      const pending = orgs.reduce((sum, one) => sum + one.pending, 0);
      const active = orgs.reduce((sum, one) => sum + one.active, 0);
      const entitled = active / Math.max(1, orgs.length);
      return [
        { at, org: 0, pending, active, entitled: active },
        ...orgs.map((one) => ({ at, ...one, entitled })),
      ];
    }),
  };
}

async function internKinds(
  sql: Sql,
  orgs: ReadonlyMap<string, number>,
): Promise<Map<string, PastKind>> {
  const kinds = new Map<string, PastKind>();
  const names = new Names(sql);
  for (const cast of ORGANIZATIONS) {
    const org = orgs.get(cast.name);
    if (org === undefined) throw new Error(`There is no organization ${cast.name}.`);
    for (const kind of await internCast(names, cast, org)) {
      kinds.set(kindKey(cast.name, kind.task.name), kind);
    }
  }
  return kinds;
}

async function internCast(names: Names, cast: Cast, org: number): Promise<PastKind[]> {
  const { tasks, name: orgName } = cast;
  const queues = await names.internQueues(
    org,
    tasks.map((task) => task.queue),
  );
  const jobNames = await names.internJobNames(
    org,
    tasks.map((task) => task.name),
  );
  const parts = tasks.map((task) => {
    const requirements = normalRequirements(task.requirements);
    const queue = queues.get(task.queue)!;
    const name = jobNames.get(task.name)!;
    const shape = {
      ...{ org, queue, kind: task.kind, requirements },
      name: task.kind === "handler" ? name.id : null,
    };
    return { task, requirements, queue, name, shape: { ...shape, key: shapeKey(shape) } };
  });
  const shapes = await names.internShapes(parts.map((part) => part.shape));
  return parts.map(({ task, requirements, queue, name }, at) => ({
    ...{ task, orgName, org, queue, name: name.id, counted: name.counted },
    ...{ shape: shapes[at]!, requirements: requirements as PastKind["requirements"] },
  }));
}
