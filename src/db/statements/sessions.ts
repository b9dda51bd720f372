/**
 * Sessions (engine rules 13 to 15). Lock order: worker, sessions, then jobs.
 * All lease times are compared and set by database time.
 */

import { jsonArray, plainArray } from "../arrays.ts";
import type { Sql, Transaction } from "../client.ts";

const prepared = { prepare: true };

export interface WorkerIdentity {
  uid: string;
  org: number | null;
  name: string;
  pool: string;
}

/** The worker's row, locked until the transaction ends: two hellos of one worker take turns. */
export async function lockWorker(tx: Transaction, w: WorkerIdentity) {
  const [row] = await tx.unsafe(
    `insert into worker (uid, org_id, name, pool) values ($1, $2, $3, $4)
     on conflict (uid) do update set last_seen_at = now(),
       name = case when worker.org_id is not distinct from excluded.org_id then excluded.name else worker.name end,
       pool = case when worker.org_id is not distinct from excluded.org_id then excluded.pool else worker.pool end
     returning id, org_id`,
    [w.uid, w.org, w.name, w.pool],
    prepared,
  );
  return row as unknown as { id: number; org_id: number | null };
}

export async function lockOpenSessions(tx: Transaction, worker: number): Promise<number[]> {
  const rows = await tx.unsafe(
    `select id from worker_connection where worker_id = $1 and ended_at is null order by id for update`,
    [worker],
    prepared,
  );
  return rows.map((r) => r.id as number);
}

export interface NewSession {
  worker: number;
  org: number | null;
  replica: string;
  leaseSeconds: number;
  concurrency: number;
  draining: boolean;
  facts: object;
}

export async function insertSession(tx: Transaction, s: NewSession): Promise<number> {
  const [row] = await tx.unsafe(
    `insert into worker_connection (worker_id, org_id, replica_id, lease_until, concurrency, draining, facts)
     values ($1, $2, $3, now() + make_interval(secs => $4), $5, $6, $7::text::jsonb) returning id`,
    [
      s.worker,
      s.org,
      s.replica,
      s.leaseSeconds,
      s.concurrency,
      s.draining,
      JSON.stringify(s.facts),
    ],
    prepared,
  );
  return row!.id as number;
}

/** Resume: the named leases move to the new session in one statement (engine rule 14). */
export async function moveLeases(tx: Transaction, ids: string[], session: number): Promise<void> {
  if (ids.length === 0) return;
  await tx.unsafe(
    `with moved as (
       update live_job set session_id = $2 where id = any($1::uuid[]) returning id, attempt)
     insert into lease_batch (beat, session_id, jobs, attempts)
     select gen_random_uuid(), $2, array_agg(id), array_agg(attempt) from moved having count(*) > 0`,
    [plainArray(ids), session],
    prepared,
  );
}

export async function endSessions(tx: Transaction, ids: number[], reason: string): Promise<void> {
  if (ids.length === 0) return;
  await tx.unsafe(
    `update worker_connection set ended_at = now(), end_reason = $2,
       dropped_at = coalesce(dropped_at, now()) where id = any($1::bigint[]) and ended_at is null`,
    [plainArray(ids), reason],
    prepared,
  );
}

/** One update per worker and heartbeat. Returns the sessions that are still open. */
export async function beatSessions(
  sql: Sql,
  beats: { session: number; metrics: object | undefined }[],
  leaseSeconds: number,
): Promise<Set<number>> {
  const sorted = [...beats].sort((a, b) => a.session - b.session);
  const rows = await sql.unsafe(
    `with t as (select * from unnest($1::bigint[], $2::text[]) as t(id, metrics) order by 1),
     picked as materialized (
       select t.* from t join worker_connection w on w.id = any(array[t.id])
       where coalesce(w.ended_at, 'infinity') = 'infinity' order by t.id for no key update of w)
     update worker_connection w set lease_until = now() + make_interval(secs => $3),
       metrics = coalesce(p.metrics::jsonb, w.metrics)
     from picked p where w.id = any(array[p.id]) returning w.id`,
    [
      plainArray(sorted.map((b) => b.session)),
      jsonArray(sorted.map((b) => b.metrics)),
      leaseSeconds,
    ],
    prepared,
  );
  return new Set(rows.map((r) => r.id as number));
}

