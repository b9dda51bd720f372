/**
 * Writes jobs that have ended, with all that is kept of them, in one statement: input, end, attempts,
 * decisions and phase events, as the engine would have written them one after the other. For a demo and
 * for benches, before an engine starts: nothing here takes locks or counts what lives.
 */
import type { Transaction } from "../../client.ts";
import { type Column, encodeColumn, nested, rowSource } from "../../row_source.ts";
import { EVENT_IDS, NEXT_EVENT } from "../event_ids.ts";

export interface PastJobRow {
  id: string;
  org: number;
  queue: number;
  name: number;
  shape: number;
  kind: "exec" | "handler";
  priority: number;
  maxAttempts: number;
  backoff: readonly [base: number, factor: number, max: number];
  timeoutSeconds: number | null;
  createdAt: number;
  dependsOn: readonly string[];
  tags: object | null;
  payload: unknown;
  finishedAt: number;
  state: "succeeded" | "failed" | "cancelled" | "dependency_failed";
  attempts: number;
  failures: number;
  worker: number | null;
  exitCode: number | null;
  reason: string | null;
  error: string | null;
  queuedAt: number;
  eligibleAt: number | null;
  readyAt: number | null;
  cancelRequestedAt: number | null;
  result: unknown;
}

export interface PastAttemptRow {
  job: string;
  attempt: number;
  org: number;
  queue: number;
  name: number;
  worker: number;
  session: number;
  outcome: string;
  stateAfter: string;
  reason: string | null;
  error: string | null;
  exitCode: number | null;
  signal: string | null;
  queuedAt: number;
  eligibleAt: number;
  readyAt: number;
  dispatchedAt: number;
  startedAt: number;
  endedAt: number;
  runMs: number;
  ramMb: number;
  cpuMs: number;
  diskRead: number;
  diskWritten: number;
  networkMbps: number;
  oomKilled: boolean;
  items: readonly [success: number, failed: number, skipped: number] | null;
  /** Whether becoming ready was a step of its own. */
  risen: boolean;
  askedAt: number | null;
  beat: string;
  score: number;
  /** As many in all rows. */
  terms: readonly number[];
  candidates: readonly { job: string; score: number }[];
  considered: number;
  contexts: readonly [worker: string, job: string, instance: string];
}

const jobs = rowSource<PastJobRow>("j", [
  ["id", "uuid", (j) => j.id],
  ["org", "int", (j) => j.org],
  ["queue", "int", (j) => j.queue],
  ["name", "int", (j) => j.name],
  ["shape", "int", (j) => j.shape],
  ["kind", "job_kind", (j) => j.kind],
  ["priority", "smallint", (j) => j.priority],
  ["max_attempts", "smallint", (j) => j.maxAttempts],
  ["base", "real", (j) => j.backoff[0]],
  ["factor", "real", (j) => j.backoff[1]],
  ["top", "real", (j) => j.backoff[2]],
  ["timeout", "real", (j) => j.timeoutSeconds],
  ["created", "seconds", (j) => j.createdAt],
  ["deps", "text", (j) => nested(j.dependsOn)],
  ["tags", "json", (j) => j.tags ?? undefined],
  ["payload", "json", (j) => j.payload],
  ["finished", "seconds", (j) => j.finishedAt],
  ["state", "job_state", (j) => j.state],
  ["attempts", "int", (j) => j.attempts],
  ["failures", "smallint", (j) => j.failures],
  ["worker", "int", (j) => j.worker],
  ["exit_code", "int", (j) => j.exitCode],
  ["reason", "text", (j) => j.reason],
  ["error", "text", (j) => j.error],
  ["queued", "seconds", (j) => j.queuedAt],
  ["eligible", "seconds", (j) => j.eligibleAt],
  ["ready", "seconds", (j) => j.readyAt],
  ["asked", "seconds", (j) => j.cancelRequestedAt],
  ["result", "json", (j) => j.result],
]);

