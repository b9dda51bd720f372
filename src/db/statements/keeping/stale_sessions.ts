/** Sessions that are over and were never ended: of workers whose server is gone, and of people. */
import type { Transaction } from "../../client.ts";
import { ALIVE } from "../replicas.ts";

const prepared = { prepare: true };

export interface Swept {
  scanned: number;
  removed: number;
}

const CHUNK = 500;

/**
 * Locked first, and what each holds looked at with a new snapshot, as when a session closes: one with a
 * lease is the rescuer's.
 */
export async function endStaleSessions(tx: Transaction, after: number) {
  const open = await tx.unsafe(
    `select c.id, c.lease_until < now() - interval '1 hour' and not exists (
         select from replica r where r.id = c.replica_id and r.seen_at > now() - ${ALIVE}) as stale
     from worker_connection c where c.ended_at is null and c.id > $1 order by c.id limit ${CHUNK}
     for update of c skip locked`,
    [after],
    prepared,
  );
  const stale = open.filter((row) => row.stale).map((row) => Number(row.id));
  const ended = await tx.unsafe(
    `update worker_connection c set ended_at = now(), dropped_at = coalesce(dropped_at, now()),
       end_reason = 'stale'
     where id = any($1::bigint[]) and not exists (select from leased_job where holder = c.id)`,
    [`{${stale.join()}}`],
    prepared,
  );
  const last = open.length < CHUNK ? null : Number(open.at(-1)!.id);
  return { scanned: open.length, removed: ended.count, last };
}

/** Sign-ins of people, and secrets of sign-ins under way, that have expired. */
export async function removeExpired(
  tx: Transaction,
  table: "person_session" | "verification",
): Promise<Swept> {
  const [row] = await tx.unsafe(
    `with gone as (
       delete from ${table} where id = any(array(
         select id from ${table} where expires_at < now() order by id limit 5000)) returning 1)
     select (select count(*) from gone)::int as removed, (select count(*) from ${table})::int as scanned`,
    [],
    prepared,
  );
  return row as unknown as Swept;
}
