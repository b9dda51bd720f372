/** Reads of leases: what an attempt's end needs to know of its job, with the rows locked. */

import type { Items } from "../../messages/frames.ts";
import { plainArray, textArray } from "../arrays.ts";
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
  has_inputs: boolean;
  has_dependents: boolean;
  max_attempts: number;
  /** Epoch milliseconds. */
  started_ms: number | null;
  cancel_requested: boolean;
  cancel_actor: string | null;
  cancel_reason: string | null;
  cancel_requeue: boolean;
  slot: number | null;
  timeout_seconds: number | null;
  backoff_base: number;
  backoff_factor: number;
  backoff_max: number;
  items_success: number | null;
  items_failed: number | null;
  items_skipped: number | null;
}

const COLUMNS = `
  l.id, l.session_id, l.worker_id, l.token, l.state, l.attempt, l.org_id, l.queue_id, l.name_id,
  l.shape_id, l.failures, l.lost, l.rejections, l.has_inputs,
  l.has_dependents, l.max_attempts,
  extract(epoch from l.started_at)::float8 * 1000 as started_ms,
  l.cancel_requested_at is not null as cancel_requested, l.cancel_actor, l.cancel_reason,
  l.items_success, l.items_failed, l.items_skipped, l.cancel_requeue, l.slot,
  j.timeout_seconds, j.backoff_base, j.backoff_factor, j.backoff_max`;

/** In two steps, or the limit would make the planner look for them along the primary key. */
/**
 * Locks live rows by id, before statements that end or return them: those read with a snapshot of
 * their own, which then shows whatever the holder of a lock has committed.
 */
export async function lockLive(tx: Transaction, ids: string[]): Promise<void> {
  await tx.unsafe(
    `select l.id from live_job l where l.id = any($1::uuid[]) order by l.id for update`,
    [plainArray(ids)],
    { prepare: true },
  );
}

const OF_SESSIONS = `
with held as materialized (
  select id from leased_job where holder = any($1::bigint[]))
select ${COLUMNS}
from (select id from held order by id limit $2) h
cross join lateral (
  select * from live_job where id = h.id and session_id = any($1::bigint[]) for no key update) l
cross join lateral (select * from job where id = h.id offset 0) j`;

/** Leases of these sessions, locked by id. */
export async function lockLeases(tx: Transaction, sessions: number[], limit: number) {
  const rows = await tx.unsafe(OF_SESSIONS, [plainArray(sessions), limit], { prepare: true });
  return rows as unknown as LeaseRow[];
}

const BY_ID = `
select ${COLUMNS} from unnest($1::uuid[]) as t(id)
join live_job l on l.id = any(array[t.id]) join job j on j.id = any(array[t.id])
where l.token is not null`;

export async function readLeases(sql: Sql, ids: string[]): Promise<LeaseRow[]> {
  if (ids.length === 0) return [];
  const rows = await sql.unsafe(BY_ID, [plainArray(ids)], { prepare: true });
  return rows as unknown as LeaseRow[];
}

/**
 * Leases of these sessions that were given at least `seconds` ago and whose tokens are not among
 * those that their holder knows.
 */
export async function strayLeases(
  sql: Sql,
  sessions: number[],
  known: string[],
  seconds: number,
): Promise<LeaseRow[]> {
  const rows = await sql.unsafe(
    `select ${COLUMNS} from leased_job l join job j on j.id = any(array[l.id])
     where l.holder = any($1::bigint[])
       and l.dispatched_at < now() - make_interval(secs => $3)
       and not (l.token = any($2::uuid[]))
     order by l.id limit 400`,
    [plainArray(sessions), plainArray(known), seconds],
    { prepare: true },
  );
  return rows as unknown as LeaseRow[];
}

/** How long back a repeated report can still be recognised. */
const REPEATS_KNOWN = "interval '7 days'";

const RECORDED = `
select d.job_id, d.attempt, d.token, d.outcome
from unnest($1::uuid[]) as t(id)
cross join lateral (
  select * from dispatched_job where job_id = t.id and ended_at > now() - ${REPEATS_KNOWN} offset 0) d`;

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

export interface Note {
  job: string;
  token: string;
  fraction: number | null;
  note: string | null;
  items: Items | null;
}

/** Progress and acknowledged cancels: changing columns without an index, so the updates stay HOT. */
export async function noteProgress(sql: Sql, notes: readonly Note[]): Promise<void> {
  if (notes.length === 0) return;
  const counts = (of: (items: Items) => number) =>
    plainArray(notes.map(({ items }) => (items === null ? null : of(items))));
  await sql.unsafe(
    `with t as (select * from unnest($1::uuid[], $2::uuid[], $3::real[], $4::text[], $5::bigint[],
         $6::bigint[], $7::bigint[])
       as t(id, token, fraction, note, success, failed, skipped)),
     picked as materialized (
       select t.* from t join live_job l on l.id = any(array[t.id]) where l.token = t.token
       order by t.id for no key update of l)
     update live_job l set progress = coalesce(p.fraction, l.progress),
       progress_note = coalesce(p.note, l.progress_note), progress_at = now(),
       items_success = coalesce(p.success, l.items_success),
       items_failed = coalesce(p.failed, l.items_failed),
       items_skipped = coalesce(p.skipped, l.items_skipped)
     from picked p where l.id = any(array[p.id])`,
    [
      plainArray(notes.map((one) => one.job)),
      plainArray(notes.map((one) => one.token)),
      plainArray(notes.map((one) => one.fraction)),
      textArray(notes.map((one) => one.note)),
      counts((items) => items.success),
      counts((items) => items.failed),
      counts((items) => items.skipped),
    ],
    { prepare: true },
  );
}

export async function acknowledgeCancels(sql: Sql, ids: string[], tokens: string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql.unsafe(
    `with t as (select * from unnest($1::uuid[], $2::uuid[]) as t(id, token)),
     picked as materialized (
       select l.id from t join live_job l on l.id = any(array[t.id]) where l.token = t.token
       order by t.id for no key update of l)
     update live_job l set cancel_acknowledged_at = coalesce(l.cancel_acknowledged_at, now())
     from picked p where l.id = any(array[p.id])`,
    [plainArray(ids), plainArray(tokens)],
    { prepare: true },
  );
}
