/** Membership and singletons by database time (engine rules 24 and 27). */
import type { Sql, Transaction } from "../client.ts";

const prepared = { prepare: true };

/** A replica is alive while its heartbeat is younger than this. */
export const ALIVE = "interval '10 seconds'";

/** Heartbeat; answers all living replicas in a fixed order. */
export async function beatReplica(sql: Sql, id: string, address: string): Promise<string[]> {
  const rows = await sql.unsafe(
    `with mine as (
       insert into replica (id, address) values ($1, $2)
       on conflict (id) do update set seen_at = now() returning id),
     gone as (delete from replica where seen_at < now() - interval '1 day')
     select id from replica where seen_at > now() - ${ALIVE} union select id from mine order by 1`,
    [id, address],
    prepared,
  );
  return rows.map((r) => r.id as string);
}

export async function leaveReplica(sql: Sql, id: string): Promise<void> {
  await sql.unsafe(`delete from replica where id = $1`, [id], prepared);
}

/** Takes or keeps a role for `seconds`. Returns the term while it is ours, else null. */
export async function holdRole(
  sql: Sql,
  role: string,
  holder: string,
  seconds: number,
): Promise<number | null> {
  const rows = await sql.unsafe(
    `insert into leadership as l (role, holder, term, until)
     values ($1, $2, 1, now() + make_interval(secs => $3))
     on conflict (role) do update set
       term = case when l.holder = excluded.holder then l.term else l.term + 1 end,
       holder = excluded.holder, until = excluded.until
     where l.holder = excluded.holder or l.until < now()
     returning term`,
    [role, holder, seconds],
    prepared,
  );
  return (rows[0]?.term as number | undefined) ?? null;
}

/** So that another need not wait until it lapses. */
export async function leaveRole(sql: Sql, role: string, holder: string): Promise<void> {
  await sql.unsafe(
    `update leadership set until = now() - interval '1 second' where role = $1 and holder = $2`,
    [role, holder],
    prepared,
  );
}

/** First statement of a leader's writing transaction: false where somebody else leads by now. */
export async function stillLeads(tx: Transaction, role: string, term: number): Promise<boolean> {
  const rows = await tx.unsafe(
    `select 1 from leadership where role = $1 and term = $2 for share`,
    [role, term],
    prepared,
  );
  return rows.length > 0;
}

/**
 * Old beats say nothing any more: a connection that was lost an hour ago was settled then. True where
 * there are more.
 */
export async function pruneBeats(sql: Sql): Promise<boolean> {
  const gone = await sql.unsafe(
    `delete from beat where ctid = any (array(
       select ctid from beat where at < now() - interval '1 hour' limit 20000))`,
    [],
    prepared,
  );
  return gone.count === 20_000;
}
