/**
 * Old rows of tables that are not partitioned, because they are few or hang on something else. Removed in
 * chunks, each a short transaction of its own, found by an index or by walking the key.
 */
import type { Transaction } from "../../client.ts";

const prepared = { prepare: true };

/** Rows of one chunk. */
export const CHUNK = 2_000;

export interface Chunk {
  removed: number;
  /** Where the next one goes on; null where this was the last. */
  after: string | null;
}

/** A kind of row that grows old. */
export interface OldRows {
  name: string;
  /** Before the first key of all. */
  first: string;
  /** Looks at one chunk of rows beyond `$1`; the other parameters are `params`. */
  sql: string;
  params: readonly (string | number | null)[];
}

export async function removeChunk(
  tx: Transaction,
  { sql, params }: Pick<OldRows, "sql" | "params">,
  after: string,
): Promise<Chunk> {
  const [row] = await tx.unsafe(sql, [after, ...params], prepared);
  const { removed, seen, last } = row as unknown as { removed: number; seen: number; last: string };
  return { removed, after: seen < CHUNK ? null : last };
}

const COUNTED = `
select (select count(*) from gone)::int as removed, (select count(*) from page where is_old)::int as seen,
  (select key::text from page order by key desc limit 1) as last`;

/**
 * Walks the key: for tables in which old rows stand among young ones. `isOld`: once a chunk has a row
 * that is not, all further ones are younger too.
 */
function walked(
  table: string,
  [key, type]: readonly [name: string, type: string],
  where: { isOld?: string; row: string },
): string {
  return `
with page as materialized (
  select ${key} as key, ${where.isOld ?? "true"} as is_old from ${table}
  where ${key} > $1::text::${type} order by ${key} limit ${CHUNK}),
gone as (
  delete from ${table} t using page p where t.${key} = p.key and ${where.row} returning 1)
${COUNTED}`;
}

/** All of what an index finds: nothing is left to walk over. */
function found(table: string, page: string): string {
  return `
with page as materialized (
  select ctid as at, ''::text as key, true as is_old from ${table}
  where $1::text is not null and ${page} limit ${CHUNK}),
gone as (
  delete from ${table} where ctid = any(array(select at from page)) and ${page} returning 1)
${COUNTED}`;
}

const seconds = (ms: number) => ms / 1000;
const NIL = "00000000-0000-0000-0000-000000000000";
const AT = (n: number) => `to_timestamp($${n}::float8)`;

/** What hangs on jobs whose day is gone: ids from `low` up to, not including, `high`. */
export function rowsOfJobs(low: string, high: string): OldRows[] {
  const of = (table: string, column: string): OldRows => {
    const page = `${column} >= $2::uuid and ${column} < $3::uuid`;
    return { name: table, first: "", sql: found(table, page), params: [low, high] };
  };
  return [of("edge", "dependent_id"), of("workflow_batch", "job_id"), of("workflow_job", "job_id")];
}

/**
 * Workflows without a job, with their counts. `before`: they ended before that; an id says when a
 * workflow was made, so younger ones are not even looked at.
 */
export function emptyWorkflows(before: number, firstKept: string): OldRows {
  const sql = `
with page as materialized (
  select id as key, true as is_old from workflow
  where id > $1::text::uuid and id < $2::uuid order by id limit ${CHUNK}),
gone as (
  delete from workflow w using page p where w.id = p.key and w.finished_at < ${AT(3)}
    and not exists (select from workflow_job m where m.workflow_id = p.key)
  returning w.id, w.org_id),
counts as (
  delete from counter c using gone g
  where c.org_id = g.org_id and c.queue_id = 0 and c.name_id = 0 and c.workflow_id = g.id)
${COUNTED}`;
  return { name: "workflow", first: NIL, sql, params: [firstKept, seconds(before)] };
}

/** Finished ones; ids say when they began. */
export function oldOperations(before: number, firstKept: string): OldRows[] {
  return ["operation", "admin_task"].map((name) => ({
    name,
    first: NIL,
    sql: walked(name, ["id", "uuid"], { isOld: "id < $2::uuid", row: `t.finished_at < ${AT(3)}` }),
    params: [firstKept, seconds(before)],
  }));
}

export function oldRankings(before: number): OldRows {
  const age = (day: string) => `(${day} - date '2000-01-01')`;
  const page = `${age("day")} < ${age(`(${AT(2)} at time zone 'UTC')::date`)}`;
  return { name: "ranking", first: "", sql: found("ranking", page), params: [seconds(before)] };
}

/** What became of due times; the newest of each schedule stays, and what has not ended. */
export function oldFires(before: number): OldRows {
  const page = `at < ${AT(2)} and (outcome is not null or state not in ('waiting', 'submitted'))
    and exists (select from schedule_fire n where n.schedule_id = schedule_fire.schedule_id
      and n.nominal_at > schedule_fire.nominal_at)`;
  const sql = found("schedule_fire", page);
  return { name: "schedule_fire", first: "", sql, params: [seconds(before)] };
}

/** Signalbox's own runs, as long as what rollups are computed from. */
export function oldMaintenance(before: number): OldRows {
  const sql = found("maintenance_run", `ended_at < ${AT(2)}`);
  return { name: "maintenance_run", first: "", sql, params: [seconds(before)] };
}

/** Ended sessions; ids are handed out in the order of time. */
export function oldConnections(before: number): OldRows {
  const where = { isOld: `connected_at < ${AT(2)}`, row: `t.ended_at < ${AT(2)}` };
  const sql = walked("worker_connection", ["id", "bigint"], where);
  return { name: "worker_connection", first: "0", sql, params: [seconds(before)] };
}

/** Workers of which no session is left. */
export function oldWorkers(before: number): OldRows {
  const row = `t.last_seen_at < ${AT(2)}
    and not exists (select from worker_connection c where c.worker_id = t.id)`;
  const sql = walked("worker", ["id", "int"], { row });
  return { name: "worker", first: "0", sql, params: [seconds(before)] };
}

export function oldHistories(before: number): OldRows {
  const sql = walked("name_history", ["name_id", "int"], { row: `t.updated_at < ${AT(2)}` });
  return { name: "name_history", first: "0", sql, params: [seconds(before)] };
}

/** Contexts that were stored last before any decision that is kept. */
export function oldContexts(before: number): OldRows {
  const sql = found("context_snapshot", `used_at < ${AT(2)}`);
  return { name: "context_snapshot", first: "", sql, params: [seconds(before)] };
}

/** Shapes and names that no job has borne since. Names that are counted by themselves stand in rollups. */
export function oldNames(before: number): OldRows[] {
  const params = [seconds(before)];
  const shapes = walked("shape", ["id", "int"], { row: `t.used_at < ${AT(2)}` });
  const row = `t.used_at < ${AT(2)} and not t.counted
    and not exists (select from name_history h where h.name_id = t.id)`;
  const names = walked("job_name", ["id", "int"], { row });
  return [
    { name: "shape", first: "0", sql: shapes, params },
    { name: "job_name", first: "0", sql: names, params },
  ];
}
