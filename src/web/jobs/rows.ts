/**
 * A job's parts: input in `job`, state in `live_job` while it lives, else in `job_end` with the
 * times of its last attempt in `dispatched_job`.
 *
 * Two statements and not one: `job_end` and `dispatched_job` are partitioned by the day of the end,
 * and only when the day a job was made is known can a plan leave the other days out. Joined in one
 * statement, planning alone took 5 ms with 9 days of partitions, and goes with their number.
 */
import type { JobState, WaitingFor } from "../../core/job_state.ts";
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import type { Interner } from "../../engine/interner.ts";
import type { Requirements } from "../../messages/job_input.ts";

export interface JobRow extends InputRow, StateRow {
  org: string;
  name: string;
  queue: string;
  worker: { id: string; name: string } | null;
  finished_at: Date | null;
  run_ms: number | null;
  exit_code: number | null;
  reason: string | null;
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
  result?: unknown;
}

/** What never changes. */
interface InputRow {
  id: string;
  org_id: number;
  queue_id: number;
  name_id: number;
  kind: "exec" | "handler";
  priority: number;
  requirements: Requirements;
  max_attempts: number;
  backoff_base: number;
  backoff_factor: number;
  backoff_max: number;
  timeout_seconds: number | null;
  run_at: Date | null;
  depends_on: string[] | null;
  dedupe_key: string | null;
  tags: Record<string, string> | null;
  created_by: string | null;
  created_at: Date;
  workflows: { id: string; key: string }[] | null;
  payload?: unknown;
}

/** Where it stands: from `live_job`; from `job_end` all but what only the living have. */
interface StateRow {
  state: JobState;
  waiting_for: WaitingFor | null;
  attempt: number;
  failures: number;
  worker_id: number | null;
  queued_at: Date | null;
  eligible_at: Date | null;
  ready_at: Date | null;
  dispatched_at: Date | null;
  started_at: Date | null;
  cancel_requested_at: Date | null;
  cancel_acknowledged_at: Date | null;
  error: string | null;
  progress: number | null;
  progress_note: string | null;
}

type LiveRow = InputRow & { [K in keyof StateRow]: StateRow[K] | null } & { alive: boolean };
type EndRow = Omit<JobRow, keyof InputRow | "org" | "name" | "queue" | "worker"> & { id: string };

export interface JobReader {
  sql: Sql | Transaction;
  names: Interner;
  /** Database time, milliseconds since the epoch. */
  now(): number;
  /** Only jobs of these are there. */
  orgs: OrgFilter;
}

interface Options {
  /** With payload and result. */
  whole?: boolean;
}

/** Clocks of servers may differ by this much. */
const SLACK_MS = 60_000;
/** A job can be retried between the two statements, and is then looked at again. */
const LOOKS_MAX = 4;

/** One job with its payload and result, or null. */
export async function readJob(reader: JobReader, id: string): Promise<JobRow | null> {
  return (await readJobs(reader, [id], { whole: true }))[0] ?? null;
}

/** Jobs of these ids, in no order; those that do not exist are absent. At most 1,000 ids. */
export async function readJobs(
  reader: JobReader,
  ids: readonly string[],
  options: Options = {},
): Promise<JobRow[]> {
  const found: JobRow[] = [];
  let missing = ids;
  for (let look = 0; look < LOOKS_MAX && missing.length > 0; look += 1) {
    const rows = await readLive(reader, missing, options);
    const resting = rows.filter((row) => !row.alive);
    const ends = await readEnds(reader, resting, options);
    await loadNames(reader.names, rows, ends);
    for (const row of rows) {
      const end = ends.get(row.id);
      if (row.alive || end !== undefined) found.push(joined(reader.names, row, end));
    }
    missing = resting.filter((row) => !ends.has(row.id)).map((row) => row.id);
  }
  return found;
}

