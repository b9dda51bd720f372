/** One step of a walk through jobs: a bounded chunk along an index, and which of it matches. */
import { smallestId } from "../../core/ids.ts";
import type { Transaction } from "../../db/client.ts";
import type { ListFilter } from "./filter.ts";

/** Which table is walked. */
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

/** Ids are made by the server's clock, `created_at` by the database's: they may differ by this. */
export const CLOCK_SLACK_MS = 300_000;
const TOP = "ffffffff-ffff-ffff-ffff-ffffffffffff";

export async function candidates(
  tx: Transaction,
  source: Source,
  filter: ListFilter,
  step: Step,
): Promise<Found> {
  const from = smallestId(Math.max(0, (filter.createdAfter ?? 0) - CLOCK_SLACK_MS));
  const rows = await tx`
    with chunk as materialized (
      ${chunkOf(tx, source, filter, { ...step, before: step.before ?? TOP, from })}
    ), hits as (
      select c.id from chunk c ${joins(tx, source, filter)}
      where ${conditions(tx, source, filter)}
      order by c.id desc limit ${step.want}
    )
    select (select count(*)::int from chunk) as scanned, (select min(id::text) from chunk) as last,
      array(select id::text from hits order by id desc) as ids`;
  return rows[0] as unknown as Found;
}

/** In id order by an index, whatever the filter: what it costs is known before it runs. */
function chunkOf(
  tx: Transaction,
  source: Source,
  filter: ListFilter,
  { before, from, chunk }: { before: string; from: string; chunk: number },
) {
  switch (source) {
    case "all":
      return tx`
        select j.id, j.queue_id, j.name_id, null::job_state as state, null::int as worker_id
        from job j where j.org_id = ${filter.org} and j.id < ${before} and j.id >= ${from}
        order by j.id desc limit ${chunk}`;
    case "live":
      return tx`
        select l.id, l.org_id, l.queue_id, l.name_id, l.state, l.worker_id
        from live_job l where l.id < ${before} and l.id >= ${from}
        order by l.id desc limit ${chunk}`;
    case "leased":
      // As many as there are busy slots: all are read, by the index that holds nothing else.
      return tx`
        select id, org_id, queue_id, name_id, state, worker_id from (
          select * from live_job where session_id is not null offset 0) l
        where l.id < ${before} and l.id >= ${from}
        order by l.id desc limit ${chunk}`;
    case "ended":
      return tx`
        select e.job_id as id, e.org_id, e.queue_id, e.name_id, e.state, e.worker_id
        from job_end e where e.job_id < ${before} and e.job_id >= ${from}
        order by e.job_id desc limit ${chunk}`;
    case "workflow":
      return tx`
        select distinct m.job_id as id from workflow_job m
        where m.workflow_id = ${filter.workflow} and m.job_id < ${before} and m.job_id >= ${from}
        order by m.job_id desc limit ${chunk}`;
  }
}

/** What the walked table does not hold itself. */
function joins(tx: Transaction, source: Source, filter: ListFilter) {
  const { tags, words, createdAfter, createdBefore } = filter;
  const isTimed = createdAfter !== null || createdBefore !== null;
  const needsJob = isTimed || Object.keys(tags).length > 0 || words.length > 0;
  const needsState = source === "all" && (filter.states.length > 0 || filter.worker !== null);
  const needsName = words.length > 0;
  return tx`
    ${source === "workflow" || needsJob ? tx`join job j on j.id = c.id` : tx``}
    ${needsName ? tx`join job_name n on n.id = j.name_id` : tx``}
    ${needsState || source === "workflow" ? stateOf(tx) : tx``}`;
}

/** Live state, else how it ended: looked for from the day of its making on. */
function stateOf(tx: Transaction) {
  return tx`
    left join live_job l on l.id = c.id
    left join lateral (
      select e.state, e.worker_id from job_end e
      where e.job_id = c.id and l.id is null and e.finished_at >= to_timestamp(
        ('x' || substr(replace(c.id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0 - 60)
      order by e.finished_at desc limit 1) e on true`;
}

function conditions(tx: Transaction, source: Source, filter: ListFilter) {
  const { org, states, queue, name, worker } = filter;
  const joined = source === "workflow";
  const looked = joined || (source === "all" && (states.length > 0 || worker !== null));
  const state = looked ? tx`coalesce(l.state, e.state)` : tx`c.state`;
  const workerId = looked ? tx`coalesce(l.worker_id, e.worker_id)` : tx`c.worker_id`;
  const owner = joined ? tx`j` : tx`c`;
  return tx`true
    ${source === "all" ? tx`` : tx`and ${owner}.org_id = ${org}`}
    ${states.length > 0 ? tx`and ${state} = any(${states as string[]}::job_state[])` : tx``}
    ${queue === null ? tx`` : tx`and ${owner}.queue_id = ${queue}`}
    ${name === null ? tx`` : tx`and ${owner}.name_id = ${name}`}
    ${worker === null ? tx`` : tx`and ${workerId} = ${worker}`}
    ${timeConditions(tx, filter)} ${tagConditions(tx, filter)} ${wordConditions(tx, filter)}`;
}

function timeConditions(tx: Transaction, { createdAfter, createdBefore }: ListFilter) {
  return tx`
    ${createdAfter === null ? tx`` : tx`and j.created_at >= ${new Date(createdAfter)}`}
    ${createdBefore === null ? tx`` : tx`and j.created_at < ${new Date(createdBefore)}`}`;
}

function tagConditions(tx: Transaction, { tags }: ListFilter) {
  if (Object.keys(tags).length === 0) return tx``;
  return tx`and j.tags @> ${JSON.stringify(tags)}::text::jsonb`;
}

function wordConditions(tx: Transaction, { words }: ListFilter) {
  let all = tx``;
  for (const word of words) {
    const within = `%${escapeLike(word)}%`;
    const begins = `${escapeLike(word.toLowerCase())}%`;
    all = tx`${all} and (n.name ilike ${within} or j.tags::text ilike ${within}
      or j.id::text like ${begins})`;
  }
  return all;
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}
