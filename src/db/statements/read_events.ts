/**
 * The feed's read of phase events in history order (engine rule 28): (xid, id), below the horizon.
 * `id > floor` bounds the read to the newest blocks through BRIN; the feed keeps the floor such that
 * no row at or above the last horizon can lie beneath it.
 */
import type { Sql } from "../client.ts";
import { UPKEEP } from "../upkeep.ts";

export interface EventRow {
  xid: string;
  id: number;
  at_ms: number;
  org_id: number;
  queue_id: number;
  name_id: number;
  job_id: string;
  attempt: number;
  from_state: string | null;
  state: string;
  waiting_for: string | null;
  outcome: string | null;
  reason: string | null;
  worker_id: number | null;
}

export interface Horizon {
  /** Transactions below this one have all ended. */
  xmin: string;
  /** All that were committed at that moment are below it; some of those that were open may not be. */
  xmax: string;
  /** Above every transaction that had begun to write. */
  next: string;
  /** The latest value of the sequence of ids; 0 before the first. */
  ids: number;
}

/** A sequence that was never asked says 1 all the same, and then gives 1 to the first event of all. */
const HANDED =
  "select case when is_called then last_value else 0 end::float8 as ids from phase_event_id";

/**
 * The next transaction to be given out. A snapshot's xmax is not that: it is the successor of the newest one
 * that has *ended*. Taken for it, events of two that were open at once were never told, and never counted.
 * `age` counts from the next one, as a function of `xmax`, of 32 bits; it is worked out after the snapshot.
 */
const NEXT = (xmax: string) => `${xmax}::text::bigint + age(${xmax}::xid)`;

export async function readHorizon(sql: Sql): Promise<Horizon> {
  // Before what is next: read with it, ids of transactions that come after that could be included.
  const [handed] = await sql.unsafe(HANDED, [], { prepare: true });
  const [row] = await sql.unsafe(
    `select pg_snapshot_xmin(s)::text as xmin, pg_snapshot_xmax(s)::text as xmax,
       (${NEXT("pg_snapshot_xmax(s)")})::text as next
     from (select pg_current_snapshot() as s) x`,
    [],
    { prepare: true },
  );
  return { ...row, ids: handed!.ids } as unknown as Horizon;
}

const AFTER = `id > $1 and (xid, id) > ($2::xid8, $3) and at > to_timestamp($4::float8)`;

/**
 * The horizon and what stands below it, of one snapshot: a round is one statement, for a busy server's feed
 * makes several a second. Without events it is one row without an id.
 *
 * Transactions of upkeep are left out: they write no events, and computing a busy minute's rollups takes
 * them seconds, for which everybody's live events stood still. Whose a transaction is PostgreSQL says a
 * moment after the snapshot; one that has ended meanwhile counts as anybody's.
 */
const READ = `
with horizon as materialized (
  select coalesce((
      select x from pg_snapshot_xip(s) x where not exists (
        select from pg_stat_activity a
        where a.backend_xid = x::xid and a.application_name = '${UPKEEP}')
      order by x limit 1), pg_snapshot_xmax(s)) as below,
    pg_snapshot_xmax(s)::text as xmax, (${NEXT("pg_snapshot_xmax(s)")})::text as next, (${HANDED}) as ids
  from (select pg_current_snapshot() as s offset 0) x)
select h.below::text as xmin, h.xmax, h.next, h.ids, e.place::text as xid, e.id, e.at_ms, e.org_id, e.queue_id,
  e.name_id, e.job_id, e.attempt, e.from_state, e.state, e.waiting_for, e.outcome, e.reason, e.worker_id
from horizon h left join lateral (
  select xid as place, id::float8 as id, extract(epoch from at)::float8 * 1000 as at_ms, org_id, queue_id,
    name_id, job_id, attempt, from_state, state, waiting_for, outcome, reason, worker_id
  from phase_event
  where ${AFTER} and xid < h.below
  order by phase_event.xid, phase_event.id limit $5) e on true
order by e.place, e.id`;

/** A place in the history, with what bounds a read from there. */
export interface EventPlace {
  floor: number;
  xid: string;
  id: number;
  /** Only prunes partitions; events are never written with a time this far back. */
  sinceMs: number;
}

/**
 * `horizon.ids` may be of a moment after `horizon.next`: ids of transactions that came then may be included.
 * With the horizon of a later round it says what `readHorizon` says.
 */
export async function readEvents(
  sql: Sql,
  after: EventPlace,
  limit: number,
): Promise<{ horizon: Horizon; rows: EventRow[] }> {
  const found = await sql.unsafe(READ, [...placeParams(after), limit], { prepare: true });
  const { xmin, xmax, next, ids } = { ...found[0] } as unknown as Horizon;
  const rows = found.filter(({ id }) => id !== null) as unknown as EventRow[];
  return { horizon: { xmin, xmax, next, ids }, rows };
}

const COUNT = `
select count(*)::int as n from (
  select from phase_event where ${AFTER} and xid < pg_snapshot_xmin(pg_current_snapshot()) limit $5) e`;

/** How many events stand behind a place, counted up to `most`. */
export async function countEvents(sql: Sql, after: EventPlace, most: number): Promise<number> {
  const [row] = await sql.unsafe(COUNT, [...placeParams(after), most], { prepare: true });
  return (row?.n as number) ?? 0;
}

const placeParams = (after: EventPlace) => [after.floor, after.xid, after.id, after.sinceMs / 1000];

/** Who holds the horizon back, for the message when it stands still. */
export async function horizonHolder(sql: Sql): Promise<string> {
  const [row] = await sql.unsafe(
    `select coalesce(application_name, '?') || ' (pid ' || pid || ', '
       || coalesce(state, '?') || ' since ' || xact_start || ')' as who
     from pg_stat_activity where backend_xid is not null or backend_xmin is not null
     order by xact_start nulls last limit 1`,
  );
  return (row?.who as string) ?? "unknown";
}
