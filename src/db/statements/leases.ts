/** Reads of leases: what an attempt's end needs to know of its job, with the rows locked. */

import { plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";

export interface LeaseRow {
  id: string;
  session_id: number;
  worker_id: number;
  token: string;
  state: "dispatched" | "running";
  attempt: number;
  org_id: number;
  queue_id: number;
  name_id: number;
  shape_id: number;
  failures: number;
  lost: number;
  rejections: number;
  max_attempts: number;
  /** Epoch milliseconds. */
  started_ms: number | null;
  cancel_requested: boolean;
  cancel_actor: string | null;
  cancel_reason: string | null;
  timeout_seconds: number | null;
  backoff_base: number;
  backoff_factor: number;
  backoff_max: number;
}

const COLUMNS = `
  l.id, l.session_id, l.worker_id, l.token, l.state, l.attempt, l.org_id, l.queue_id, l.name_id,
  l.shape_id, l.failures, l.lost, l.rejections, l.max_attempts,
  extract(epoch from l.started_at)::float8 * 1000 as started_ms,
  l.cancel_requested_at is not null as cancel_requested, l.cancel_actor, l.cancel_reason,
  j.timeout_seconds, j.backoff_base, j.backoff_factor, j.backoff_max`;

const OF_SESSIONS = `
select ${COLUMNS} from live_job l join job j on j.id = l.id
where l.session_id = any($1::bigint[]) and l.session_id is not null
order by l.id limit $2 for no key update of l`;

/** Leases of these sessions, locked by id. */
export async function lockLeases(tx: Transaction, sessions: number[], limit: number) {
  const rows = await tx.unsafe(OF_SESSIONS, [plainArray(sessions), limit], { prepare: true });
  return rows as unknown as LeaseRow[];
}

const BY_ID = `
select ${COLUMNS} from live_job l join job j on j.id = l.id
where l.id = any($1::uuid[]) and l.session_id is not null`;

export async function readLeases(sql: Sql, ids: string[]): Promise<LeaseRow[]> {
  if (ids.length === 0) return [];
  const rows = await sql.unsafe(BY_ID, [plainArray(ids)], { prepare: true });
  return rows as unknown as LeaseRow[];
}

/** How long back a repeated report can still be recognised. */
const REPEATS_KNOWN = "interval '7 days'";

const RECORDED = `
select d.job_id, d.attempt, d.token, d.outcome
from unnest($1::uuid[]) as t(id)
join dispatched_job d on d.job_id = t.id and d.ended_at > now() - ${REPEATS_KNOWN}`;

export interface RecordedAttempt {
  job_id: string;
  attempt: number;
  token: string;
  outcome: string;
}

/** Ends that are on record for these jobs: a repeat of one of them is accepted (engine rule 9). */
export async function recordedAttempts(sql: Sql, ids: string[]): Promise<RecordedAttempt[]> {
  if (ids.length === 0) return [];
  const rows = await sql.unsafe(RECORDED, [plainArray(ids)], { prepare: true });
  return rows as unknown as RecordedAttempt[];
}

/** Progress and acknowledged cancels: changing columns without an index, so the updates stay HOT. */
export async function noteProgress(
  sql: Sql,
  rows: { job: string; token: string; fraction: number | null; note: string | null }[],
  encode: { ids: string; tokens: string; fractions: string; notes: string },
): Promise<void> {
  if (rows.length === 0) return;
  await sql.unsafe(
    `with t as (select * from unnest($1::uuid[], $2::uuid[], $3::real[], $4::text[])
       as t(id, token, fraction, note)),
     picked as materialized (
       select t.* from t join live_job l on l.id = t.id where l.token = t.token
       order by l.id for no key update of l)
     update live_job l set progress = coalesce(p.fraction, l.progress),
       progress_note = coalesce(p.note, l.progress_note)
     from picked p where l.id = p.id`,
    [encode.ids, encode.tokens, encode.fractions, encode.notes],
    { prepare: true },
  );
}

export async function acknowledgeCancels(sql: Sql, ids: string[], tokens: string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql.unsafe(
    `with t as (select * from unnest($1::uuid[], $2::uuid[]) as t(id, token)),
     picked as materialized (
       select l.id from t join live_job l on l.id = t.id where l.token = t.token
       order by l.id for no key update of l)
     update live_job l set cancel_acknowledged_at = coalesce(l.cancel_acknowledged_at, now())
     from picked p where l.id = p.id`,
    [plainArray(ids), plainArray(tokens)],
    { prepare: true },
  );
}
