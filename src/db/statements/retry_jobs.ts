/**
 * Retry (engine rule 19): ended jobs go back to queued under the same id, failures 0, with their
 * dependency_failed descendants. The end row goes: a job has one end or none.
 */
import { plainArray } from "../arrays.ts";
import type { Transaction } from "../client.ts";
import { counterDeltasOf } from "./counters.ts";
import { READY_COLUMNS, type ReadyRow } from "./ready_rows.ts";

export interface EndState {
  job_id: string;
  state: "succeeded" | "failed" | "cancelled" | "dependency_failed";
}

/** Ends of these jobs, locked by id. */
export async function lockEnds(tx: Transaction, ids: string[]): Promise<EndState[]> {
  const rows = await tx.unsafe(
    `select job_id, state from job_end where job_id = any($1::uuid[]) order by job_id for update`,
    [plainArray(ids)],
    { prepare: true },
  );
  return rows as unknown as EndState[];
}

export interface Below {
  id: string;
  /** Dependencies that ended badly, this retry's own included. */
  bad: string[];
}

/** Direct dependents of these jobs that ended dependency_failed, with what holds them. */
export async function failedDependents(tx: Transaction, ids: string[]): Promise<Below[]> {
  const rows = await tx.unsafe(
    `select d.id, array(
       select e2.dependency_id from edge e2
       join job_end b on b.job_id = e2.dependency_id and b.state <> 'succeeded'
       where e2.dependent_id = d.id) as bad
     from (select distinct e.dependent_id as id from edge e
           where e.dependency_id = any($1::uuid[])) d
     join job_end r on r.job_id = d.id and r.state = 'dependency_failed'
     order by d.id`,
    [plainArray(ids)],
    { prepare: true },
  );
  return rows as unknown as Below[];
}

/** Dependencies of one job that ended badly. */
export async function badDependencies(tx: Transaction, id: string): Promise<string[]> {
  const rows = await tx.unsafe(
    `select e.dependency_id from edge e join job_end b on b.job_id = e.dependency_id
     where e.dependent_id = $1 and b.state <> 'succeeded' limit 10`,
    [id],
    { prepare: true },
  );
  return rows.map((r) => r.dependency_id as string);
}

const REVIVE = `
with ends as materialized (
  select * from job_end where job_id = any($1::uuid[]) and state <> 'succeeded' order by job_id for update),
gone as (
  delete from job_end e using ends where e.job_id = ends.job_id and e.finished_at = ends.finished_at
  returning e.*),
facts as materialized (
  select g.job_id as id, g.org_id, g.queue_id, g.name_id, g.state as was, g.attempt, j.shape_id,
    j.priority, j.max_attempts, case when n.counted then n.id else 0 end as counted_name,
    coalesce(cardinality(j.depends_on), 0) > 0
      or exists (select from edge e where e.dependent_id = g.job_id) as has_inputs,
    exists (select from edge e where e.dependency_id = g.job_id) as has_dependents,
    exists (select from workflow_job w where w.job_id = g.job_id) as has_workflow,
    (select count(*) from edge e where e.dependent_id = g.job_id and e.satisfied_at is null)::int as pending,
    greatest(now(), g.finished_at) as at
  from gone g join job j on j.id = g.job_id join job_name n on n.id = g.name_id),
alive as (
  insert into live_job (id, org_id, queue_id, name_id, counted_name, shape_id, state, waiting_for,
    priority, attempt, max_attempts, pending_deps, has_inputs, has_dependents, has_workflow,
    ready_rank, queued_at, eligible_at, ready_at)
  select id, org_id, queue_id, name_id, counted_name, shape_id,
    case when pending > 0 then 'queued'::job_state else 'ready'::job_state end,
    case when pending > 0 then 'dependencies'::waiting_for end,
    priority, attempt, max_attempts, pending, has_inputs, has_dependents, has_workflow,
    case when pending = 0 then extract(epoch from at)::float8 - priority * $2::float8 end,
    at, at, case when pending = 0 then at end
  from facts returning *),
moved as materialized (
  select a.*, f.was, a.state as now_is, f.at from alive a join facts f on f.id = a.id),
events as (
  insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state,
    waiting_for, reason, actor)
  select m.at, m.org_id, m.queue_id, m.name_id, m.id, m.attempt, s.was, s.now_is, s.waiting, s.why, s.who
  from moved m cross join lateral (
    values (m.was, 'queued'::job_state, m.waiting_for, coalesce($4, 'retry'), $3::text),
           ('queued'::job_state, m.now_is, null::waiting_for, null::text, null::text)
  ) as s(was, now_is, waiting, why, who)
  where s.why is not null or m.now_is = 'ready'),
deltas as (${counterDeltasOf("moved")}),
reopened as (
  update workflow w set state = 'running', finished_at = null
  where w.finished_at is not null and w.id in (
    select wj.workflow_id from workflow_job wj join facts f on f.id = wj.job_id))
select ${READY_COLUMNS} from moved`;

/** `actor`, `reason`: written into the phase event of each. */
export async function reviveJobs(
  tx: Transaction,
  ids: string[],
  options: { secondsPerPoint: number; actor: string; reason: string | null },
): Promise<ReadyRow[]> {
  const rows = await tx.unsafe(
    REVIVE,
    [plainArray(ids), options.secondsPerPoint, options.actor, options.reason],
    { prepare: true },
  );
  return rows as unknown as ReadyRow[];
}
