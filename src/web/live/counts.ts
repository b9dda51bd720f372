/** Small reads that boards watch: how many jobs stand where, in all and by queue. */
import { covers, unionOf } from "../../core/org_filter.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import { Gathered } from "../gathered.ts";
import { LIVE_STATES, type LiveState } from "./filter.ts";

export type StateCounts = Record<LiveState, number>;

/** Jobs per state of these organizations; from counters, never by counting. */
export function countsOf(reads: Sql, orgs: OrgFilter): Promise<StateCounts> {
  return counts.ask(reads, orgs).then((all) => summed(all, orgs));
}

const counts = new Gathered<OrgFilter, StateCount[]>((reads, asked) =>
  readStateCounts(reads, unionOf(asked)),
);

/** The same within a transaction, which nobody shares. */
export async function readCounts(tx: Transaction, orgs: OrgFilter): Promise<StateCounts> {
  return summed(await readStateCounts(tx, orgs), orgs);
}

interface StateCount {
  org_id: number;
  state: string;
  n: number;
}

function readStateCounts(sql: Sql | Transaction, orgs: OrgFilter): Promise<StateCount[]> {
  const own = andOfOrgs(sql, sql`org_id`, orgs);
  return sql<StateCount[]>`
    select org_id, state, sum(n)::float8 as n from (
      select org_id, state, n from counter
      where queue_id <> 0 ${own}
      union all
      select org_id, state, n from counter_delta
      where queue_id <> 0 ${own}
    ) c group by org_id, state`;
}

function summed(rows: readonly StateCount[], orgs: OrgFilter): StateCounts {
  const counts = Object.fromEntries(LIVE_STATES.map((state) => [state, 0])) as StateCounts;
  for (const { org_id, state, n } of rows) {
    if (covers(orgs, org_id) && state in counts) counts[state as LiveState] += n;
  }
  for (const state of LIVE_STATES) counts[state] = Math.max(0, counts[state]);
  return counts;
}

export interface QueueCounts {
  org: string;
  name: string;
  paused_at: string | null;
  paused_by: string | null;
  states: StateCounts;
}

const QUEUES_MAX = 1_000;

export async function readQueues(reads: Sql, orgs: OrgFilter): Promise<QueueCounts[]> {
  const own = andOfOrgs(reads, reads`org_id`, orgs);
  const rows = await reads<
    {
      org: string;
      name: string;
      paused_at: Date | null;
      paused_by: string | null;
      states: Record<string, number> | null;
    }[]
  >`
    select o.name as org, u.name, u.paused_at, u.paused_by, c.states
    from queue u
    join org o on o.id = u.org_id
    left join (
      select queue_id, jsonb_object_agg(state, n) as states from (
        select queue_id, state, sum(n)::float8 as n from (
          select queue_id, state, n from counter where queue_id <> 0 ${own}
          union all
          select queue_id, state, n from counter_delta where queue_id <> 0 ${own}
        ) every group by 1, 2
      ) sums group by 1
    ) c on c.queue_id = u.id
    where true ${andOfOrgs(reads, reads`u.org_id`, orgs)}
    order by o.name, u.name limit ${QUEUES_MAX}`;
  return rows.map((row) => ({
    org: row.org,
    name: row.name,
    paused_at: row.paused_at?.toISOString() ?? null,
    paused_by: row.paused_by,
    states: Object.fromEntries(
      LIVE_STATES.map((state) => [state, Math.max(0, row.states?.[state] ?? 0)]),
    ) as StateCounts,
  }));
}