/** The socket is gone: what the session holds is kept for the grace time only. */
export async function dropSessions(sql: Sql, ids: number[], graceSeconds: number): Promise<void> {
  if (ids.length === 0) return;
  await sql.unsafe(
    `with picked as materialized (
       select id from worker_connection where id = any($1::bigint[]) and ended_at is null
       order by id for no key update)
     update worker_connection w set dropped_at = now(),
       lease_until = least(w.lease_until, now() + make_interval(secs => $2))
     from picked where w.id = any(array[picked.id])`,
    [plainArray(ids), graceSeconds],
    prepared,
  );
}

/**
 * A session that closed while it held nothing ends at once.
 *
 * Two statements: a lease beat holds the row `for key share`, which an update alone would not wait
 * for, and then a lease committed meanwhile would belong to an ended session, which nobody rescues.
 * So the row is locked first, and what the session holds is looked at with a new snapshot.
 */
export async function closeIdleSession(sql: Sql, id: number, reason: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx.unsafe(
      `select 1 from worker_connection where id = $1 and ended_at is null for update`,
      [id],
      prepared,
    );
    await tx.unsafe(
      `update worker_connection w set ended_at = now(), dropped_at = now(), end_reason = $2
       where id = $1 and ended_at is null
         and not exists (select from leased_job where holder = $1)`,
      [id, reason],
      prepared,
    );
  });
}

export async function setSessionDraining(sql: Sql, id: number): Promise<void> {
  await sql.unsafe(`update worker_connection set draining = true where id = $1`, [id], prepared);
}

/** A session that was asked to drain, as it was. */
export interface DrainAsked {
  /** Null: it works for all organizations. */
  org: number | null;
  name: string;
  was: boolean;
}

/** Asks a worker to drain; empty where it has no open session. */
export async function askDrain(tx: Transaction, uid: string): Promise<DrainAsked[]> {
  const rows = await tx.unsafe(
    `with open as materialized (
       select c.id, c.org_id as org, w.name, c.draining as was from worker w
       join worker_connection c on c.worker_id = w.id
       where w.uid = $1 and c.ended_at is null and c.dropped_at is null
       for no key update of c),
     asked as (
       update worker_connection c set draining = true from open o
       where c.id = any(array[o.id]) and not o.was)
     select org, name, was from open`,
    [uid],
    prepared,
  );
  return rows as unknown as DrainAsked[];
}

/** Those of these sessions that are over, whoever ended them. */
export async function endedSessions(sql: Sql, sessions: number[]): Promise<number[]> {
  const rows = await sql.unsafe(
    `select id from worker_connection where id = any($1::bigint[]) and ended_at is not null`,
    [plainArray(sessions)],
    prepared,
  );
  return rows.map((r) => r.id as number);
}

export async function askedToDrain(sql: Sql, sessions: number[]): Promise<number[]> {
  const rows = await sql.unsafe(
    `select id from worker_connection where id = any($1::bigint[]) and draining`,
    [plainArray(sessions)],
    prepared,
  );
  return rows.map((r) => r.id as number);
}

/**
 * Sessions whose lease time is over, locked; those that another rescuer holds are skipped.
 * `spared`: sessions that the caller has heard from itself, though their heartbeat is not written yet.
 */
export async function lockLapsed(
  tx: Transaction,
  limit: number,
  spared: number[],
): Promise<number[]> {
  const rows = await tx.unsafe(
    `select id from worker_connection where ended_at is null and lease_until < now()
       and id <> all($2::bigint[])
     order by id limit $1 for update skip locked`,
    [limit, plainArray(spared)],
    prepared,
  );
  return rows.map((r) => r.id as number);
}

/** After an outage of ours every open session gets the whole time again (engine rule 15). */
export async function extendOpenSessions(sql: Sql, seconds: number): Promise<void> {
  await sql.unsafe(
    `with picked as materialized (
       select id from worker_connection where ended_at is null order by id for no key update)
     update worker_connection w set lease_until = greatest(w.lease_until, now() + make_interval(secs => $1))
     from picked where w.id = picked.id`,
    [seconds],
    prepared,
  );
}
