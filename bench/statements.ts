/**
 * What the two hot statements cost the database: processor time a row of leasing and of ending, alone
 * on one connection, in beats of 400. For work on `src/db/statements`; says nothing about throughput.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import process from "node:process";
import { v7 as uuidv7 } from "uuid";
import { RULES } from "../src/core/scoring/score.ts";
import { connect } from "../src/db/client.ts";
import { endPlainJobs } from "../src/db/statements/end_jobs.ts";
import { leaseJobs } from "../src/db/statements/lease_jobs.ts";
import { startCluster } from "./support/cluster.ts";
import { median } from "./support/figures.ts";
import { multiply } from "./support/multiply.ts";
import { number } from "./support/options.ts";
import { startSignalbox, submitMany } from "./support/signalbox.ts";

const BEATS = number("beats", 40);
const ITEMS = number("items", 400);

const cluster = await startCluster();
try {
  const box = await startSignalbox(cluster);
  await submitMany(box.client, 1, "noop");
  await box.stop();
  const admin = cluster.admin("signalbox_bench");
  const [live] = await admin`select shape_id as shape from live_job`;
  const shape: number = live!.shape;
  await multiply(admin, [shape], (BEATS + 4) * ITEMS);
  const database = await connect(box.database, { beats: 1 });
  const { beats } = database;
  const [worker] = await beats`
    insert into worker (uid, org_id, name, pool) values (${randomUUID()}, 1, 'w', 'default') returning id`;
  const [session] = await beats`
    insert into worker_connection (worker_id, org_id, replica_id, lease_until, concurrency, facts)
    values (${worker!.id}, 1, ${randomUUID()}, now() + interval '1 hour', 10000, '{}') returning id`;
  const [backend] = await beats`select pg_backend_pid() as pid`;
  const pid: number = backend!.pid;
  const ids = (
    await beats`
    select id from live_job where shape_id = ${shape} and ready_rank is not null
    order by shape_id, ready_rank, id`
  ).map((r) => r.id as string);
  const cost: Record<"lease" | "end", number[]> = { lease: [], end: [] };
  for (let at = 0; at < BEATS; at++) {
    const some = ids.slice(at * ITEMS, (at + 1) * ITEMS);
    const tokens = some.map(() => randomUUID());
    const time = async (what: "lease" | "end", run: () => Promise<unknown[]>) => {
      const before = onCpu(pid);
      const rows = await run();
      if (rows.length !== some.length) throw new Error(`${what}: ${rows.length} rows`);
      await beats`select 1`;
      if (at >= 5) cost[what].push((onCpu(pid) - before) / 1000 / some.length);
    };
    await time("lease", () => leaseJobs(beats, leases(some, tokens, session!.id, worker!.id)));
    const reports = some.map((job, i) => end(job, tokens[i]!, session!.id));
    await time("end", () => endPlainJobs(beats, reports, randomUUID()));
  }
  for (const [what, us] of Object.entries(cost)) {
    console.log(`${what}: ${median(us).toFixed(1)} µs a row (least ${Math.min(...us).toFixed(1)})`);
  }
  await database.close();
} finally {
  await cluster.stop();
}
process.exit(0);

/** Nanoseconds on a processor. */
function onCpu(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
}

function leases(jobs: string[], tokens: string[], session: number, worker: number) {
  const context = "0a0a0a0a-0000-4000-8000-000000000000";
  return {
    beat: uuidv7(),
    limited: [],
    contexts: [],
    rulesVersion: 1,
    leases: jobs.map((job, i) => ({
      job,
      queue: 1,
      session,
      worker,
      token: tokens[i]!,
      slot: i + 1,
      score: 12.345 + i / 1000,
      terms: RULES.map((_, at) => (at === 0 ? 12.345 + i / 1000 : at % 3 === 0 ? 38.4 : 0)),
      candidates: [1, 2, 3].map((n) => jobs[(i + n) % jobs.length]!),
      candidateScores: [12.3, 12.2, 12.1],
      considered: 8 + i,
      workerContext: context,
      jobContext: context,
      instanceContext: context,
    })),
  };
}

function end(job: string, token: string, session: number) {
  return {
    job,
    queue: 1,
    session,
    token,
    outcome: "succeeded" as const,
    state: "succeeded" as const,
    reason: null,
    error: null,
    exitCode: null,
    signal: null,
    startedAt: null,
    endedAt: Date.now(),
    runMs: 0.0123,
    usage: null,
    items: null,
    logBytes: null,
    failures: 0,
    lost: 0,
    rejections: 0,
    actor: null,
    result: undefined,
  };
}
