/**
 * Hot statements read what they need and no more, on tables of a million rows, whether their plans
 * were made when the tables were empty or with fresh statistics (engine rule 12).
 *
 * Runs alone: it fills six tables with up to a million rows each.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import { criteriaOf, forAction } from "../../../src/core/search/criteria.ts";
import { parseSearch } from "../../../src/core/search/parse.ts";
import { connect, type Database, type Sql, type Transaction } from "../../../src/db/client.ts";
import { searchStep } from "../../../src/db/job_search/step.ts";
import { EVENT_ID_STEP } from "../../../src/db/schema/event_id_step.ts";
import type { FinalEnd, ReturnedEnd } from "../../../src/db/statements/attempt_columns.ts";
import { askCancel, cancelAtRest, cancelIntents } from "../../../src/db/statements/cancel_jobs.ts";
import {
  foldCounters,
  insertCounterDeltas,
  NIL_UUID,
} from "../../../src/db/statements/counters.ts";
import { endJobs, endPlainJobs } from "../../../src/db/statements/end_jobs.ts";
import { readInputs } from "../../../src/db/statements/inputs.ts";
import { insertJobs, type NewJob } from "../../../src/db/statements/insert_jobs.ts";
import { readJobDetails } from "../../../src/db/statements/job_details.ts";
import {
  FIRST_BATCH,
  removeBatches,
  tidyBatches,
} from "../../../src/db/statements/lease_batches.ts";
import { leaseJobs } from "../../../src/db/statements/lease_jobs.ts";
import {
  acknowledgeCancels,
  lockLeases,
  noteProgress,
  readLeases,
  recordedAttempts,
} from "../../../src/db/statements/leases.ts";
import { countHeldKeys, readKeys } from "../../../src/db/statements/operating/limit_keys.ts";
import { heldJobs } from "../../../src/db/statements/operating/slots.ts";
import {
  lockStopped,
  markStop,
  nextStopped,
} from "../../../src/db/statements/operating/stop_queues.ts";
import { peekReady, readyShapes } from "../../../src/db/statements/peek_ready.ts";
import { countEvents, readEvents } from "../../../src/db/statements/read_events.ts";
import { readAttempt } from "../../../src/db/statements/read_explanation.ts";
import { pruneBeats } from "../../../src/db/statements/replicas.ts";
import { resolveDependents } from "../../../src/db/statements/resolve_dependents.ts";
import {
  badDependencies,
  lockAround,
  lockEnds,
  reviveJobs,
} from "../../../src/db/statements/retry_jobs.ts";
import { returnJobs } from "../../../src/db/statements/return_jobs.ts";
import {
  beatSessions,
  closeIdleSession,
  dropSessions,
  lockLapsed,
  moveLeases,
} from "../../../src/db/statements/sessions.ts";
import {
  settleWorkflows,
  unfinishedWorkflows,
  workflowsOf,
} from "../../../src/db/statements/settle_workflows.ts";
import { stageJobs } from "../../../src/db/statements/stage_jobs.ts";
import { startJobs } from "../../../src/db/statements/start_jobs.ts";
import {
  claimKeys,
  insertEdges,
  joinWorkflow,
  lockDependencies,
} from "../../../src/db/statements/submission.ts";
import { lockLimits } from "../../../src/db/statements/switches.ts";
import { testDatabase } from "../../support/database.ts";
import {
  BIG,
  freeze,
  liveId,
  newId,
  oldId,
  PLAN_ROWS,
  PlanData,
  SESSIONS,
  SHAPES,
  summarize,
  vacuum,
} from "../../support/plan_data.ts";
import { type Measured, PlanSession, recorded, type Statement } from "../../support/plans.ts";

/** What a later statement of the same call is made from. */
function answer(text: string): object[] {
  // Every key that was asked for is held.
  if (text.includes("select key from job_key")) return live(0, N).map((key) => ({ key }));
  const ids = live(0, 2_000);
  if (text.includes("hits as materialized")) {
    return [{ ids, queues: ids.map(() => 1), scanned: ids.length, last: null }];
  }
  if (text.includes("looked as materialized"))
    return [{ ids, n: ids.length, looked: 0, last: null }];
  if (text.includes("clock_timestamp()::text")) return [{ at: new Date().toISOString() }];
  if (/^select (j|x)?\.?id::text as id/.test(text)) return ids.map((id) => ({ id, queue: 1 }));
  return text.includes("from workflow where id = any") && text.includes("org_id")
    ? live(0, 50, 100).map((id) => ({ id, org_id: 1 }))
    : [];
}

