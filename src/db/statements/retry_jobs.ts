/**
 * Retry (engine rule 19): ended jobs go back to queued under the same id, failures 0, with their
 * dependency_failed descendants. The end row goes: a job has one end or none.
 *
 * Locks, in order: the end rows by id, the workflows by id, the live dependencies by id. Only then is
 * anything counted, each step with a new snapshot, as a submission does (engine rule 18): a
 * dependency that ends at the same moment was either counted off before, or waits for us.
 */
import { plainArray } from "../arrays.ts";
import type { Transaction } from "../client.ts";
import { counterDeltasOf } from "./counters.ts";
import { EVENT_IDS, NEXT_EVENT } from "./event_ids.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";
import { claimKeys } from "./submission.ts";

const prepared = { prepare: true };

const ENDS = `
with recursive below(id) as (
  select id from unnest($1::uuid[]) as t(id)
  union
  select e.dependent_id from below b
  cross join lateral (select dependent_id from edge where dependency_id = b.id offset 0) e
  cross join lateral (
    select from job_end where job_id = e.dependent_id and state = 'dependency_failed' offset 0) r)
select e.job_id as id from (select id from below order by id limit $2) b
cross join lateral (select job_id from job_end where job_id = b.id and state <> 'succeeded' for update) e`;

/**
 * Those of `ids` that ended badly and all that failed because of them; their ends locked. Asked until
 * there are no more: below an end that we waited for, its holder may have put another job.
 */
export async function lockEnds(tx: Transaction, ids: string[], limit: number): Promise<string[]> {
  let found: string[] = [];
  for (;;) {
    const rows = await tx.unsafe(ENDS, [plainArray(ids), limit], prepared);
    if (rows.length <= found.length) return found;
    found = rows.map((r) => r.id as string);
  }
}

const WORKFLOWS = `
select id from workflow where id = any(array(
  select w.workflow_id from unnest($1::uuid[]) as t(id)
  cross join lateral (select workflow_id from workflow_job where job_id = t.id offset 0) w))
order by id for no key update`;

const OPEN_DEPENDENCIES = `
with open as (
  select distinct e.dependency_id as id from unnest($1::uuid[]) as t(id)
  cross join lateral (
    select dependency_id from edge where dependent_id = t.id and satisfied_at is null offset 0) e
  order by 1)
select from open o cross join lateral (select from live_job where id = o.id for no key update) l`;

/** What the ends of these jobs must wait for now: nothing settles a workflow or ends a dependency. */
export async function lockAround(tx: Transaction, ids: string[]): Promise<void> {
  const list = plainArray(ids);
  await tx.unsafe(WORKFLOWS, [list], prepared);
  await tx.unsafe(OPEN_DEPENDENCIES, [list], prepared);
}

const BAD = `
select t.id, e.dependency_id as dependency from unnest($1::uuid[]) as t(id)
cross join lateral (
  select dependency_id from edge where dependent_id = t.id and satisfied_at is null offset 0) e
cross join lateral (
  select where not exists (select from live_job where id = any(array[e.dependency_id])) offset 0) b
order by 1, 2`;

/** Each of these jobs with each dependency of it that ended badly: nobody knows its end any more, perhaps. */
export async function badDependencies(tx: Transaction, ids: string[]) {
  const rows = await tx.unsafe(BAD, [plainArray(ids)], prepared);
  return rows as unknown as { id: string; dependency: string }[];
}

