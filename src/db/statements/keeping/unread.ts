/** What rollups have not computed yet: retention must leave it where it is. */
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };

/** Moments, epoch milliseconds: everything from there on is still to be read. */
export interface Unread {
  /** Events and samples. */
  raw: number;
  minutes: number;
  hours: number;
}

/** The minutes before the last look may be computed once more, for lookers may come late. */
const SAMPLED_MS = 2 * 60_000;

const PROGRESS = `
select horizon::text, marks, extract(epoch from complete_until)::float8 * 1000 as until,
  (select extract(epoch from min(bucket_start))::float8 * 1000 from rollup_dirty
   where granularity = 'minute') as minute,
  (select extract(epoch from min(bucket_start))::float8 * 1000 from rollup_dirty
   where granularity = 'hour') as hour,
  (select extract(epoch from min(bucket_start))::float8 * 1000 from rollup_dirty
   where granularity = 'day') as day
from (values (1)) as one(id) left join rollup_progress using (id)`;

/** Bounded by id, which BRIN knows, and by time, which partitions are made of. */
const EVENT = `
select extract(epoch from min(at))::float8 * 1000 as at from phase_event
where at < to_timestamp($1::float8) and id > $2 and xid >= $3::xid8`;

/** @param before epoch milliseconds; what is younger than that is not looked for */
export async function readUnread(sql: Sql | Transaction, before: number): Promise<Unread> {
  const [row] = await sql.unsafe(PROGRESS, [], prepared);
  const { horizon, until, minute, hour, day } = row!;
  const marks = (row!.marks ?? []) as { next: string; ids: number }[];
  // Ids up to here are of transactions that were read: see `Mark` of the rollups' progress.
  const read = marks.filter(({ next }) => BigInt(next) <= BigInt(horizon));
  const floor = Math.max(0, ...read.map(({ ids }) => ids));
  const params = [before / 1000, floor, horizon ?? "0"];
  const [event] = await sql.unsafe(EVENT, params, prepared);
  const never = Number.POSITIVE_INFINITY;
  // Where nothing was ever read, everything is still to be read.
  const raw = Math.min(
    until === null ? 0 : until - SAMPLED_MS,
    minute ?? never,
    event?.at ?? never,
  );
  const minutes = Math.min(raw, hour ?? never);
  return { raw, minutes, hours: Math.min(minutes, day ?? never) };
}
