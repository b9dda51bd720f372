/** Live jobs as the board's JSON shows them. */
import { z } from "zod";
import { JOB_STATES, WAITING_FOR } from "../../core/job_state.ts";
import type { Interner } from "../../engine/interner.ts";
import type { LiveRow } from "../../web/live/row.ts";
import { time } from "../jobs/schemas.ts";

const maybeTime = time.nullable();

export const liveJob = z
  .object({
    id: z.uuid(),
    org: z.string(),
    queue: z.string(),
    name: z.string(),
    state: z.enum(JOB_STATES),
    waiting_for: z.enum(WAITING_FOR).nullable(),
    attempt: z.int(),
    worker: z.object({ id: z.string(), name: z.string() }).nullable(),
    since: time.describe("When it entered its state"),
    queued_at: maybeTime,
    eligible_at: maybeTime,
    ready_at: maybeTime,
    dispatched_at: maybeTime,
    started_at: maybeTime,
    priority: z.int().nullable(),
    score: z.number().nullable(),
    progress: z.number().nullable(),
  })
  .meta({ id: "LiveJob" });
export type LiveJobView = z.infer<typeof liveJob>;

export function viewOfRow(row: LiveRow, names: Interner): LiveJobView {
  const { worker, times, details } = row;
  return {
    id: row.id,
    org: names.orgName(row.org),
    queue: names.queueName(row.queue),
    name: names.jobName(row.name),
    state: row.state,
    waiting_for: row.waitingFor,
    attempt: row.attempt,
    worker:
      worker === null ? null : { id: names.workerUid(worker), name: names.workerName(worker) },
    since: new Date(row.since).toISOString(),
    queued_at: iso(times.queuedAt),
    eligible_at: iso(times.eligibleAt),
    ready_at: iso(times.readyAt),
    dispatched_at: iso(times.dispatchedAt),
    started_at: iso(times.startedAt),
    priority: details?.priority ?? null,
    score: details?.score ?? null,
    progress: details?.progress ?? null,
  };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
