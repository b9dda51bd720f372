/**
 * Cancels. Jobs at rest end here; for jobs that a worker holds an intent is written, and the
 * session's owner or the rescuer writes the end (engine rule 14). Locks the jobs by id.
 */
import { plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";
import { counterDeltasOf } from "./counters.ts";
import type { EndedInFull } from "./end_jobs.ts";
import { EVENT_IDS, NEXT_EVENT } from "./event_ids.ts";

const AT_REST = `
with picked as materialized (
  select l.*, l.state as was, 'cancelled'::job_state as now_is,
    greatest(l.queued_at, l.eligible_at, l.ready_at, now()) as fin
  from live_job l where l.id = any($1::uuid[]) and l.session_id is null
  order by l.id for update of l),
gone as (delete from live_job l using picked p where l.id = any(array[p.id]) returning p.*),
job_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
    reason, error, queued_at, eligible_at, ready_at, cancel_requested_at)
  select id, fin, org_id, queue_id, name_id, now_is, attempt, failures, coalesce($3, 'cancelled'),
    last_error, queued_at, eligible_at, ready_at, fin from gone),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state, reason,
    actor)
  select ${NEXT_EVENT}, fin, org_id, queue_id, name_id, id, attempt, was, now_is,
    coalesce($3, 'cancelled'), $2 from gone),
deltas as (${counterDeltasOf("gone")})
select id, now_is as state, org_id, queue_id, name_id, null::int as worker_id, has_dependents,
  has_workflow, extract(epoch from fin)::float8 as fin from gone`;

/** Ends the ones that nobody holds; returns them. */
export async function cancelAtRest(
  tx: Transaction,
  ids: string[],
  actor: string,
  reason: string | null,
): Promise<EndedInFull[]> {
  const rows = await tx.unsafe(AT_REST, [plainArray(ids), actor, reason], { prepare: true });
  return rows as unknown as EndedInFull[];
}

const ask = (where: string, requeue: boolean) => `
with picked as materialized (
  select l.id from live_job l
  where l.id = any($1::uuid[]) and l.session_id is not null and ${where}
  order by l.id for no key update of l),
asked as (
  update live_job l set cancel_requested_at = coalesce(l.cancel_requested_at, now()), cancel_actor = $2,
    cancel_reason = $3, cancel_requeue = ${requeue}
  from picked p where l.id = any(array[p.id]) returning l.*),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state, reason,
    worker_id, actor)
  select ${NEXT_EVENT}, greatest(now(), started_at, dispatched_at), org_id, queue_id, name_id, id, attempt,
    state, state, '${requeue ? "free_requested" : "cancel_requested"}', worker_id, $2 from asked)
select id from asked`;

/** Whoever wants it cancelled wins over who wants it back in line. */
const ASK = ask("(l.cancel_requested_at is null or l.cancel_requeue)", false);
const ASK_BACK = ask("l.cancel_requested_at is null", true);

/**
 * Writes the intent for those that a worker holds; returns the ids that were not asked before.
 * `requeue`: they go back in line instead of ending.
 */
export async function askCancel(
  tx: Transaction,
  ids: string[],
  { actor, reason, requeue = false }: { actor: string; reason: string | null; requeue?: boolean },
): Promise<string[]> {
  const text = requeue ? ASK_BACK : ASK;
  const rows = await tx.unsafe(text, [plainArray(ids), actor, reason], { prepare: true });
  return rows.map((r) => r.id as string);
}

export interface CancelIntent {
  id: string;
  session_id: number;
  token: string;
  cancel_actor: string | null;
  cancel_reason: string | null;
  cancel_requeue: boolean;
}

/** Intents for leases of these sessions. */
export async function cancelIntents(sql: Sql, sessions: number[]): Promise<CancelIntent[]> {
  const rows = await sql.unsafe(
    `select id, session_id, token, cancel_actor, cancel_reason, cancel_requeue from live_job
     where cancel_requested_at > '-infinity' and (session_id = any($1::bigint[])) is true
     order by cancel_requested_at`,
    [plainArray(sessions)],
    { prepare: true },
  );
  return rows as unknown as CancelIntent[];
}

/** Of a workflow: alive, and held by no other one that lives and is not cancelled (engine rule 20). */
const UNSHARED = `
select distinct j.job_id as id, l.session_id is not null as held
from workflow_job j join live_job l on l.id = any(array[j.job_id])
where j.workflow_id = $1 and not exists (
  select from workflow_job o join workflow w on w.id = any(array[o.workflow_id])
  where o.job_id = j.job_id and o.workflow_id <> $1 and w.finished_at is null
    and w.cancel_requested_at is null offset 0)`;

/** Those of these jobs that a cancel of the workflow takes. */
export async function unsharedJobs(
  tx: Transaction,
  workflow: string,
  ids: string[],
): Promise<string[]> {
  const text = `${UNSHARED} and j.job_id = any($2::uuid[])`;
  const rows = await tx.unsafe(text, [workflow, plainArray(ids)], { prepare: true });
  return rows.map((r) => r.id as string);
}

/** Closes the workflow and says that its jobs are to go; how many of them wait and how many run. */
export async function askWorkflowCancel(
  tx: Transaction,
  workflow: string,
  reason: string | null,
): Promise<{ pending: number; running: number }> {
  await tx.unsafe(
    `update workflow set open = false, state = 'running', reason = $2,
       cancel_requested_at = coalesce(cancel_requested_at, now()) where id = $1`,
    [workflow, reason],
    { prepare: true },
  );
  const count = `select count(*) filter (where not held)::int as pending,
    count(*) filter (where held)::int as running from (${UNSHARED}) x`;
  const [row] = await tx.unsafe(count, [workflow], { prepare: true });
  return row as unknown as { pending: number; running: number };
}
