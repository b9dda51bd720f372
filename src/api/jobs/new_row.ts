/** A job that was written just now, as reading it would give it. */
import { nearestReal } from "../../core/real.ts";
import type { SubmittedJob } from "../../engine/engine.ts";
import type { Interner } from "../../engine/interner.ts";
import type { JobRow } from "../../web/jobs/rows.ts";

export function newJobRow(names: Interner, { row, at, requirements }: SubmittedJob): JobRow {
  const created = new Date(at);
  return {
    id: row.id,
    org_id: row.org,
    queue_id: row.queue,
    name_id: row.name,
    kind: row.kind,
    priority: row.priority,
    requirements,
    max_attempts: row.maxAttempts,
    backoff_base: nearestReal(row.backoffBase),
    backoff_factor: nearestReal(row.backoffFactor),
    backoff_max: nearestReal(row.backoffMax),
    timeout_seconds: row.timeoutSeconds === null ? null : nearestReal(row.timeoutSeconds),
    run_at: row.runAt === null ? null : new Date(row.runAt),
    depends_on: row.dependsOn,
    dedupe_key: row.dedupeKey,
    tags: row.tags,
    created_by: row.createdBy,
    created_at: created,
    workflows: null,
    payload: row.payload,
    org: names.orgName(row.org),
    name: names.jobName(row.name),
    queue: names.queueName(row.queue),
    state: row.state,
    waiting_for: row.waitingFor,
    attempt: 0,
    failures: 0,
    worker_id: null,
    worker: null,
    queued_at: created,
    eligible_at: row.waitingFor === "run_at" ? null : created,
    ready_at: row.state === "ready" ? created : null,
    dispatched_at: null,
    started_at: null,
    finished_at: null,
    cancel_requested_at: null,
    cancel_acknowledged_at: null,
    run_ms: null,
    exit_code: null,
    reason: null,
    error: null,
    progress: null,
    progress_note: null,
    items_success: null,
    items_failed: null,
    items_skipped: null,
  };
}