/** A chunk of an operation. */
function matching(sql: Sql, kind: "cancel" | "retry", typed: string) {
  const now = Date.now();
  const criteria = forAction(kind, criteriaOf(parseSearch(typed).terms, now));
  const step = { direction: "older", from: null, chunk: 2_000, want: 2_000 } as const;
  return searchStep(sql, { criteria, orgs: [1], isWhole: true, now }, step);
}

/** A full beat. */
const N = 400;

const places = (from: number, n = N, step = 1) =>
  Array.from({ length: n }, (_, i) => from + i * step);
const live = (from: number, n = N, step = 1) => places(from, n, step).map(liveId);
const old = (from: number, n = N, step = 1) => places(from, n, step).map(oldId);
const sessionOf = (place: number) => 1 + (place % SESSIONS);

function ending(place: number) {
  return {
    job: liveId(place),
    queue: 1,
    session: sessionOf(place),
    token: liveId(place),
    outcome: "succeeded",
    reason: null,
    error: null,
    exitCode: 0,
    signal: null,
    startedAt: null,
    endedAt: Date.now(),
    runMs: 1,
    usage: null,
    items: null,
    logBytes: null,
    failures: 0,
    lost: 0,
    rejections: 0,
    actor: null,
  } as const;
}

const finals = (held: number[]): FinalEnd[] =>
  held.map((p) => ({ ...ending(p), state: "succeeded", result: { ok: true } }));
const returns = (held: number[]): ReturnedEnd[] =>
  held.map((p) => ({
    ...ending(p),
    state: "ready",
    waitingFor: null,
    dueAt: null,
    rejectedBy: null,
  }));

function newJob(at: number): NewJob {
  return {
    id: newId(at),
    org: 1,
    queue: 1,
    name: 1,
    countedName: 1,
    shape: 1,
    kind: "exec",
    priority: 0,
    maxAttempts: 1,
    backoffBase: 1,
    backoffFactor: 1,
    backoffMax: 1,
    timeoutSeconds: null,
    runAt: null,
    dependsOn: [],
    dedupeKey: null,
    tags: null,
    createdBy: "test",
    payload: null,
    state: "ready",
    waitingFor: null,
    pendingDeps: 0,
    dependents: 0,
    hasDependents: false,
    hasWorkflow: false,
    readyRank: 1,
    inputWorkers: [],
    reason: null,
  };
}

function leases() {
  return live(0).map((job, at) => ({
    job,
    queue: 1,
    session: 1 + (at % 50),
    worker: 1 + (at % 50),
    token: newId(at),
    slot: 1 + at,
    score: 1,
    terms: [1, 2],
    candidates: [],
    candidateScores: [],
    considered: 8,
    workerContext: null,
    jobContext: null,
    instanceContext: null,
  }));
}

const ended = (state: "succeeded" | "failed") =>
  live(0).map((id) => ({
    id,
    state,
    queue_id: 1,
    worker_id: 1,
    has_dependents: true,
    has_workflow: false,
    fin: Date.now() / 1000,
  }));

interface Case {
  name: string;
  use(sql: Sql & Transaction): Promise<unknown>;
  /** Rows that one node may look at; more than that is a scan. */
  most?: number;
  /** Asked on the pool for what is asked beside the beats. */
  side?: true;
}

const noted = (ids: string[]) =>
  ids.map((job) => ({ job, token: job, fraction: 0.5, note: null, items: null }));

function casesOf(data: PlanData): Case[] {
  return [...beatCases(data), ...lifeCases(data), ...operatingCases(data), ...workCases(data)];
}

