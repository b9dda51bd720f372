/** How much of each name waits for a slot: now, and as it was ten minutes ago. */
import type { Sql } from "../../db/client.ts";

export interface QueueSizes {
  /** By name id; a name that is missing: none waits. */
  now: ReadonlyMap<number, number>;
  /** Null: nobody looked then. */
  before: ReadonlyMap<number, number> | null;
}

const BEFORE_MS = 600_000;
/** A look this much earlier stands for it. */
const NEAR_MS = 60_000;

/** `ids` of names that are counted by themselves. */
export async function readQueueSizes(
  reads: Sql,
  names: readonly { org: number; id: number }[],
  now: number,
): Promise<QueueSizes> {
  if (names.length === 0) return { now: new Map(), before: null };
  const ids = names.map((one) => one.id);
  const orgs = names.map((one) => one.org);
  const [current, look] = await Promise.all([
    reads<{ id: number; n: number }[]>`
      select id, greatest(0, sum(n))::float8 as n from (
        select t.id, c.n from unnest(${orgs}::int[], ${ids}::int[]) as t(org, id)
        join counter c on c.org_id = t.org and c.queue_id = 0 and c.name_id = t.id and c.state = 'ready'
        union all
        select name_id, n from counter_delta where name_id = any(${ids}::int[]) and state = 'ready') c
      group by id`,
    reads<{ at: Date }[]>`
      select at from instance_sample where org_id = 0 and name_id = 0
        and at <= ${new Date(now - BEFORE_MS)} and at > ${new Date(now - BEFORE_MS - NEAR_MS)}
      order by at desc limit 1`,
  ]);
  const at = look[0]?.at;
  const before =
    at === undefined
      ? null
      : await reads<{ id: number; n: number }[]>`
          select name_id as id, pending::float8 as n from instance_sample
          where at = ${at} and org_id = any(${[...new Set(orgs)]}::int[]) and name_id = any(${ids}::int[])`;
  const byId = (rows: readonly { id: number; n: number }[]) =>
    new Map(rows.map((row) => [row.id, row.n]));
  return { now: byId(current), before: before === null ? null : byId(before) };
}
