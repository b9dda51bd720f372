/** The costliest attempts of a span of days, from the lists that are kept of each day. */
import type { Sql } from "../../db/client.ts";
import { type Measure, measureId, PLACES } from "../../db/statements/rollups/write_rankings.ts";
import type { GroupIds } from "../metrics/groups.ts";

export interface RankedAttempt {
  job: string;
  attempt: number;
  value: number;
  endedAt: number;
  name: string;
  queue: string;
  org: string;
  /** Null: retention has forgotten it. */
  worker: string | null;
  workerUid: string | null;
}

/** Days of UTC, both included: "2026-11-22". `ids` name the lists that are read. */
export interface ListsAsk {
  measure: Measure;
  from: string;
  to: string;
  ids: GroupIds;
}

const NONE = [0];

/** How many lists there may be to read of each day. */
export function listsOf({ orgs, queues, names }: GroupIds): number {
  return (queues ?? names ?? orgs ?? NONE).length;
}

/**
 * Each attempt once, though it may stand in the lists of several groups. Whatever is among the first of all
 * stands in one of the lists whose first attempts cost the most, so that no other list is read beyond
 * its first place.
 */
export async function readRankedAttempts(reads: Sql, ask: ListsAsk): Promise<RankedAttempt[]> {
  const { orgs, queues, names } = ask.ids;
  const metric = measureId(ask.measure);
  return await reads<RankedAttempt[]>`
    with lists as materialized (
      select org_id, queue_id, name_id, day from ranking
      where metric_id = ${metric} and org_id = any(${list(orgs)}::int[])
        and queue_id = any(${list(queues)}::int[]) and name_id = any(${list(names)}::int[])
        and day between ${ask.from}::date and ${ask.to}::date and place = 1
      order by value desc, job_id, attempt limit ${PLACES})
    select r.job_id as job, r.attempt, r.value, extract(epoch from r.ended_at)::float8 * 1000 as "endedAt",
      n.name, q.name as queue, o.name as org, w.name as worker, w.uid as "workerUid"
    from (
      select distinct on (r.value, r.job_id, r.attempt) r.*
      from lists l cross join lateral (
        select * from ranking k
        where k.metric_id = ${metric} and k.org_id = l.org_id and k.queue_id = l.queue_id
          and k.name_id = l.name_id and k.day = l.day
        order by k.place limit ${PLACES}) r
      order by r.value desc, r.job_id, r.attempt limit ${PLACES}) r
    join job_name n on n.id = r.job_name_id join queue q on q.id = r.job_queue_id
    join org o on o.id = r.job_org_id left join worker w on w.id = r.worker_id
    order by r.value desc, r.job_id, r.attempt`;
}

/** The first day that has a list of these organizations; 0 stands for all of them. */
export async function firstRankedDay(reads: Sql, orgs: readonly number[]): Promise<string | null> {
  const [row] = await reads<{ day: string | null }[]>`
    select min(f.day)::text as day from unnest(${[...orgs]}::int[]) o(id) cross join lateral (
      select day from ranking
      where metric_id = ${measureId("longest")} and org_id = o.id and queue_id = 0 and name_id = 0
      order by day limit 1) f`;
  return row?.day ?? null;
}

function list(ids: readonly number[] | null): number[] {
  return [...(ids ?? NONE)];
}
