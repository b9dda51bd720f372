/** Keys of jobs: the values of the tag by which a queue is limited. */
import { plainArray } from "../../arrays.ts";
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };

/** By id; nothing of a job that has no such tag. */
export async function readKeys(
  sql: Sql | Transaction,
  ids: string[],
  tag: string,
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.unsafe(
    `select id, tags ->> $2::text as key from job where id = any($1::uuid[]) and tags ->> $2::text is not null`,
    [plainArray(ids), tag],
    prepared,
  );
  return new Map(rows.map((row) => [row.id as string, row.key as string]));
}

/** Leases of a queue that are held now, by key: as many rows are read as there are leases. */
export async function countHeldKeys(
  sql: Sql | Transaction,
  queue: number,
  tag: string,
): Promise<Map<string, number>> {
  const rows = await sql.unsafe(
    `select k.key, count(*)::int as n
     from (select id from leased_job where queue_id = $1) l
     cross join lateral (
       select tags ->> $2::text as key from job where id = any(array[l.id]) offset 0) k
     where k.key is not null group by 1`,
    [queue, tag],
    prepared,
  );
  return new Map(rows.map((row) => [row.key as string, row.n as number]));
}
