/**
 * Running: the worker said that these attempts started. Fenced by session and token; stores the
 * deadline (engine rule 17). Locks the jobs by id. Returns the ids that were dispatched and now run.
 */
import type { Transaction } from "../client.ts";
import { rowSource } from "../row_source.ts";
import { counterDeltasOf } from "./counters.ts";
import { EVENT_IDS, NEXT_EVENT } from "./event_ids.ts";

export interface StartRow {
  job: string;
  session: number;
  token: string;
  startedAt: number;
  timeoutSeconds: number | null;
}

const starts = rowSource<StartRow>("t", [
  ["id", "uuid", (s) => s.job],
  ["session", "bigint", (s) => s.session],
  ["token", "uuid", (s) => s.token],
  ["at", "seconds", (s) => s.startedAt],
  ["timeout", "float8", (s) => s.timeoutSeconds],
]);

const START = `
with picked as materialized (
  select t.* from ${starts.sql} join live_job l on l.id = any(array[t.id])
  where l.token = t.token and l.session_id is not distinct from t.session and l.started_at is null),
started as (
  update live_job l set state = 'running', ready_rank = null,
    started_at = greatest(l.dispatched_at, to_timestamp(p.at)),
    deadline_at = greatest(l.dispatched_at, to_timestamp(p.at)) + make_interval(secs => p.timeout)
  from picked p where l.id = any(array[p.id])
  returning l.id, l.org_id, l.queue_id, l.name_id, l.counted_name, l.has_workflow, l.attempt,
    l.dispatched_at, l.started_at, l.worker_id, 'dispatched'::job_state as was, 'running'::job_state as now_is),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    worker_id, since)
  select ${NEXT_EVENT}, started_at, org_id, queue_id, name_id, id, attempt, was, now_is, worker_id, dispatched_at
  from started),
deltas as (${counterDeltasOf("started")})
select id from started`;

export async function startJobs(tx: Transaction, rows: StartRow[]): Promise<string[]> {
  if (rows.length === 0) return [];
  const done = await tx.unsafe(START, starts.params(rows), { prepare: true });
  return done.map((r) => r.id as string);
}
