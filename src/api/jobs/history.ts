/** What happened to a job: its attempts and its phase events, oldest first. */
import type { JobState, Outcome, WaitingFor } from "../../core/job_state.ts";
import { waitsOf } from "../../core/waits.ts";
import type { Sql } from "../../db/client.ts";
import { endRange, type JobReader } from "../../web/jobs/rows.ts";
import type { AttemptView, PhaseEventView } from "./schemas.ts";
import { iso, itemsOf, workerRef } from "./view.ts";

type Reader = Pick<JobReader, "now"> & { sql: Sql };

interface AttemptRow {
  attempt: number;
  state: JobState;
  outcome: Outcome | null;
  worker_uid: string | null;
  worker_name: string | null;
  reason: string | null;
  error: string | null;
  exit_code: number | null;
  signal: string | null;
  queued_at: Date;
  eligible_at: Date | null;
  ready_at: Date;
  dispatched_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  run_ms: number | null;
  peak_ram_mb: number | null;
  cpu_ms: number | null;
  disk_read_bytes: number | null;
  disk_write_bytes: number | null;
  network_mbps: number | null;
  oom_killed: boolean | null;
  usage_source: Record<string, string> | null;
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
  log_bytes: number | null;
  score: number | null;
}

/** Ended attempts, and the living one last. `after`: the number of the last one seen. */
export async function readAttempts(
  { sql, now }: Reader,
  job: { id: string; created_at: Date },
  { after, limit }: { after: number; limit: number },
): Promise<AttemptView[]> {
  const { from, to } = endRange(job.created_at.getTime(), now());
  const rows = (await sql<AttemptRow[]>`
    select a.*, w.uid as worker_uid, w.name as worker_name from (
      (select d.attempt, d.state_after as state, d.outcome, d.worker_id, d.reason, d.error,
        d.exit_code, d.signal, d.queued_at, d.eligible_at, d.ready_at, d.dispatched_at,
        d.started_at, d.ended_at, d.run_ms, d.peak_ram_mb, d.cpu_ms, d.disk_read_bytes,
        d.disk_write_bytes, d.network_mbps, d.oom_killed, d.usage_source, d.items_success,
        d.items_failed, d.items_skipped, d.log_bytes, d.score
      from dispatched_job d
      where d.job_id = ${job.id} and d.attempt > ${after}
        and d.ended_at between ${from} and ${to}
      order by d.attempt limit ${limit})
      union all
      (select l.attempt, l.state, null, l.worker_id, null, null, null, null, l.queued_at,
        l.eligible_at, l.ready_at, l.dispatched_at, l.started_at, null, null, null, null, null,
        null, null, null, null, null, null, null, null, l.score
      from live_job l
      where l.id = ${job.id} and l.attempt > ${after} and l.session_id is not null)
    ) a left join worker w on w.id = a.worker_id
    order by a.attempt limit ${limit}`) as AttemptRow[];
  return rows.map(attemptView);
}

export function attemptView(row: AttemptRow): AttemptView {
  return {
    attempt: row.attempt,
    state: row.state,
    outcome: row.outcome,
    worker: workerRef(row.worker_uid, row.worker_name),
    reason: row.reason,
    error: row.error,
    exit_code: row.exit_code,
    signal: row.signal,
    queued_at: row.queued_at.toISOString(),
    eligible_at: iso(row.eligible_at),
    ready_at: row.ready_at.toISOString(),
    dispatched_at: row.dispatched_at.toISOString(),
    started_at: iso(row.started_at),
    ended_at: iso(row.ended_at),
    waits: waitsView(row),
    usage: {
      peak_ram_mb: row.peak_ram_mb,
      cpu_ms: row.cpu_ms,
      disk_read_bytes: row.disk_read_bytes,
      disk_write_bytes: row.disk_write_bytes,
      network_mbps: row.network_mbps,
      oom_killed: row.oom_killed,
      source: row.usage_source ?? {},
    },
    items: itemsOf(row),
    log_bytes: row.log_bytes,
    score: row.score,
  };
}

function waitsView(row: AttemptRow): AttemptView["waits"] {
  const waits = waitsOf({
    queuedAt: row.queued_at.getTime(),
    eligibleAt: row.eligible_at?.getTime() ?? null,
    readyAt: row.ready_at.getTime(),
    dispatchedAt: row.dispatched_at.getTime(),
    startedAt: row.started_at?.getTime() ?? null,
    runMs: row.run_ms,
  });
  return {
    deferral_ms: waits.deferralMs,
    dependency_wait_ms: waits.dependencyWaitMs,
    queue_wait_ms: waits.queueWaitMs,
    start_latency_ms: waits.startLatencyMs,
    run_ms: waits.runMs,
  };
}

interface EventRow {
  id: number;
  at: Date;
  attempt: number;
  from_state: JobState | null;
  state: JobState;
  waiting_for: WaitingFor | null;
  outcome: Outcome | null;
  reason: string | null;
  worker_uid: string | null;
  worker_name: string | null;
  actor: string | null;
}

/**
 * `after`: the id of the last one seen. The time bounds let the reader skip the days in which
 * nothing can have happened to this job; within a day a BRIN index leads to its blocks.
 */
export async function readEvents(
  { sql, now }: Reader,
  job: { id: string; created_at: Date; finished_at: Date | null },
  { after, limit }: { after: number; limit: number },
): Promise<PhaseEventView[]> {
  const { from, to } = endRange(job.created_at.getTime(), job.finished_at?.getTime() ?? now());
  const rows = (await sql<EventRow[]>`
    select p.id, p.at, p.attempt, p.from_state, p.state, p.waiting_for, p.outcome, p.reason,
      w.uid as worker_uid, w.name as worker_name, p.actor
    from phase_event p left join worker w on w.id = p.worker_id
    where p.job_id = ${job.id} and p.id > ${after}
      and p.at between ${from} and ${to}
    order by p.id limit ${limit}`) as EventRow[];
  return rows.map((row) => ({
    id: String(row.id),
    at: row.at.toISOString(),
    attempt: row.attempt,
    from_state: row.from_state,
    state: row.state,
    waiting_for: row.waiting_for,
    outcome: row.outcome,
    reason: row.reason,
    worker: workerRef(row.worker_uid, row.worker_name),
    actor: row.actor,
  }));
}