function beatCases(data: PlanData): Case[] {
  const held = places(data.firstHeld, N, 2);
  const heldIds = held.map(liveId);
  return [
    { name: "starts", use: (sql) => startJobs(sql, held.map(startOf)) },
    { name: "final ends", use: (sql) => endJobs(sql, finals(held)) },
    { name: "plain ends", use: (sql) => endPlainJobs(sql, finals(held), newId(0)) },
    { name: "returns", use: (sql) => returnJobs(sql, returns(held), 60) },
    {
      name: "dependents of good ends",
      use: (sql) => resolveDependents(sql, ended("succeeded"), 60),
    },
    { name: "dependents of bad ends", use: (sql) => resolveDependents(sql, ended("failed"), 60) },
    {
      name: "leases",
      use: (sql) =>
        leaseJobs(sql, {
          beat: newId(0),
          rulesVersion: 1,
          limited: [1],
          contexts: [],
          leases: leases(),
        }),
    },
    // Counts the leases that stand, which are as many as there are slots.
    { name: "queue limits", use: (sql) => lockLimits(sql, [1]), most: data.held + 10 },
    {
      name: "peek of the lines",
      use: (sql) => {
        const afterId = liveId(0);
        const key = { org: 1, queue: 1, afterRank: 0, afterId, limit: 256 };
        const lines = places(1, 8).map((shape) => ({ shape, ...key }));
        return peekReady(sql, lines, { replicas: 1, mine: 0 });
      },
    },
    {
      name: "peek of one replica among three",
      use: (sql) => {
        const key = { org: 1, queue: 1, afterRank: -1, afterId: liveId(0), limit: 256 };
        return peekReady(sql, [{ shape: 1, ...key }], { replicas: 3, mine: 1 });
      },
    },
    { name: "shapes that have ready jobs", use: (sql) => readyShapes(sql), most: 3 * SHAPES },
    { name: "staging", use: (sql) => stageJobs(sql, 60) },
    { name: "leases of sessions", use: (sql) => lockLeases(sql, places(1, 20), N) },
    { name: "leases by id", use: (sql) => readLeases(sql, heldIds) },
    { name: "recorded attempts", use: (sql) => recordedAttempts(sql, old(0)) },
  ];
}

function lifeCases(data: PlanData): Case[] {
  const held = places(data.firstHeld, N, 2);
  const heldIds = held.map(liveId);
  return [
    {
      name: "progress",
      use: (sql) => noteProgress(sql, noted(heldIds)),
    },
    {
      name: "acknowledged cancels",
      use: (sql) => acknowledgeCancels(sql, heldIds, heldIds),
    },
    {
      name: "heartbeats",
      use: (sql) =>
        beatSessions(
          sql,
          places(1).map((session) => ({ session, metrics: { cpu_pct: 1 } })),
          30,
        ),
    },
    { name: "dropped sessions", use: (sql) => dropSessions(sql, places(1, 20), 15) },
    { name: "an idle session's end", use: (sql) => closeIdleSession(sql, 7, "closed") },
    { name: "lapsed sessions", use: (sql) => lockLapsed(sql, 20, []) },
    {
      name: "batches that are empty",
      use: (sql) =>
        removeBatches(
          sql,
          heldIds.map((beat) => ({ beat, session: 1 })),
        ),
    },
    { name: "batches that nobody counts", use: (sql) => tidyBatches(sql, FIRST_BATCH, 1) },
    { name: "a resume", use: (sql) => moveLeases(sql, heldIds, 3) },
    { name: "new jobs", use: (sql) => insertJobs(sql, places(0).map(newJob), Date.now()) },
    {
      name: "new edges",
      use: (sql) =>
        insertEdges(
          sql,
          places(0).map((p) => ({ dependency: liveId(p), dependent: newId(p), satisfiedAt: null })),
        ),
    },
    {
      name: "dependencies of a submission",
      use: (sql) => lockDependencies(sql, 1, [...live(0), ...old(0)], 2),
    },
    {
      name: "dedupe keys",
      use: (sql) =>
        claimKeys(
          sql,
          1,
          places(0).map((p) => ({ key: `key-${p}`, job: newId(p) })),
        ),
    },
    { name: "jobs that join a workflow", use: (sql) => joinWorkflow(sql, liveId(0), live(0)) },
    { name: "cancels at rest", use: (sql) => cancelAtRest(sql, live(0), "test", null) },
    {
      name: "cancels of held jobs",
      use: (sql) => askCancel(sql, heldIds, { actor: "test", reason: null }),
    },
    { name: "cancel intents", use: (sql) => cancelIntents(sql, places(1, SESSIONS)) },
    { name: "details of leased jobs", use: (sql) => readJobDetails(sql, heldIds) },
  ];
}