const REVIVE = `
with ends as materialized (
  select e.* from unnest($1::uuid[]) as t(id)
  cross join lateral (select * from job_end where job_id = t.id and state <> 'succeeded' for update) e),
gone as (
  delete from job_end e using ends
  where e.job_id = any(array[ends.job_id]) and e.finished_at = any(array[ends.finished_at])
  returning e.*),
facts as materialized (
  select g.job_id as id, g.org_id, g.queue_id, g.name_id, g.state as was, g.attempt, j.shape_id,
    j.priority, j.max_attempts, case when n.counted then n.id else 0 end as counted_name,
    exists (select from edge e where e.dependent_id = g.job_id offset 0) as has_inputs,
    exists (select from edge e where e.dependency_id = g.job_id offset 0) as has_dependents,
    exists (select from workflow_job w where w.job_id = g.job_id offset 0) as has_workflow,
    (select count(*) from edge e where e.dependent_id = g.job_id and e.satisfied_at is null)::int as pending,
    greatest(now(), g.finished_at) as at,
    case when j.run_at > greatest(now(), g.finished_at) then j.run_at end as due
  from gone g
  cross join lateral (select * from job where id = g.job_id offset 0) j
  cross join lateral (select id, counted from job_name where id = g.name_id offset 0) n),
moved as materialized (
  select f.*, case when due is null and pending = 0 then 'ready'::job_state else 'queued' end as now_is,
    case when due is not null then 'run_at'::waiting_for when pending > 0 then 'dependencies' end
      as waiting_for
  from facts f),
risen as materialized (
  select m.*, now_is as state, case when now_is = 'ready' then at end as ready_at,
    case when now_is = 'ready' then extract(epoch from at)::float8 - priority * $2::float8 end
      as ready_rank,
    0::real as dependents, null::int[] as input_workers, null::int[] as rejected_by
  from moved m),
alive as (
  insert into live_job (id, org_id, queue_id, name_id, counted_name, shape_id, state, waiting_for,
    priority, attempt, max_attempts, pending_deps, has_inputs, has_dependents, has_workflow,
    ready_rank, queued_at, due_at, eligible_at, ready_at)
  select id, org_id, queue_id, name_id, counted_name, shape_id, now_is, waiting_for,
    priority, attempt, max_attempts, pending, has_inputs, has_dependents, has_workflow,
    ready_rank, at, due, case when due is null then at end, ready_at
  from risen),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, reason, actor, since)
  select ${NEXT_EVENT}, m.at, m.org_id, m.queue_id, m.name_id, m.id, m.attempt, s.was, s.now_is,
    s.waiting, s.why, s.who, case when s.now_is = 'ready' then m.at end
  from moved m cross join lateral (
    values (m.was, 'queued'::job_state, m.waiting_for, coalesce($4, 'retry'), $3::text),
           ('queued'::job_state, m.now_is, null::waiting_for, null::text, null::text)
  ) as s(was, now_is, waiting, why, who)
  where s.why is not null or m.now_is = 'ready'),
deltas as (${counterDeltasOf("moved")}),
reopened as (
  update workflow set state = 'running', finished_at = null, cancel_requested_at = null, reason = null
  where finished_at is not null and id = any(array(
    select w.workflow_id from moved m
    cross join lateral (select workflow_id from workflow_job where job_id = m.id offset 0) w)))
select ${READY_COLUMNS} from risen`;

/** `actor`, `reason`: written into the phase event of each. */
export async function reviveJobs(
  tx: Transaction,
  ids: string[],
  options: { secondsPerPoint: number; actor: string; reason: string | null },
): Promise<ReadyRow[]> {
  const rows = await tx.unsafe(
    REVIVE,
    [plainArray(ids), options.secondsPerPoint, options.actor, options.reason],
    prepared,
  );
  await claimAgain(tx, ids);
  return rows as unknown as ReadyRow[];
}

const KEYS = `
select j.id as job, j.org_id as org, j.dedupe_key as key from unnest($1::uuid[]) as t(id)
cross join lateral (select id, org_id, dedupe_key from job where id = t.id offset 0) j
cross join lateral (select from live_job where id = t.id offset 0) l
where j.dedupe_key is not null`;

/** Their keys may have been forgotten since they ended, or name others: those that live keep them. */
async function claimAgain(tx: Transaction, ids: string[]): Promise<void> {
  const rows = await tx.unsafe(KEYS, [plainArray(ids)], prepared);
  const claims = rows as unknown as { job: string; org: number; key: string }[];
  for (const [org, some] of Map.groupBy(claims, (c) => c.org)) {
    // One key may come back with several jobs, each of which had it in its time: the newest keeps it.
    const byKey = new Map(some.map((c) => [c.key, c]));
    await claimKeys(tx, org, [...byKey.values()]);
  }
}
