/** What must be true of our database after a run, asked of the tables alone. */
import type postgres from "postgres";

type Sql = postgres.Sql;

const SAMPLE = 500;

/** Every sampled attempt names contexts that exist, and has terms. Throws a sentence. */
export async function checkDispatches(sql: Sql, attempts: number): Promise<void> {
  const [counted] = await sql`
    select count(*)::int as n, count(*) filter (where outcome = 'succeeded')::int as good
    from dispatched_job`;
  expect(
    counted?.n === attempts && counted?.good === attempts,
    `${attempts} good attempts`,
    counted,
  );
  const [sampled] = await sql`
    with sampled as (
      select a.score, a.run_ms, a.started_at, d.*
      from (select * from dispatched_job order by md5(job_id::text) limit ${SAMPLE}) a
      left join decided_job d on d.beat = a.beat and d.beat_place = a.beat_place
        and d.job_id = a.job_id)
    select count(*)::int as n,
      count(*) filter (where w.kind = 'worker' and w.body ? 'slots')::int as workers,
      count(*) filter (where j.kind = 'job' and j.body ? 'kind')::int as jobs,
      count(*) filter (where i.kind = 'instance' and i.body ? 'workers')::int as instances,
      count(*) filter (where cardinality(terms) > 5 and rules_version is not null
        and score is not null and considered > 0)::int as scored,
      count(*) filter (where run_ms is not null and started_at is not null)::int as timed
    from sampled
    left join context_snapshot w on w.id = worker_context
    left join context_snapshot j on j.id = job_context
    left join context_snapshot i on i.id = instance_context`;
  const n = Math.min(SAMPLE, attempts);
  const full = ["n", "workers", "jobs", "instances", "scored", "timed"].every(
    (k) => sampled?.[k] === n,
  );
  expect(full, `${n} dispatches with worker, job and instance context, terms and times`, sampled);
}

/** One end row and five phase events a job, none left behind. */
export async function checkHistory(sql: Sql, jobs: number): Promise<void> {
  const [row] = await sql`
    select (select count(*)::int from job_end where state = 'succeeded') as ends,
      (select count(distinct job_id)::int from job_end) as ended,
      (select count(*)::int from live_job) as live,
      (select count(*)::int from phase_event) as events`;
  const whole =
    row?.ends === jobs && row.ended === jobs && row.live === 0 && row.events === jobs * 5;
  expect(whole, `${jobs} ends, ${jobs * 5} phase events and no live job`, row);
}

/** Counters and deltas together are `count(*)` of the rows they count. */
export async function checkCounters(sql: Sql): Promise<void> {
  const wrong = await sql`
    with told as (
      select org_id, queue_id, name_id, state, sum(n)::int as n from (
        select org_id, queue_id, name_id, workflow_id, state, n from counter
        union all
        select org_id, queue_id, name_id, workflow_id, state, n from counter_delta) c
      where workflow_id = '00000000-0000-0000-0000-000000000000'
      group by 1, 2, 3, 4 having sum(n) <> 0),
    counted as (
      select org_id, queue_id, 0 as name_id, state, count(*)::int as n from live_job group by 1, 2, 4
      union all
      select org_id, 0, counted_name, state, count(*)::int from live_job group by 1, 3, 4)
    select * from told full join counted using (org_id, queue_id, name_id, state)
    where told.n is distinct from counted.n`;
  expect(wrong.length === 0, "counters equal to the rows they count", wrong);
}

/** A job that took 5 ms says so. */
export async function checkDuration(sql: Sql, ids: string[]): Promise<void> {
  const [row] = await sql`
    select count(*)::int as n, min(run_ms) as least from dispatched_job where job_id = any(${ids})`;
  const told = row?.n === ids.length && row.least >= 4.5;
  expect(told, `durations of at least 4.5 ms for ${ids.length} jobs of 5 ms`, row);
}

function expect(holds: boolean, what: string, found: unknown): void {
  if (!holds) throw new Error(`expected ${what}, found ${JSON.stringify(found)}`);
}