function operatingCases(data: PlanData): Case[] {
  const held = places(data.firstHeld, N, 2).map(liveId);
  const below = "ffffffff-0000-7000-8000-000000000000";
  const stop = { org: null, queue_ids: [1], queues: [], below, at: "2999-01-01" };
  const step = { cursor: null, filter: stop as unknown as Record<string, unknown> };
  const key = { org: 1, queue: 1, afterRank: 0, afterId: liveId(0), limit: 256 };
  const lines = places(1, 8).map((shape) => ({ shape, ...key, stopBelow: liveId(0) }));
  const slots = { orgs: [1], requeue: false, after: NIL_UUID, limit: 2_000 };
  return [
    { name: "the marker of a stop", use: (sql) => markStop(sql, [1], below) },
    // It looks through 20,000 waiting jobs for those of its queues.
    { name: "what a stop ends next", use: (sql) => nextStopped(sql, step, 2_000), most: 65_000 },
    { name: "what a stop locks", use: (sql) => lockStopped(sql, live(0), { at: stop.at }) },
    { name: "peek beside a stop", use: (sql) => peekReady(sql, lines, { replicas: 1, mine: 0 }) },
    { name: "keys of jobs", use: (sql) => readKeys(sql, live(0), "team") },
    // As many as there are leases.
    {
      name: "leases by key",
      use: (sql) => countHeldKeys(sql, 1, "team"),
      most: 4 * data.held + 10,
    },
    { name: "jobs in slots", use: (sql) => heldJobs(sql, slots), most: 3 * data.held + 10 },
    {
      name: "frees",
      use: (sql) => askCancel(sql, held, { actor: "a", reason: null, requeue: true }),
    },
  ];
}

function workCases(data: PlanData): Case[] {
  const newest = {
    floor: (data.history - 500) * EVENT_ID_STEP,
    xid: "1",
    id: 1,
    sinceMs: Date.now() - 120_000,
  };
  return [
    { name: "ends to retry", use: (sql) => lockEnds(sql, old(0, N, 10), 100_000) },
    { name: "what stands around retries", use: (sql) => lockAround(sql, old(0, N, 10)) },
    { name: "bad dependencies", use: (sql) => badDependencies(sql, old(1, N, 10)) },
    {
      name: "retries",
      use: (sql) =>
        reviveJobs(sql, old(0, N, 10), { secondsPerPoint: 60, actor: "test", reason: null }),
    },
    { name: "workflows of jobs", use: (sql) => workflowsOf(sql, live(0, N, 5)) },
    { name: "unfinished workflows", use: (sql) => unfinishedWorkflows(sql, NIL_UUID, 200) },
    { name: "settling workflows", use: (sql) => settleWorkflows(sql, live(0, 50, 100)) },
    {
      name: "counter deltas",
      use: (sql) =>
        insertCounterDeltas(
          sql,
          places(1, 50).map((queue) => ({
            org: 1,
            queue,
            name: 0,
            workflow: NIL_UUID,
            state: "ready",
            n: 1,
          })),
        ),
    },
    { name: "folding counters", use: (sql) => foldCounters(sql) },
    { name: "inputs of leased jobs", use: (sql) => readInputs(sql, live(data.ready)) },
    {
      name: "matching live jobs",
      use: (sql) => matching(sql, "cancel", "state:ready"),
    },
    {
      name: "matching ended jobs",
      use: (sql) => matching(sql, "retry", "-queue:none name:n* tag:x"),
    },
    {
      name: "matching jobs of a workflow",
      use: (sql) => matching(sql, "cancel", `workflow:${liveId(0)}`),
    },
    {
      name: "the feed",
      // The newest events; BRIN reads the blocks around them, and what it has not summarized yet.
      use: (sql) => readEvents(sql, newest, 2_000),
      most: 20_000,
      side: true,
    },
    {
      name: "how far the feed is behind",
      use: (sql) => countEvents(sql, newest, 20_001),
      most: 20_001,
      side: true,
    },
    {
      name: "why an attempt was leased",
      // One decision, of which each place is looked at.
      use: (sql) => readAttempt(sql, oldId(7), null),
      most: 400,
    },
    { name: "old beats", use: (sql) => pruneBeats(sql) },
  ];
}

