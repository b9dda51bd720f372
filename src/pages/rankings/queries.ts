/** The costliest attempts of a span of days, from the lists that are kept of each day. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { type Measure, measureId, PLACES } from "../../db/statements/rollups/write_rankings.ts";
import type { GroupIds } from "../../web/metrics/groups.ts";

export interface RankedAttempt {
  job: string;
  attempt: number;
  value: number;
  endedAt: number;
  name: string;
  queue: string;
  org: string;
  worker: string | null;
}

/** Days of UTC, both included: "2026-11-22". `ids` name the lists that are read. */
export interface RankingAsk {
  measure: Measure;
  from: string;
  to: string;
  ids: GroupIds;
}

const NONE = [0];

/** Each attempt once, though it stands in the lists of several groups. */
export async function readRanking(reads: Sql, ask: RankingAsk): Promise<RankedAttempt[]> {
  const { orgs, queues, names } = ask.ids;
  return await reads<RankedAttempt[]>`
    select r.job_id as job, r.attempt, r.value, extract(epoch from r.ended_at)::float8 * 1000 as "endedAt",
      n.name, q.name as queue, o.name as org, w.name as worker
    from (
      select distinct on (value, job_id, attempt) * from ranking
      where metric_id = ${measureId(ask.measure)} and org_id = any(${list(orgs)}::int[])
        and queue_id = any(${list(queues)}::int[]) and name_id = any(${list(names)}::int[])
        and day between ${ask.from}::date and ${ask.to}::date
      order by value desc, job_id, attempt limit ${PLACES}) r
    join job_name n on n.id = r.job_name_id join queue q on q.id = r.job_queue_id
    join org o on o.id = r.job_org_id left join worker w on w.id = r.worker_id
    order by r.value desc, r.job_id, r.attempt`;
}

function list(ids: readonly number[] | null): number[] {
  return [...(ids ?? NONE)];
}

/** Whether the span begins before the first day that has lists of these organizations. */
export async function firstRankedDay(reads: Sql, orgs: OrgFilter): Promise<string | null> {
  const own = orgs === "all" ? [0] : [...orgs];
  const [row] = await reads<{ day: string | null }[]>`
    select min(day)::text as day from ranking
    where metric_id = ${measureId("longest")} and org_id = any(${own}::int[])
      and queue_id = 0 and name_id = 0`;
  return row?.day ?? null;
}
