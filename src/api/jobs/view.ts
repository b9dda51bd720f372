/** Job rows → the contract's JSON. */
import type { JobRow } from "../../web/jobs/rows.ts";
import type { JobSummary, JobView } from "./schemas.ts";

export function jobSummaryView(row: JobRow): JobSummary {
  return {
    id: row.id,
    org: row.org,
    name: row.name,
    queue: row.queue,
    kind: row.kind,
    priority: row.priority,
    requirements: isEmpty(row.requirements) ? null : row.requirements,
    max_attempts: row.max_attempts,
    backoff: {
      base_seconds: row.backoff_base,
      factor: row.backoff_factor,
      max_seconds: row.backoff_max,
    },
    timeout_seconds: row.timeout_seconds,
    run_at: iso(row.run_at),
    depends_on: row.depends_on ?? [],
    dedupe_key: row.dedupe_key,
    tags: row.tags ?? {},
    state: row.state,
    waiting_for: row.waiting_for,
    attempt: row.attempt,
    failures: row.failures,
    worker: row.worker,
    workflows: row.workflows ?? [],
    created_by: row.created_by,
    created_at: row.created_at.toISOString(),
    queued_at: iso(row.queued_at),
    eligible_at: iso(row.eligible_at),
    ready_at: iso(row.ready_at),
    dispatched_at: iso(row.dispatched_at),
    started_at: iso(row.started_at),
    finished_at: iso(row.finished_at),
    cancel_requested_at: iso(row.cancel_requested_at),
    cancel_acknowledged_at: iso(row.cancel_acknowledged_at),
    run_ms: row.run_ms,
    exit_code: row.exit_code,
    reason: row.reason,
    error: row.error,
    progress: progressOf(row),
  };
}

export function jobView(row: JobRow): JobView {
  return { ...jobSummaryView(row), payload: row.payload ?? null, result: row.result ?? null };
}

function progressOf(row: JobRow): JobSummary["progress"] {
  const items = itemsOf(row);
  if (row.progress === null && row.progress_note === null && items === null) return null;
  return { fraction: row.progress, note: row.progress_note, items };
}

export interface ItemColumns {
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
}

export function itemsOf(row: ItemColumns) {
  if (row.items_success === null && row.items_failed === null && row.items_skipped === null) {
    return null;
  }
  return {
    success: row.items_success ?? 0,
    failed: row.items_failed ?? 0,
    skipped: row.items_skipped ?? 0,
  };
}

export function workerRef(uid: string | null, name: string | null) {
  return uid === null ? null : { id: uid, name: name ?? uid };
}

export function iso(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}

function isEmpty(value: object | null): boolean {
  return value === null || Object.keys(value).length === 0;
}