const CANDIDATES = [0, 1, 2] as const;
const candidateColumns = CANDIDATES.flatMap((at): Column<PastAttemptRow>[] => [
  [`c${at}`, "uuid", (a) => a.candidates[at]?.job],
  [`s${at}`, "real", (a) => a.candidates[at]?.score ?? 0],
]);
const attempts = rowSource<PastAttemptRow>(
  "a",
  [
    ["job", "uuid", (a) => a.job],
    ["attempt", "int", (a) => a.attempt],
    ["org", "int", (a) => a.org],
    ["queue", "int", (a) => a.queue],
    ["name", "int", (a) => a.name],
    ["worker", "int", (a) => a.worker],
    ["session", "bigint", (a) => a.session],
    ["outcome", "outcome", (a) => a.outcome],
    ["now_is", "job_state", (a) => a.stateAfter],
    ["reason", "text", (a) => a.reason],
    ["error", "text", (a) => a.error],
    ["exit_code", "int", (a) => a.exitCode],
    ["signal", "text", (a) => a.signal],
    ["queued", "seconds", (a) => a.queuedAt],
    ["eligible", "seconds", (a) => a.eligibleAt],
    ["ready", "seconds", (a) => a.readyAt],
    ["dispatched", "seconds", (a) => a.dispatchedAt],
    ["started", "seconds", (a) => a.startedAt],
    ["ended", "seconds", (a) => a.endedAt],
    ["run_ms", "float8", (a) => a.runMs],
    ["ram", "real", (a) => a.ramMb],
    ["cpu", "float8", (a) => a.cpuMs],
    ["disk_read", "bigint", (a) => a.diskRead],
    ["disk_written", "bigint", (a) => a.diskWritten],
    ["network", "real", (a) => a.networkMbps],
    ["oom", "boolean", (a) => a.oomKilled],
    ["i_success", "bigint", (a) => a.items?.[0]],
    ["i_failed", "bigint", (a) => a.items?.[1]],
    ["i_skipped", "bigint", (a) => a.items?.[2]],
    ["risen", "boolean", (a) => a.risen],
    ["asked", "seconds", (a) => a.askedAt],
    ["beat", "uuid", (a) => a.beat],
    ["score", "real", (a) => a.score],
    ["considered", "int", (a) => a.considered],
    ["worker_context", "uuid", (a) => a.contexts[0]],
    ["job_context", "uuid", (a) => a.contexts[1]],
    ["instance_context", "uuid", (a) => a.contexts[2]],
    ...candidateColumns,
  ],
  jobs.next,
);

const all = attempts.next;
const P = { terms: `$${all}::real[]`, each: `$${all + 1}::int`, rules: `$${all + 2}::smallint` };
const time = (column: string) => `to_timestamp(${column})`;
const listOf = (of: (at: number) => string) => `array[${CANDIDATES.map(of).join()}]`;
const SOURCE = `'{"ram":"cgroup","cpu":"cgroup","disk":"cgroup","network":"host","oom":"cgroup"}'::jsonb`;

/** Every step of a job and of its attempts; `n` orders those of one moment. */
const STEPS = `
  select created as at, 0 as attempt, 0 as n, org, queue, name, id as job, 'created'::job_state as was,
    'queued'::job_state as now_is, case when deps is not null then 'dependencies'::waiting_for end as waiting,
    null::outcome as outcome, null::text as reason, null::int as worker, 'demo' as actor,
    null::float8 as since from j
  union all
  select finished, 0, 9, org, queue, name, id, 'queued', state, null, null, reason, null, null, null
  from j where attempts = 0
  union all
  select s.at, a.attempt - s.before, s.n, org, queue, name, job, s.was, s.now_is, s.waiting, s.outcome,
    s.reason, s.worker, s.actor, s.since
  from a cross join lateral (values
    (a.ready, 1, 1, 'queued'::job_state, 'ready'::job_state, null::waiting_for, null::outcome, null::text,
      null::int, null::text, a.eligible, a.risen),
    (a.dispatched, 0, 2, 'ready', 'dispatched', null, null, null, a.worker, null, a.ready, true),
    (a.started, 0, 3, 'dispatched', 'running', null, null, null, a.worker, null, a.dispatched, true),
    (a.asked, 0, 4, 'running', 'running', null, null, 'cancel_requested', a.worker, 'admin', null,
      a.asked is not null),
    (a.ended, 0, 5, 'running', a.now_is, case when a.now_is = 'queued' then 'backoff'::waiting_for end,
      a.outcome, a.reason, a.worker, case when a.asked is not null then 'admin' end, null, true)
  ) as s(at, before, n, was, now_is, waiting, outcome, reason, worker, actor, since, happened)
  where s.happened`;

