/** What a reader of a log must know of its attempt: is there more to come? */
import type { JobState, Outcome } from "../../core/job_state.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";
import { endRange, type JobReader } from "../../web/jobs/rows.ts";

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
  /** It is over, and its row was removed by retention. */
  forgotten: boolean;
  /** Null while it lives. */
  outcome: Outcome | null;
  exitCode: number | null;
  signal: string | null;
  reason: string | null;
}

/** Null where there is no such job. */
export async function readLogState(
  reader: LogStateReader,
  job: string,
  wanted: number | null,
): Promise<LogState | null> {
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const found = await lookOnce(reader, job, wanted);
    if (found !== "moved") return found;
  }
  return null;
}

export type LogStateReader = Pick<JobReader, "now" | "orgs"> & { sql: Sql };

interface Standing {
  state: JobState;
  attempt: number;
  held: boolean;
  reason: string | null;
}

/** A job can be retried between two looks, and is then in neither place. */
const LOOKS_MAX = 4;

async function lookOnce({ sql, now, orgs }: LogStateReader, job: string, wanted: number | null) {
  const [row] = await sql`
    select j.created_at, l.state, l.attempt, l.session_id is not null as held, null as reason
    from job j left join live_job l on l.id = j.id
    where j.id = ${job} ${andOfOrgs(sql, sql`j.org_id`, orgs)}`;
  if (row === undefined) return null;
  const { from, to } = endRange((row.created_at as Date).getTime(), now());
  let standing = row as unknown as Standing;
  if (row.state === null) {
    const [end] = await sql`
      select state, attempt, false as held, reason from job_end
      where job_id = ${job} and finished_at between ${from} and ${to}`;
    if (end === undefined) return "moved";
    standing = end as unknown as Standing;
  }
  const attempt = wanted ?? standing.attempt;
  const [last] = await sql`
    select log_bytes as "logBytes", outcome, exit_code as "exitCode", signal, reason
    from dispatched_job
    where job_id = ${job} and attempt = ${attempt} and ended_at between ${from} and ${to}`;
  const ended = { logBytes: null, outcome: null, exitCode: null, signal: null, ...last };
  const isOver = !standing.held || attempt < standing.attempt;
  const state: LogState = {
    ...ended,
    attempt,
    latest: standing.attempt,
    jobState: standing.state,
    ended: isOver,
    forgotten: isOver && attempt > 0 && last === undefined,
    reason: last?.reason ?? standing.reason,
  };
  return state;
}