async function readLive(
  { sql, orgs }: JobReader,
  ids: readonly string[],
  { whole }: Options,
): Promise<LiveRow[]> {
  return (await sql`
    select j.id, j.org_id, j.queue_id, j.name_id, j.kind, j.priority, s.requirements,
      j.max_attempts, j.backoff_base, j.backoff_factor, j.backoff_max, j.timeout_seconds, j.run_at,
      j.depends_on, j.dedupe_key, j.tags, j.created_by, j.created_at, l.id is not null as alive,
      l.state, l.waiting_for, l.attempt, l.failures, l.worker_id, l.queued_at, l.eligible_at,
      l.ready_at, l.dispatched_at, l.started_at, l.cancel_requested_at, l.cancel_acknowledged_at,
      l.last_error as error, l.progress, l.progress_note,
      l.items_success, l.items_failed, l.items_skipped,
      case when l.has_workflow is not false then (
        select json_agg(json_build_object('id', m.workflow_id, 'key', m.key) order by m.workflow_id)
        from workflow_job m where m.job_id = j.id) end as workflows
      ${whole ? sql`, j.payload` : sql``}
    from job j join shape s on s.id = j.shape_id left join live_job l on l.id = j.id
    where j.id = any(${ids as string[]}::uuid[]) ${andOfOrgs(sql, sql`j.org_id`, orgs)}`) as unknown as LiveRow[];
}

/** How jobs ended, with their last attempts, looked for from the day of the oldest on. */
async function readEnds(
  { sql, now }: JobReader,
  jobs: readonly LiveRow[],
  { whole }: Options,
): Promise<Map<string, EndRow>> {
  if (jobs.length === 0) return new Map();
  const oldest = Math.min(...jobs.map((job) => job.created_at.getTime()));
  const { from, to } = endRange(oldest, now());
  const rows = (await sql`
    select e.job_id as id, e.state, null as waiting_for, e.attempt, e.failures, e.worker_id,
      e.queued_at, e.eligible_at, e.ready_at, d.dispatched_at, d.started_at, e.finished_at,
      e.cancel_requested_at, null as cancel_acknowledged_at, e.exit_code, e.reason, e.error,
      null as progress, null as progress_note, d.run_ms, d.items_success, d.items_failed,
      d.items_skipped ${whole ? sql`, e.result` : sql``}
    from job_end e left join dispatched_job d
      on d.job_id = e.job_id and d.attempt = e.attempt and d.ended_at = e.finished_at
      and d.ended_at between ${from} and ${to}
    where e.job_id = any(${jobs.map((job) => job.id)}::uuid[])
      and e.finished_at between ${from} and ${to}`) as unknown as EndRow[];
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * When something made at `createdMs` can have ended: between constants, so that a plan leaves out all
 * other days' partitions, also those that are made ahead.
 */
export function endRange(createdMs: number, nowMs: number): { from: Date; to: Date } {
  return { from: new Date(createdMs - SLACK_MS), to: new Date(nowMs + SLACK_MS) };
}

function joined(names: Interner, row: LiveRow, end: EndRow | undefined): JobRow {
  const merged = (end === undefined
    ? { ...NOT_ENDED, ...row }
    : { ...row, ...end }) as unknown as JobRow;
  const { worker_id: worker } = merged;
  return {
    ...merged,
    org: names.orgName(row.org_id),
    name: names.jobName(row.name_id),
    queue: names.queueName(row.queue_id),
    worker:
      worker === null ? null : { id: names.workerUid(worker), name: names.workerName(worker) },
  };
}

const NOT_ENDED = {
  finished_at: null,
  run_ms: null,
  exit_code: null,
  reason: null,
};

async function loadNames(
  names: Interner,
  rows: readonly LiveRow[],
  ends: ReadonlyMap<string, EndRow>,
): Promise<void> {
  const workers = [...rows, ...ends.values()].flatMap(({ worker_id: id }) => (id ? [id] : []));
  await names.load({
    orgs: rows.map((row) => row.org_id),
    queues: rows.map((row) => row.queue_id),
    names: rows.map((row) => row.name_id),
    workers,
  });
}
