/** When tokens were last used: for many at once, now and then. */
import { plainArray, secondsArray } from "../arrays.ts";
import type { Sql } from "../client.ts";

/** Epoch milliseconds by the id of a token. */
export type Uses = ReadonlyMap<string, number>;

export async function writeTokenUses(
  sql: Sql,
  table: "api_token" | "worker_token",
  uses: Uses,
): Promise<void> {
  if (uses.size === 0) return;
  // In order of their ids, so that two servers that write the same tokens do not lock each other out.
  const ids = [...uses.keys()].sort();
  await sql.unsafe(
    `with used as (
       select u.id, to_timestamp(u.at) as at
       from unnest($1::uuid[], $2::float8[]) u (id, at) order by u.id),
     held as (
       select t.id, used.at from ${table} t join used on t.id = any (array[used.id])
       order by t.id for no key update of t)
     update ${table} t set last_used_at = greatest(t.last_used_at, held.at)
     from held where t.id = held.id`,
    [plainArray(ids), secondsArray(ids.map((id) => uses.get(id)))],
    { prepare: true },
  );
}
