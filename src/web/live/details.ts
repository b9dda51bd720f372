/** What phase events do not carry, read for many jobs, of all tables, in at most two statements. */
import { timeOfId } from "../../core/ids.ts";
import { isFinal } from "../../core/job_state.ts";
import type { Sql } from "../../db/client.ts";
import { Gathered } from "../gathered.ts";
import type { LiveRow } from "./row.ts";
import { readRows } from "./snapshot.ts";

const details = new Gathered<readonly LiveRow[], void>((reads, rows) =>
  readAll(reads, rows.flat()),
);

/** Fills `details`, and times that events did not tell, in place. */
export function readDetails(reads: Sql, rows: readonly LiveRow[]): Promise<void> {
  return details.ask(reads, rows);
}

async function readAll(reads: Sql, rows: readonly LiveRow[]): Promise<void> {
  const live = rows.filter((row) => !isFinal(row.state));
  // Also those that ended while their events were still on the way: under a flood some always have. Not those
  // that are looked at again and again: one that has run for ten days would have ten days searched.
  const over = rows.filter((row) => row.details === null || isFinal(row.state));
  const [found, ended] = await Promise.all([readRows(reads, idsOf(live)), readEnded(reads, over)]);
  for (const row of rows) {
    const stored = found.get(row.id);
    const end = ended.get(row.id);
    if (!stored && end) fill(row, end);
    if (!stored) continue;
    // Each table's own: tables change theirs.
    row.details = { ...stored.details! };
    if (stored.attempt === row.attempt && !isFinal(row.state)) {
      row.times = { ...stored.times, endedAt: row.times.endedAt };
    }
  }
}

function idsOf(rows: readonly LiveRow[]): string[] {
  return [...new Set(rows.map((row) => row.id))];
}

interface EndedRow {
  id: string;
  priority: number;
  max_attempts: number;
  failures: number;
  worker_id: number | null;
  queued_at: Date;
  eligible_at: Date | null;
  ready_at: Date | null;
  dispatched_at: Date | null;
  started_at: Date | null;
  run_ms: number | null;
  score: number | null;
}

/** Ended moments ago: the time bound keeps the search to the partitions of today. */
async function readEnded(reads: Sql, rows: readonly LiveRow[]): Promise<Map<string, EndedRow>> {
  if (rows.length === 0) return new Map();
  const since = new Date(Math.min(...rows.map((row) => row.times.endedAt ?? row.since)) - 1_000);
  // A probe for each, whatever statistics say: chosen by them, the times of today's ends were gone through.
  const found = await reads<EndedRow[]>`
    select t.id, j.priority, j.max_attempts, e.failures, e.worker_id,
      e.queued_at, e.eligible_at, e.ready_at, d.dispatched_at, d.started_at, d.run_ms, d.score
    from unnest(${idsOf(rows)}::uuid[]) as t(id)
    cross join lateral (
      select * from job_end where job_id = t.id and finished_at >= ${since} offset 0) e
    cross join lateral (select priority, max_attempts from job where id = t.id offset 0) j
    left join lateral (
      select * from dispatched_job where job_id = t.id and ended_at >= ${since} offset 0) d
      on d.attempt = e.attempt and d.ended_at = e.finished_at`;
  return new Map(found.map((ended) => [ended.id, ended]));
}

function fill(row: LiveRow, ended: EndedRow): void {
  row.worker ??= ended.worker_id;
  row.times = {
    queuedAt: ended.queued_at.getTime(),
    eligibleAt: ended.eligible_at?.getTime() ?? null,
    readyAt: ended.ready_at?.getTime() ?? null,
    dispatchedAt: ended.dispatched_at?.getTime() ?? null,
    startedAt: ended.started_at?.getTime() ?? null,
    runMs: ended.run_ms,
    endedAt: row.times.endedAt,
  };
  row.details = {
    priority: ended.priority,
    maxAttempts: ended.max_attempts,
    failures: ended.failures,
    score: ended.score,
    progress: null,
    progressNote: null,
    cancel: null,
    createdAt: timeOfId(row.id) ?? row.times.queuedAt,
  };
}
