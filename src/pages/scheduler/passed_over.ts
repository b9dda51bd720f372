/**
 * Recent dispatches and the jobs that came closest to them. A dispatch is found by its job: those that hold
 * a slot now, and the newest that were submitted. Jobs of others do not count among those that are
 * looked at, so that how many they are neither is told nor hides what a reader may see.
 */
import { smallestId } from "../../core/ids.ts";
import { covers } from "../../core/org_filter.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { Interner } from "../../engine/interner.ts";

/** Jobs on workers, and the newest jobs, that are looked at. */
export const HELD_MAX = 200;
export const NEWEST_MAX = 300;
/** Dispatches that are shown. */
export const SHOWN_MAX = 20;

export interface PassedOver {
  /** Dispatches whose decision is still kept, of jobs that were looked at. */
  looked: number;
  /** Epoch milliseconds of the first of them; null of none. */
  since: number | null;
  /** Jobs that the reader sees, and how often they were passed over. */
  jobs: number;
  times: number;
  /** The latest that passed over somebody. */
  shown: Dispatch[];
  /** All that did, shown or not. */
  contested: number;
}

export interface Dispatch {
  job: string;
  name: string;
  worker: string;
  at: number;
  score: number;
  candidates: Candidate[];
  /** Candidates that the reader does not see. */
  hidden: number;
}

export interface Candidate {
  job: string;
  /** Null: the job is gone. */
  name: string | null;
  /** Points that it had less; in a bundle of leases it may have had more. */
  behind: number;
}

interface Row {
  job_id: string;
  name_id: number;
  worker_id: number;
  at: number;
  score: number;
  candidates: string[];
  scores: number[];
}

export async function readPassedOver(
  { reads, names }: { reads: Sql; names: Interner },
  orgs: OrgFilter,
  span: { from: number; to: number },
): Promise<PassedOver> {
  const rows = await readDispatches(reads, orgs, span);
  const contested = rows.filter((row) => row.candidates.length > 0);
  const ids = [...new Set(contested.flatMap((row) => row.candidates))];
  const known = await readJobs(reads, ids);
  const isSeen = (id: string) => {
    const job = known.get(id);
    return job === undefined ? orgs === "all" : covers(orgs, job.org_id);
  };
  const shown = contested.slice(0, SHOWN_MAX);
  await names.load({
    names: [...shown.map((row) => row.name_id), ...[...known.values()].map((job) => job.name_id)],
    workers: shown.map((row) => row.worker_id),
  });
  const seen = contested.flatMap((row) => row.candidates.filter(isSeen));
  return {
    looked: rows.length,
    since: rows.at(-1)?.at ?? null,
    jobs: new Set(seen).size,
    times: seen.length,
    contested: contested.length,
    shown: shown.map((row) => {
      const candidates = row.candidates.flatMap((job, at): Candidate[] => {
        if (!isSeen(job)) return [];
        const name = known.get(job);
        const behind = row.score - row.scores[at]!;
        return [{ job, name: name === undefined ? null : names.jobName(name.name_id), behind }];
      });
      return {
        ...{ job: row.job_id, name: names.jobName(row.name_id), at: row.at, score: row.score },
        ...{ worker: names.workerName(row.worker_id), candidates },
        hidden: row.candidates.length - candidates.length,
      };
    }),
  };
}

/** The latest first. */
async function readDispatches(
  reads: Sql,
  orgs: OrgFilter,
  { from, to }: { from: number; to: number },
): Promise<Row[]> {
  const since = new Date(from);
  const rows = await reads<Row[]>`
    with held as (
      select id, attempt, name_id, worker_id, dispatched_at, score, beat, beat_place
      from leased_job where true ${andOfOrgs(reads, reads`org_id`, orgs)} limit ${HELD_MAX}),
    newest as (${newestJobs(reads, orgs, { from, to })}),
    ended as (
      select d.job_id, d.attempt, d.name_id, d.worker_id, d.dispatched_at, d.score, d.beat, d.beat_place
      from newest n cross join lateral (
        select * from dispatched_job
        where job_id = n.id and ended_at >= greatest(n.created_at - interval '5 minutes', ${since}::timestamptz)
        order by attempt desc limit 1) d),
    dispatches as (select * from held union all select * from ended)
    select a.id as job_id, a.name_id, a.worker_id, extract(epoch from a.dispatched_at)::float8 * 1000 as at,
      a.score, d.candidates, d.candidate_scores as scores
    from dispatches a join decided_job d on d.beat = any(array[a.beat]) and d.beat_place = a.beat_place
    where a.dispatched_at >= ${since} and a.dispatched_at < ${new Date(to)} and a.score is not null
    order by a.dispatched_at desc, a.id desc`;
  return [...rows];
}

/** Jobs that are looked at of all organizations together, where there are many. */
const EACH_MAX = 4_000;

/** With the day on which each was made: what has ended before that need not be looked through. */
function newestJobs(reads: Sql, orgs: OrgFilter, { from, to }: { from: number; to: number }) {
  const made = reads`id >= ${smallestId(Math.floor(from))} and id < ${smallestId(Math.ceil(to))}`;
  if (orgs === "all") {
    return reads`select id, created_at from job where ${made} order by id desc limit ${NEWEST_MAX}`;
  }
  // Each organization's own, along its own index, which this order asks for where the planner takes no
  // organization for fixed: a walk through everybody's newest jobs would be as long as others are busy.
  const each = Math.max(10, Math.min(NEWEST_MAX, Math.floor(EACH_MAX / Math.max(1, orgs.length))));
  return reads`
    select j.id, j.created_at from unnest(${[...orgs]}::int[]) o(id) cross join lateral (
      select id, created_at from job
      where org_id = any(array[o.id]) and ${made}
      order by org_id desc, id desc limit ${each}) j
    order by j.id desc limit ${NEWEST_MAX}`;
}

async function readJobs(
  reads: Sql,
  ids: readonly string[],
): Promise<Map<string, { name_id: number; org_id: number }>> {
  if (ids.length === 0) return new Map();
  const rows = await reads<{ id: string; name_id: number; org_id: number }[]>`
    select id, name_id, org_id from job where id = any(${ids}::uuid[])`;
  return new Map(rows.map((row) => [row.id, row]));
}
