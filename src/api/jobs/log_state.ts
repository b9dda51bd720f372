/** What a reader of a log must know of its attempt: is there more to come? */
import type { JobState, Outcome } from "../../core/job_state.ts";
import type { Sql } from "../../db/client.ts";

export interface LogState {
  /** The attempt asked for, else the latest; 0: never dispatched. */
  attempt: number;
  /** The latest attempt of the job. */
  latest: number;
  jobState: JobState;
  /** The attempt is over. */
  ended: boolean;
  /** Bytes that its worker says it wrote; null where it did not say, or has not ended. */
  logBytes: number | null;
  /** Null while it lives. */
  outcome: Outcome | null;
  exitCode: number | null;
  signal: string | null;
  reason: string | null;
}

/** Null where there is no such job. */
export async function readLogState(
  sql: Sql,
  job: string,
  attempt: number | null,
): Promise<LogState | null> {
  const rows = await sql`
    select coalesce(${attempt}::int, l.attempt, e.attempt, 0) as attempt,
      coalesce(l.attempt, e.attempt, 0) as latest,
      coalesce(l.state, e.state, 'created') as "jobState",
      (l.id is null or l.session_id is null or coalesce(${attempt}::int, l.attempt) < l.attempt)
        as ended,
      d.log_bytes as "logBytes", d.outcome, d.exit_code as "exitCode", d.signal,
      coalesce(d.reason, e.reason) as reason
    from job j
    left join live_job l on l.id = j.id
    left join lateral (
      select * from job_end e where e.job_id = j.id and l.id is null
        and e.finished_at >= j.created_at - interval '1 minute'
      order by e.finished_at desc limit 1) e on true
    left join lateral (
      select * from dispatched_job d where d.job_id = j.id
        and d.attempt = coalesce(${attempt}::int, l.attempt, e.attempt)
        and d.ended_at >= j.created_at - interval '1 minute'
      order by d.ended_at desc limit 1) d on true
    where j.id = ${job}`;
  return (rows[0] as unknown as LogState) ?? null;
}
