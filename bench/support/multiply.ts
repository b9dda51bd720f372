/**
 * Many waiting jobs, quickly: copies of ready jobs that the server itself submitted, made by SQL with
 * everything the engine would have written (rows, phase events, counters), under new ids.
 */
import type postgres from "postgres";

/** Copies a statement: a transaction of a million rows would hold up every vacuum. */
const CHUNK = 100_000;

/** Makes `copies` more of the ready jobs of these names' shapes, in turns. */
export async function multiply(sql: postgres.Sql, shapes: number[], copies: number): Promise<void> {
  for (let made = 0; made < copies; made += CHUNK) {
    const length = Math.min(CHUNK, copies - made);
    await sql.begin(async (tx) => {
      await tx`create temp table copy on commit drop as
        with kinds as (
          select distinct on (l.shape_id) l.id, dense_rank() over (order by l.shape_id) - 1 as place
          from live_job l where l.shape_id = any(${shapes}) and l.ready_rank is not null
            and l.attempt = 0 order by l.shape_id, l.id)
        select k.id as old, uuidv7() as id from generate_series(0, ${length - 1}) n
        join kinds k on k.place = n % ${shapes.length} order by n`;
      const [copied] = await tx`select count(*)::int as n from copy`;
      if (copied!.n !== length) throw new Error(`${copied!.n} copies instead of ${length}`);
      await insertCopies(tx);
    });
  }
  await sql`vacuum (analyze) live_job`;
  await sql`vacuum (analyze) job`;
}

async function insertCopies(tx: postgres.TransactionSql): Promise<void> {
  const job = `org_id, queue_id, name_id, shape_id, kind, priority, max_attempts, backoff_base,
    backoff_factor, backoff_max, timeout_seconds, tags, created_by, payload`;
  await tx.unsafe(`insert into job (id, created_at, ${job})
    select c.id, now(), ${job} from copy c join job j on j.id = c.old`);
  const live = `org_id, queue_id, name_id, shape_id, counted_name, state, priority, max_attempts`;
  await tx.unsafe(`insert into live_job (id, ready_rank, queued_at, eligible_at, ready_at, ${live})
    select c.id, extract(epoch from now())::float8, now(), now(), now(), ${live}
    from copy c join live_job l on l.id = c.old`);
  await tx.unsafe(`insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
    select now(), org_id, queue_id, name_id, c.id, 0, s.was, s.now_is
    from copy c join job j on j.id = c.old cross join (values
      ('created'::job_state, 'queued'::job_state), ('queued', 'ready')) s(was, now_is)`);
  await tx.unsafe(`insert into counter_delta (org_id, queue_id, name_id, state, n)
    select org_id, queue_id, 0, 'ready'::job_state, count(*)
    from copy c join live_job l on l.id = c.old group by 1, 2
    union all
    select org_id, 0, counted_name, 'ready', count(*)
    from copy c join live_job l on l.id = c.old group by 1, 3`);
}
