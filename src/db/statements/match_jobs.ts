/**
 * Jobs that match a filter, by keyset on id, for operations. Reads only; bounded by `limit` rows
 * looked at, so that a filter that matches nothing costs a chunk and not a table.
 */

import { plainArray } from "../arrays.ts";
import type { Sql } from "../client.ts";

export interface MatchFilter {
  org: number;
  /** Interned; -1 where the name was never used: matches nothing. */
  queue?: number;
  name?: number;
  workflow?: string;
  states?: string[];
  tag?: Record<string, string>;
  createdAfter?: string;
  createdBefore?: string;
}

export interface Match {
  ids: string[];
  /** The last id looked at; null where the end was reached. */
  cursor: string | null;
}

const OF_ORG = `
  select j.id, j.queue_id, j.name_id, j.tags, j.created_at from job j
  where j.org_id = $1 and j.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    and $5::uuid is null
  order by j.id desc limit $9`;

/** From the workflow's own list: it has thousands of jobs where its organization has millions. */
const OF_WORKFLOW = `
  select j.id, j.queue_id, j.name_id, j.tags, j.created_at
  from (select distinct job_id from (
      select job_id from workflow_job where workflow_id = $5::uuid
        and (job_id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')) is true offset 0) x
    order by job_id desc limit $9) w
  cross join lateral (select * from job where id = w.job_id and org_id = $1 offset 0) j
  order by j.id desc`;

/** `live`: jobs that have not ended; `ended`: those that have. Newest first. */
export async function matchJobs(
  sql: Sql,
  kind: "live" | "ended",
  filter: MatchFilter,
  before: string | null,
  limit: number,
): Promise<Match> {
  const alive = kind === "live";
  const rows = await sql.unsafe(
    `with seen as (
       ${filter.workflow === undefined ? OF_ORG : OF_WORKFLOW})
     select s.id, (${
       alive
         ? `exists (select from live_job l where l.id = s.id
             and ($6::job_state[] is null or l.state = any($6::job_state[])) offset 0)`
         : `exists (select from job_end e where e.job_id = s.id
             and e.finished_at >= s.created_at and e.state = any($6::job_state[]) offset 0)`
     }
       and ($3::int is null or s.queue_id = $3) and ($4::int is null or s.name_id = $4)
       and ($7::text is null or s.tags @> $7::text::jsonb)
       and ($8::timestamptz is null or s.created_at > $8)
       and ($10::timestamptz is null or s.created_at < $10)) as hit
     from seen s order by s.id desc`,
    [
      filter.org,
      before,
      filter.queue ?? null,
      filter.name ?? null,
      filter.workflow ?? null,
      filter.states ? plainArray(filter.states) : null,
      filter.tag ? JSON.stringify(filter.tag) : null,
      filter.createdAfter ?? null,
      limit,
      filter.createdBefore ?? null,
    ],
    { prepare: true },
  );
  return {
    ids: rows.filter((r) => r.hit).map((r) => r.id as string),
    cursor: rows.length < limit ? null : (rows[rows.length - 1]!.id as string),
  };
}
