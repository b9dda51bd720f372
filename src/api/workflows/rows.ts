/** Workflows with the counts of their jobs, and their jobs by key. */
import { JOB_STATES, type JobState } from "../../core/job_state.ts";
import type { Sql } from "../../db/client.ts";
import { countByWorkflow } from "../../db/job_counts.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import { type JobReader, type JobRow, readJobs } from "../../web/jobs/rows.ts";
import { iso } from "../jobs/view.ts";
import type { WorkflowSummary, WorkflowView } from "./schemas.ts";

interface WorkflowRow {
  id: string;
  org_id: number;
  org: string;
  name: string;
  state: WorkflowSummary["state"];
  open: boolean;
  commit_hash: string | null;
  commit_at: Date | null;
  created_at: Date;
  finished_at: Date | null;
  cancel_requested_at: Date | null;
  reason: string | null;
}

export interface WorkflowFilter {
  org: number;
  state: readonly string[];
  name: string | null;
}

/** Rows that one page may look through for those that match. */
const SCANNED_MAX = 20_000;

/** Newest first. `next`: the last id looked at, where there may be more. */
export async function listWorkflows(
  sql: Sql,
  { org, state, name }: WorkflowFilter,
  { before, limit }: { before: string | null; limit: number },
): Promise<{ items: WorkflowSummary[]; next: string | null }> {
  const below = before === null ? sql`` : sql`and w.id < ${before}`;
  const [found] = await sql`
    with chunk as materialized (
      select w.id, w.name, w.state from workflow w where w.org_id = ${org} ${below}
      order by w.id desc limit ${SCANNED_MAX}
    )
    select (select count(*)::int from chunk) as scanned, (select min(id::text) from chunk) as last,
      array(select id::text from chunk where true
        ${state.length > 0 ? sql`and state = any(${state as string[]}::workflow_state[])` : sql``}
        ${name === null ? sql`` : sql`and name = ${name}`}
        order by id desc limit ${limit + 1}) as ids`;
  const { scanned, last, ids } = found as unknown as {
    scanned: number;
    last: string | null;
    ids: string[];
  };
  const items = await readWorkflows(sql, org, ids.slice(0, limit));
  if (ids.length > limit) return { items, next: ids[limit - 1]! };
  return { items, next: scanned < SCANNED_MAX ? null : last };
}

async function readWorkflows(sql: Sql, org: number, ids: string[]): Promise<WorkflowSummary[]> {
  if (ids.length === 0) return [];
  const [rows, counts] = await Promise.all([
    sql`${select(sql)} where w.id = any(${ids}::uuid[]) order by w.id desc`,
    countByWorkflow(sql, org, ids),
  ]);
  return (rows as unknown as WorkflowRow[]).map((row) =>
    summaryView(row, counts.get(row.id) ?? {}),
  );
}

function select(sql: Sql) {
  return sql`
    select w.id, w.org_id, o.name as org, w.name, w.state, w.open, w.commit_hash, w.commit_at,
      w.created_at, w.finished_at, w.cancel_requested_at, w.reason
    from workflow w join org o on o.id = w.org_id`;
}

/** With a page of its jobs by key, from after `afterKey`; null where there is none. */
export async function readWorkflow(
  reader: JobReader & { sql: Sql },
  id: string,
  { afterKey, limit }: { afterKey: string | null; limit: number },
): Promise<WorkflowView | null> {
  const { sql } = reader;
  const seen = andOfOrgs(sql, sql`w.org_id`, reader.orgs);
  const [row] = (await sql`${select(sql)} where w.id = ${id} ${seen}`) as unknown as WorkflowRow[];
  if (row === undefined) return null;
  const members = (await sql`
    select key, job_id from workflow_job
    where workflow_id = ${id} ${afterKey === null ? sql`` : sql`and key > ${afterKey}`}
    order by key limit ${limit + 1}`) as unknown as { key: string; job_id: string }[];
  const page = members.slice(0, limit);
  const [jobs, counts] = await Promise.all([
    readJobs(
      reader,
      page.map((member) => member.job_id),
    ),
    countByWorkflow(sql, row.org_id, [id]),
  ]);
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return {
    ...summaryView(row, counts.get(id) ?? {}),
    jobs: page.flatMap(({ key, job_id }) => {
      const job = byId.get(job_id);
      return job === undefined ? [] : [memberView(key, job)];
    }),
    next_cursor: members.length > limit ? page.at(-1)!.key : null,
  };
}

function memberView(key: string, job: JobRow): WorkflowView["jobs"][number] {
  return {
    key,
    id: job.id,
    name: job.name,
    state: job.state,
    depends_on: job.depends_on ?? [],
    attempt: job.attempt,
    exit_code: job.exit_code,
    started_at: iso(job.started_at),
    finished_at: iso(job.finished_at),
  };
}

function summaryView(row: WorkflowRow, counts: Partial<Record<JobState, number>>): WorkflowSummary {
  const { commit_hash, commit_at } = row;
  return {
    id: row.id,
    org: row.org,
    name: row.name,
    state: row.state,
    open: row.open,
    commit:
      commit_hash === null || commit_at === null
        ? null
        : { hash: commit_hash, timestamp: commit_at.toISOString() },
    reason: row.reason,
    created_at: row.created_at.toISOString(),
    finished_at: iso(row.finished_at),
    cancel_requested_at: iso(row.cancel_requested_at),
    counts: Object.fromEntries(JOB_STATES.map((s) => [s, Math.max(0, counts[s] ?? 0)])),
  };
}