function startOf(place: number) {
  const { job, session, token } = ending(place);
  return { job, session, token, startedAt: Date.now(), timeoutSeconds: null };
}

type Planned = { name: string; most: number; session: PlanSession; statements: Statement[] };

interface PreparedParts {
  sql: postgres.Sql;
  database: Database;
  drop: () => Promise<void>;
}

/** A database whose hot statements were prepared while its tables were empty. */
class Prepared {
  readonly #parts: PreparedParts;
  readonly #data: PlanData;
  readonly #planned: Planned[] = [];

  private constructor(parts: PreparedParts, data: PlanData) {
    this.#parts = parts;
    this.#data = data;
  }

  static async start(rows: number, { analyzed }: { analyzed: boolean }): Promise<Prepared> {
    const { url, drop } = await testDatabase();
    const sql = postgres(url, { max: 2, onnotice: () => {} });
    const database = await connect(url, { beats: 1, reads: 1 });
    const prepared = new Prepared({ sql, database, drop }, new PlanData(rows));
    await freeze(sql);
    if (analyzed) await vacuum(sql);
    await prepared.#prepare();
    await prepared.#data.fill(sql);
    await summarize(sql);
    return prepared;
  }

  async #prepare(): Promise<void> {
    const { beats, side } = this.#parts.database;
    const sessions = {
      beats: new PlanSession(await (beats as unknown as postgres.Sql).reserve()),
      side: new PlanSession(await (side as unknown as postgres.Sql).reserve()),
    };
    for (const { name, use, most = 20 * N, side: aside } of casesOf(this.#data)) {
      const statements = await recorded(use, answer);
      assert.ok(statements.length > 0, name);
      const session = aside ? sessions.side : sessions.beats;
      for (const statement of statements) await session.prepare(statement);
      this.#planned.push({ name, most, session, statements });
    }
  }

  vacuum(): Promise<void> {
    return vacuum(this.#parts.sql);
  }

  async check(): Promise<void> {
    const found: string[] = [];
    for (const { name, most, session, statements } of this.#planned) {
      for (const [at, statement] of statements.entries()) {
        const measured = await session.measure(statement);
        if (process.env.TEST_PLANS === "1") console.log(name, at, `${measured.ms} ms`);
        if (process.env.TEST_PLANS === name) console.log(measured.text);
        for (const line of complaints(measured, most)) found.push(`${name} (${at}): ${line}`);
      }
    }
    assert.deepEqual(found, []);
  }

  async stop(): Promise<void> {
    const { sql, database, drop } = this.#parts;
    await sql.end({ timeout: 1 });
    await database.close();
    await drop();
  }
}

/** Scans of more than a handful of rows, and nodes that look at more than a beat needs. */
function complaints({ read }: Measured, most: number): string[] {
  const bad = read.filter(
    ({ what, rows }) =>
      rows > most || (rows > N && BIG.some((table) => what.startsWith(`Seq Scan on ${table}`))),
  );
  return bad.map(({ what, rows }) => `${what}: ${rows} rows`);
}

describe("hot statements", { timeout: 600_000 }, () => {
  describe("on a million rows", () => {
    let prepared: Prepared;
    before(async () => {
      prepared = await Prepared.start(PLAN_ROWS, { analyzed: false });
    });
    after(() => prepared.stop());

    test("read what they need, planned when the tables were empty", () => prepared.check());

    test("read what they need, planned with fresh statistics", async () => {
      await prepared.vacuum();
      await prepared.check();
    });
  });

  test("read what they need, planned when statistics said that the tables are empty", async () => {
    const prepared = await Prepared.start(PLAN_ROWS / 10, { analyzed: true });
    try {
      await prepared.check();
    } finally {
      await prepared.stop();
    }
  });
});
