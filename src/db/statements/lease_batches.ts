/** Removal of lease batches that nothing lives of (`lease_batch`). Locks nothing else, by beat and session. */
import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";
import { NIL_UUID } from "./counters.ts";

export interface BatchPlace {
  beat: string;
  session: number;
}

/** Those of which the caller knows that every lease has ended, and that this is committed. */
export async function removeBatches(sql: Sql, batches: BatchPlace[]): Promise<void> {
  if (batches.length === 0) return;
  const sorted = [...batches].sort((a, b) =>
    a.beat === b.beat ? a.session - b.session : a.beat < b.beat ? -1 : 1,
  );
  await sql.unsafe(
    `delete from lease_batch b using unnest($1::uuid[], $2::bigint[]) as t(beat, session)
     where b.beat = any(array[t.beat]) and b.session_id = t.session`,
    [plainArray(sorted.map((b) => b.beat)), plainArray(sorted.map((b) => b.session))],
    { prepare: true },
  );
}

/**
 * Members never come back to life and none joins, so what a snapshot shows dead is dead: whatever
 * happens beside this statement, it takes no living one out.
 */
const TIDY = `
with looked as materialized (
  select beat, session_id, jobs, attempts from lease_batch
  where (beat, session_id) > ($1::uuid, $2::bigint) order by beat, session_id limit $3),
judged as materialized (
  select s.beat, s.session_id, cardinality(s.jobs) as had, a.jobs, a.attempts from looked s
  cross join lateral (
    select array_agg(t.job) as jobs, array_agg(t.attempt) as attempts
    from unnest(s.jobs, s.attempts) as t(job, attempt)
    join live_job l on l.id = any(array[t.job])
    where l.attempt = t.attempt and l.session_id = s.session_id) a),
gone as (
  delete from lease_batch b using judged j
  where b.beat = any(array[j.beat]) and b.session_id = j.session_id and j.jobs is null returning 1),
shortened as (
  update lease_batch b set jobs = j.jobs, attempts = j.attempts from judged j
  where b.beat = any(array[j.beat]) and b.session_id = j.session_id
    and cardinality(j.jobs) * 2 <= j.had returning 1)
select (select count(*) from gone)::int + (select count(*) from shortened)::int as changed,
  (select array[beat::text, session_id::text] from looked order by beat desc, session_id desc limit 1) as last`;

export const FIRST_BATCH: BatchPlace = { beat: NIL_UUID, session: 0 };

/** Looks at `limit` batches after a place: removes the dead, shortens what is at least half dead. */
export async function tidyBatches(sql: Sql, after: BatchPlace, limit: number) {
  const [row] = await sql.unsafe(TIDY, [after.beat, after.session, limit], { prepare: true });
  const last = (row?.last ?? null) as [string, string] | null;
  return {
    changed: (row?.changed ?? 0) as number,
    last: last === null ? null : { beat: last[0], session: Number(last[1]) },
  };
}
