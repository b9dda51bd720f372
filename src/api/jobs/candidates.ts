/** One step of a walk through jobs: a bounded chunk along an index, and which of it matches. */
import { smallestId, timeOfId } from "../../core/ids.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import type { ListFilter } from "./filter.ts";
import type { JobReader } from "./rows.ts";

/** What is walked. */
export type Source = "all" | "live" | "leased" | "ended" | "workflow";

export interface Step {
  /** Ids below this one; null: from the newest. */
  before: string | null;
  /** Rows to look at. */
  chunk: number;
  /** Matches wanted. */
  want: number;
}

export interface Found {
  ids: string[];
  scanned: number;
  /** The oldest id looked at, or null where there was none. */
  last: string | null;
}

type Tx = Sql | Transaction;
/** Ids are made by the server's clock, `created_at` by the database's: they may differ by this. */
export const CLOCK_SLACK_MS = 300_000;
const TOP = "ffffffff-ffff-ffff-ffff-ffffffffffff";

export async function candidates(
  reader: JobReader,
  source: Source,
  filter: ListFilter,
  step: Step,
): Promise<Found> {
  const before = step.before ?? TOP;
  const from = smallestId(Math.max(0, (filter.createdAfter ?? 0) - CLOCK_SLACK_MS));
  const { sql } = reader;
  const range = { before, from, chunk: step.chunk };
  if (source === "workflow") return members(reader, filter, range, step.want);
  const rows = await sql`
    with chunk as materialized (${chunkOf(sql, source, filter, range)}),
    hits as (
      select c.id from chunk c ${jobJoins(sql, filter)}
      where ${source === "all" ? sql`true` : sql`c.org_id = ${filter.org}`}
        ${source === "all" ? sql`` : stateConditions(sql, filter, sql`c`)}
        ${nameConditions(sql, filter, sql`c`)} ${jobConditions(sql, filter)}
      order by c.id desc limit ${step.want}
    )
    select (select count(*)::int from chunk) as scanned, (select min(id::text) from chunk) as last,
      array(select id::text from hits order by id desc) as ids`;
  return rows[0] as unknown as Found;
}

interface Range {
  before: string;
  from: string;
  chunk: number;
}

/** In id order by an index, whatever the filter: what it costs is known before it runs. */
function chunkOf(
  sql: Tx,
  source: Exclude<Source, "workflow">,
  filter: ListFilter,
  { before, from, chunk }: Range,
) {
  switch (source) {
    case "all":
      return sql`
        select j.id, j.queue_id, j.name_id from job j
        where j.org_id = ${filter.org} and j.id < ${before} and j.id >= ${from}
        order by j.id desc limit ${chunk}`;
    case "live":
      return sql`
        select l.id, l.org_id, l.queue_id, l.name_id, l.state, l.worker_id
        from live_job l where l.id < ${before} and l.id >= ${from}
        order by l.id desc limit ${chunk}`;
    case "leased":
      // As many as there are busy slots: all are read.
      return sql`
        select id, org_id, queue_id, name_id, state, worker_id from (
          select * from leased_job offset 0) l
        where l.id < ${before} and l.id >= ${from}
        order by l.id desc limit ${chunk}`;
    case "ended":
      return sql`
        select e.job_id as id, e.org_id, e.queue_id, e.name_id, e.state, e.worker_id
        from job_end e where e.job_id < ${before} and e.job_id >= ${from}
        order by e.job_id desc limit ${chunk}`;
  }
}

/** Members of a workflow; their number bounds the work. Two statements, as in `rows.ts`. */
async function members(
  { sql, now }: JobReader,
  filter: ListFilter,
  { before, from, chunk }: Range,
  want: number,
): Promise<Found> {
  const rows = await sql`
    select distinct job_id as id from workflow_job
    where workflow_id = ${filter.workflow} and job_id < ${before} and job_id >= ${from}
    order by job_id desc limit ${chunk}`;
  const ids = rows.map((row) => row.id as string);
  const last = ids.at(-1) ?? null;
  if (last === null) return { ids: [], scanned: 0, last };
  const earliest = new Date((timeOfId(last) ?? 0) - CLOCK_SLACK_MS);
  const latest = new Date(now() + CLOCK_SLACK_MS);
  const needsState = filter.states.length > 0 || filter.worker !== null;
  const state = sql`
    left join live_job l on l.id = j.id
    left join job_end e on e.job_id = j.id and e.finished_at between ${earliest} and ${latest}
    cross join lateral (select coalesce(l.state, e.state) as state,
      coalesce(l.worker_id, e.worker_id) as worker_id) c`;
  const hits = await sql`
    select j.id from job j join job_name n on n.id = j.name_id ${needsState ? state : sql``}
    where j.id = any(${ids}::uuid[]) and j.org_id = ${filter.org}
      ${needsState ? stateConditions(sql, filter, sql`c`) : sql``}
      ${nameConditions(sql, filter, sql`j`)} ${jobConditions(sql, filter)}
    order by j.id desc limit ${want}`;
  return { ids: hits.map((row) => row.id as string), scanned: ids.length, last };
}

// Conditions; each is empty where nothing was asked

type Fragment = ReturnType<Sql>;

/** What the walked rows do not hold themselves. */
function jobJoins(sql: Tx, { tags, words, createdAfter, createdBefore }: ListFilter) {
  const isTimed = createdAfter !== null || createdBefore !== null;
  const needed = isTimed || Object.keys(tags).length > 0 || words.length > 0;
  return needed ? sql`join job j on j.id = c.id join job_name n on n.id = c.name_id` : sql``;
}

function stateConditions(sql: Tx, { states, worker }: ListFilter, row: Fragment) {
  return sql`
    ${states.length > 0 ? sql`and ${row}.state = any(${states as string[]}::job_state[])` : sql``}
    ${worker === null ? sql`` : sql`and ${row}.worker_id = ${worker}`}`;
}

function nameConditions(sql: Tx, { queue, name }: ListFilter, row: Fragment) {
  return sql`
    ${queue === null ? sql`` : sql`and ${row}.queue_id = ${queue}`}
    ${name === null ? sql`` : sql`and ${row}.name_id = ${name}`}`;
}

function jobConditions(sql: Tx, filter: ListFilter) {
  const { tags, words, createdAfter: after, createdBefore: before } = filter;
  const hasTags = Object.keys(tags).length > 0;
  let all = sql`
    ${after === null ? sql`` : sql`and j.created_at >= ${new Date(after)}`}
    ${before === null ? sql`` : sql`and j.created_at < ${new Date(before)}`}
    ${hasTags ? sql`and j.tags @> ${JSON.stringify(tags)}::text::jsonb` : sql``}`;
  for (const word of words) {
    const within = `%${escapeLike(word)}%`;
    const begins = `${escapeLike(word.toLowerCase())}%`;
    all = sql`${all} and (n.name ilike ${within} or j.tags::text ilike ${within}
      or j.id::text like ${begins})`;
  }
  return all;
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}
