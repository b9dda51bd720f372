/**
 * Interning: names to small ids. `insert … on conflict`, sorted, then a second statement
 * reads the winners: the first cannot see rows that another transaction inserted meanwhile.
 */
import type { Sql } from "../client.ts";
import { rowSource } from "../row_source.ts";

const prepared = { prepare: true };

/** Names counted by themselves in an organization; the rest are counted as "other". */
const NAMES_COUNTED = 200;

/** Retention goes by it; a server asks once a day. */
const used = (table: string) =>
  `update set used_at = now() where ${table}.used_at < now() - interval '12 hours'`;

export async function internQueues(sql: Sql, org: number, names: string) {
  await sql.unsafe(
    `insert into queue (org_id, name) select $1, n from unnest($2::text[]) n order by n
     on conflict (org_id, name) do nothing`,
    [org, names],
    prepared,
  );
  const rows = await sql.unsafe(
    `select id, name from queue where org_id = $1 and name = any($2::text[])`,
    [org, names],
    prepared,
  );
  return rows as unknown as { id: number; name: string }[];
}

export async function internJobNames(sql: Sql, org: number, names: string) {
  await sql.unsafe(
    `with have as (select count(*) as n from (select 1 from job_name where org_id = $1
        limit ${NAMES_COUNTED}) x),
     fresh as (select n, row_number() over (order by n) as place from unnest($2::text[]) n)
     insert into job_name (org_id, name, counted)
     select $1, f.n, have.n + f.place <= ${NAMES_COUNTED} from fresh f cross join have order by f.n
     on conflict (org_id, name) do ${used("job_name")}`,
    [org, names],
    prepared,
  );
  const rows = await sql.unsafe(
    `select id, name, counted from job_name where org_id = $1 and name = any($2::text[])`,
    [org, names],
    prepared,
  );
  return rows as unknown as { id: number; name: string; counted: boolean }[];
}

export interface ShapeInput {
  org: number;
  queue: number;
  kind: "exec" | "handler";
  name: number | null;
  requirements: object;
}

export interface ShapeRow {
  id: number;
  hash: string;
  org_id: number;
  queue_id: number;
  kind: "exec" | "handler";
  name_id: number | null;
  requirements: object;
}

const shapes = rowSource<ShapeInput & { hash: string }>("t", [
  ["hash", "uuid", (s) => s.hash],
  ["org", "int", (s) => s.org],
  ["queue", "int", (s) => s.queue],
  ["kind", "job_kind", (s) => s.kind],
  ["name", "int", (s) => s.name],
  ["requirements", "json", (s) => s.requirements],
]);

export async function internShapes(
  sql: Sql,
  inputs: (ShapeInput & { hash: string })[],
): Promise<ShapeRow[]> {
  const params = shapes.params(inputs);
  await sql.unsafe(
    `insert into shape (hash, org_id, queue_id, kind, name_id, requirements)
     select hash, org, queue, kind, name, requirements::jsonb from ${shapes.sql} order by hash
     on conflict (hash) do ${used("shape")}`,
    params,
    prepared,
  );
  const rows = await sql.unsafe(
    `select id, hash, org_id, queue_id, kind, name_id, requirements from shape where hash = any($1::uuid[])`,
    [params[0]!],
    prepared,
  );
  return rows as unknown as ShapeRow[];
}

/** Each list is a PostgreSQL array literal of ids, or "" for none. */
export async function loadNames(
  sql: Sql,
  ids: { orgs: string; queues: string; names: string; workers: string; shapes: string },
) {
  const read = async <T>(text: string, list: string): Promise<T[]> =>
    list === "" ? [] : ((await sql.unsafe(text, [list], prepared)) as unknown as T[]);
  return {
    orgs: await read<{ id: number; name: string }>(
      `select id, name from org where id = any($1::int[])`,
      ids.orgs,
    ),
    queues: await read<{ id: number; org_id: number; name: string }>(
      `select id, org_id, name from queue where id = any($1::int[])`,
      ids.queues,
    ),
    names: await read<{ id: number; org_id: number; name: string; counted: boolean }>(
      `select id, org_id, name, counted from job_name where id = any($1::int[])`,
      ids.names,
    ),
    workers: await read<{ id: number; name: string; uid: string }>(
      `select id, name, uid from worker where id = any($1::int[])`,
      ids.workers,
    ),
    shapes: await read<ShapeRow>(
      `select id, hash, org_id, queue_id, kind, name_id, requirements from shape
       where id = any($1::int[])`,
      ids.shapes,
    ),
  };
}
