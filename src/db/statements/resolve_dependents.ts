/**
 * The second statement of finishing (engine rule 18): with a new snapshot, in the transaction that
 * ended the jobs, their edges are counted off. One statement for good ends; one for everything below
 * bad ends, repeated for what somebody added meanwhile, until nothing below is left.
 *
 * Locks the dependents by id, with a statement before: who waited for a dependent inside of the
 * counting statement would not see what its holder wrote beside it, such as a workflow that it joined.
 * An edge counts once: `satisfied_at` says when.
 */

import { plainArray, secondsArray } from "../arrays.ts";
import type { Transaction } from "../client.ts";
import { counterDeltasOf } from "./counters.ts";
import type { EndedInFull } from "./end_jobs.ts";
import { EVENT_IDS, NEXT_EVENT } from "./event_ids.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";

const prepared = { prepare: true };

const LOCK_GOOD = `
with below as materialized (
  select distinct e.dependent_id as id from unnest($1::uuid[]) as t(id)
  cross join lateral (
    select dependent_id from edge where dependency_id = t.id and satisfied_at is null offset 0) e
  order by 1)
select from below b cross join lateral (
  select from live_job where id = b.id and state = 'queued' for no key update) l`;

const GOOD = `
with ended as (select * from unnest($1::uuid[], $2::float8[], $3::int[]) as t(id, fin, worker)),
counted as (
  update edge e set satisfied_at = to_timestamp(t.fin)
  from ended t where e.dependency_id = any(array[t.id]) and e.satisfied_at is null
  returning e.dependent_id, t.worker),
grouped as (
  select dependent_id, count(*)::int as n, array_agg(distinct worker) filter (where worker is not null)
    as workers
  from counted group by 1),
picked as materialized (
  select g.*, l.state as was,
    case when l.pending_deps = g.n and l.waiting_for = 'dependencies' then 'ready'::job_state
      else 'queued'::job_state end as now_is
  from grouped g join live_job l on l.id = any(array[g.dependent_id])
  where l.state = 'queued' order by g.dependent_id for no key update of l),
moved as (
  update live_job l set pending_deps = l.pending_deps - p.n, state = p.now_is,
    waiting_for = case when p.now_is = 'ready' then null else l.waiting_for end,
    ready_at = case when p.now_is = 'ready' then greatest(l.eligible_at, now()) end,
    ready_rank = case when p.now_is = 'ready'
      then extract(epoch from greatest(l.eligible_at, now()))::float8 - l.priority * $4::float8 end,
    input_workers = (coalesce(l.input_workers, '{}') || coalesce(p.workers, '{}'))[1:8]
  from picked p where l.id = any(array[p.dependent_id])
  returning l.*, p.was, p.now_is),
risen as (select * from moved where now_is = 'ready'),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    since)
  select ${NEXT_EVENT}, ready_at, org_id, queue_id, name_id, id, attempt, was, now_is, eligible_at from risen),
deltas as (${counterDeltasOf("risen")})
select ${READY_COLUMNS} from risen`;

/**
 * All levels at once: below, by id alone, so that many ways down to one job count once. `offset 0`
 * keeps the order of the joins: planned on empty tables, they would read all of `live_job` a level.
 */
const BELOW = `below(id) as (
  select e.dependent_id from ended t
  cross join lateral (select dependent_id from edge where dependency_id = t.id offset 0) e
  union
  select e.dependent_id from below b
  cross join lateral (
    select id from live_job l where l.id = b.id and l.state = 'queued' and l.has_dependents offset 0) l
  cross join lateral (select dependent_id from edge where dependency_id = l.id offset 0) e)`;

const LOCK_BAD = `
with recursive ended as (select * from unnest($1::uuid[]) as t(id)),
${BELOW},
found as materialized (select id from below order by 1)
select from found b cross join lateral (
  select from live_job where id = b.id and state = 'queued' for update) l`;

const BAD = `
with recursive ended as (select * from unnest($1::uuid[], $2::text[]) as t(id, how)),
${BELOW},
bad as (
  select id, how from ended union all
  select b.id, 'dependency_failed' from below b cross join lateral (
    select from live_job l where l.id = b.id and l.state = 'queued' and l.has_dependents offset 0) l),
held as (
  select e.dependent_id as id, min(bad.id::text || ' ended ' || bad.how) as why
  from bad cross join lateral (select dependent_id from edge where dependency_id = bad.id offset 0) e
  group by 1 order by 1),
picked as materialized (
  select l.*, l.state as was, 'dependency_failed'::job_state as now_is,
    greatest(l.queued_at, l.eligible_at, now()) as fin, 'dependency ' || h.why as why
  from held h cross join lateral (
    select * from live_job where id = h.id and state = 'queued' for update) l),
gone as (
  delete from live_job l using picked p where l.id = any(array[p.id]) returning p.*),
job_ends as (
  insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures,
    reason, queued_at, eligible_at, cancel_requested_at)
  select id, fin, org_id, queue_id, name_id, now_is, attempt, failures, why, queued_at, eligible_at,
    cancel_requested_at from gone),
${EVENT_IDS},
events as (
  insert into phase_event (id, at, org_id, queue_id, name_id, job_id, attempt, from_state, state, reason)
  select ${NEXT_EVENT}, fin, org_id, queue_id, name_id, id, attempt, was, now_is, why from gone),
deltas as (${counterDeltasOf("gone")})
select id, now_is as state, org_id, queue_id, name_id, worker_id, has_dependents, has_workflow,
  extract(epoch from fin)::float8 as fin from gone`;

/** Returns the dependents that became ready, and every further end that a bad end caused. */
export async function resolveDependents(
  tx: Transaction,
  ended: EndedInFull[],
  secondsPerPoint: number,
): Promise<{ ready: ReadyRow[]; failed: EndedInFull[] }> {
  const parents = ended.filter((e) => e.has_dependents);
  const good = parents.filter((e) => e.state === "succeeded");
  let ready: ReadyRow[] = [];
  if (good.length > 0) {
    const ids = plainArray(good.map((e) => e.id));
    const fins = secondsArray(good.map((e) => e.fin * 1000));
    const workers = plainArray(good.map((e) => e.worker_id));
    // One connection: the second runs after the first, and with a snapshot of its own.
    const [, rows] = await Promise.all([
      tx.unsafe(LOCK_GOOD, [ids], prepared),
      tx.unsafe(GOOD, [ids, fins, workers, secondsPerPoint], prepared),
    ]);
    ready = rows as unknown as ReadyRow[];
  }
  const failed: EndedInFull[] = [];
  let level = parents.filter((e) => e.state !== "succeeded");
  while (level.length > 0) {
    const ids = plainArray(level.map((e) => e.id));
    const [, rows] = await Promise.all([
      tx.unsafe(LOCK_BAD, [ids], prepared),
      tx.unsafe(BAD, [ids, plainArray(level.map((e) => e.state))], prepared),
    ]);
    const below = rows as unknown as EndedInFull[];
    failed.push(...below);
    level = below.filter((e) => e.has_dependents);
  }
  return { ready, failed };
}