const WRITE = `
with j as materialized (select * from ${jobs.sql}),
a as materialized (
  select a.*, row_number() over () as place from ${attempts.sql}),
new_jobs as (
  insert into job (id, org_id, queue_id, name_id, shape_id, kind, priority, max_attempts, backoff_base,
    backoff_factor, backoff_max, timeout_seconds, created_at, depends_on, tags, created_by, payload)
  select id, org, queue, name, shape, kind, priority, max_attempts, base, factor, top, timeout,
    ${time("created")}, deps::uuid[], tags::jsonb, 'demo', payload::json from j),
new_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures, worker_id,
    exit_code, reason, error, queued_at, eligible_at, ready_at, cancel_requested_at, result)
  select id, ${time("finished")}, org, queue, name, state, attempts, failures, worker, exit_code, reason,
    error, ${time("queued")}, ${time("eligible")}, ${time("ready")}, ${time("asked")}, result::json from j),
new_attempts as (
  insert into dispatched_job (job_id, attempt, org_id, queue_id, name_id, worker_id, session_id, token,
    outcome, state_after, reason, error, exit_code, signal, queued_at, eligible_at, ready_at, dispatched_at,
    started_at, ended_at, run_ms, peak_ram_mb, cpu_ms, disk_read_bytes, disk_write_bytes, network_mbps,
    oom_killed, usage_source, items_success, items_failed, items_skipped, score, beat, beat_place)
  select job, attempt, org, queue, name, worker, session, gen_random_uuid(), outcome, now_is, reason, error,
    exit_code, signal, ${time("queued")}, ${time("eligible")}, ${time("ready")}, ${time("dispatched")},
    ${time("started")}, ${time("ended")}, run_ms, ram, cpu, disk_read, disk_written, network, oom,
    ${SOURCE}, i_success, i_failed, i_skipped, score, beat, 1 from a),
new_decisions as (
  insert into decision (beat, rules_version, terms_each, jobs, terms, candidates, candidate_scores, others,
    considered, contexts, worker_context, job_context, instance_context)
  select beat, ${P.rules}, ${P.each}, array[job], (${P.terms})[(place - 1) * ${P.each} + 1 : place * ${P.each}],
    ${listOf((at) => `case when c${at} is null then 0 else ${-1 - at} end::smallint`)},
    ${listOf((at) => `s${at}`)}, array_remove(${listOf((at) => `c${at}`)}, null), array[considered],
    array[worker_context, job_context, instance_context], '{1}', '{2}', '{3}' from a),
${EVENT_IDS}
insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state, waiting_for,
  outcome, reason, worker_id, actor, since)
select ${NEXT_EVENT}, ${time("at")}, org, queue, name, job, attempt, was, now_is, waiting, outcome, reason,
  worker, actor, ${time("since")}
from (${STEPS} order by at, attempt, n) e`;

/** Jobs with all of their attempts. Partitions must be there. Fewer than 10,000 at a time. */
export async function writePast(
  tx: Transaction,
  rows: { jobs: readonly PastJobRow[]; attempts: readonly PastAttemptRow[] },
  rulesVersion: number,
): Promise<void> {
  const terms = rows.attempts.flatMap((row) => row.terms);
  await tx.unsafe(
    WRITE,
    [
      ...jobs.params(rows.jobs),
      ...attempts.params(rows.attempts),
      encodeColumn("real", terms),
      rows.attempts[0]?.terms.length ?? 0,
      rulesVersion,
    ],
    { prepare: true },
  );
}
