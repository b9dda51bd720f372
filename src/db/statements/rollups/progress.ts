/**
 * How far rollups have read the history, and which buckets wait to be computed anew (engine rule 29).
 *
 * A pass looks at every event between two horizons, in no order: transactions below the upper one have all
 * ended, those below the lower one were looked at before. BRIN bounds the read by id: see `Mark`.
 */
import type { Granularity } from "../../../core/metrics/buckets.ts";
import type { Sql, Transaction } from "../../client.ts";
import { EVENT_ID_STEP } from "../../schema/event_id_step.ts";

const prepared = { prepare: true };

/**
 * When transaction `next` was still to come, `ids` had been handed out at most: whatever that transaction
 * and later ones write has a greater id.
 */
export interface Mark {
  next: string;
  ids: number;
}

export interface Progress {
  horizon: string;
  marks: Mark[];
  /** Epoch milliseconds. */
  completeUntil: number;
  knownFrom: number | null;
}

export async function readProgress(sql: Sql): Promise<Progress | null> {
  const [row] = await sql.unsafe(
    `select horizon::text, marks, extract(epoch from complete_until)::float8 * 1000 as until,
       extract(epoch from known_from)::float8 * 1000 as known from rollup_progress where id = 1`,
    [],
    prepared,
  );
  if (!row) return null;
  const { horizon, marks, until, known } = row;
  return { horizon, marks, completeUntil: until, knownFrom: known };
}

/**
 * Everything that ended before this moment is in the rollups, epoch milliseconds; 0 where nothing is. A minute that
 * waits to be computed is not in them, though the pass has gone by.
 */
export async function readKnownUntil(sql: Sql | Transaction): Promise<number> {
  const [row] = await sql.unsafe(
    `select extract(epoch from least(complete_until, (select min(bucket_start) from rollup_dirty
       where granularity = 'minute')))::float8 * 1000 as until from rollup_progress where id = 1`,
    [],
    prepared,
  );
  return (row?.until as number | undefined) ?? 0;
}

/** A statement's worth of ids: so many statements' events are looked at together. */
const STATEMENTS_A_READ = 20_000;

const TOUCHED = `
select distinct extract(epoch from date_trunc('minute', at, 'UTC'))::float8 * 1000 as minute
from phase_event
where id > $1 and id <= $2 and xid >= $3::xid8 and xid < $4::xid8 and at > to_timestamp($5::float8)`;

/**
 * Minutes in which something happened that was committed between the horizons, epoch milliseconds.
 * @param read.sinceMs only keeps old partitions out
 */
export async function touchedMinutes(
  sql: Sql,
  read: { from: string; to: string; floor: number; ids: number; sinceMs: number },
): Promise<Set<number>> {
  const minutes = new Set<number>();
  const step = STATEMENTS_A_READ * EVENT_ID_STEP;
  for (let at = read.floor; ; at += step) {
    const isLast = at + step >= read.ids;
    const upTo = isLast ? Number.MAX_SAFE_INTEGER : at + step;
    const params = [at, upTo, read.from, read.to, read.sinceMs / 1000];
    const rows = await sql.unsafe(TOUCHED, params, prepared);
    for (const { minute } of rows) minutes.add(minute as number);
    if (isLast) return minutes;
  }
}

/**
 * False where somebody else has moved it meanwhile. `before` null: it was never moved. A leader whose clock is behind
 * the former one's moves it back: what readers took for settled by then is not, and the revision says so.
 */
export async function moveProgress(
  tx: Transaction,
  before: Progress | null,
  { horizon, marks, completeUntil, knownFrom }: Progress,
): Promise<boolean> {
  const params = [horizon, JSON.stringify(marks), completeUntil / 1000, seconds(knownFrom)];
  const moved = before
    ? await tx.unsafe(
        `update rollup_progress set horizon = $1::xid8, marks = $2::text::jsonb,
           complete_until = to_timestamp($3::float8), known_from = to_timestamp($4::float8),
           revision = revision + (complete_until > to_timestamp($3::float8))::int
         where id = 1 and horizon = $5::xid8 returning id`,
        [...params, before.horizon],
        prepared,
      )
    : await tx.unsafe(
        `insert into rollup_progress (id, horizon, marks, complete_until, known_from)
         values (1, $1::xid8, $2::text::jsonb, to_timestamp($3::float8), to_timestamp($4::float8))
         on conflict (id) do nothing returning id`,
        params,
        prepared,
      );
  return moved.length > 0;
}

export async function markDirty(
  tx: Transaction,
  granularity: Granularity,
  buckets: Iterable<number>,
): Promise<void> {
  const dates = [...buckets].map((ms) => new Date(ms).toISOString());
  if (dates.length === 0) return;
  await tx.unsafe(
    `insert into rollup_dirty (granularity, bucket_start)
     select $1, t from unnest($2::text::timestamptz[]) as t order by t on conflict do nothing`,
    [granularity, `{${dates.join()}}`],
    prepared,
  );
}

/** The newest first, since that is what people look at; epoch milliseconds. */
export async function dirtyBuckets(
  sql: Sql | Transaction,
  of: Granularity,
  limit: number,
): Promise<number[]> {
  const rows = await sql.unsafe(
    `select extract(epoch from bucket_start)::float8 * 1000 as at from rollup_dirty
     where granularity = $1 order by bucket_start desc limit $2`,
    [of, limit],
    prepared,
  );
  return rows.map((row) => row.at as number);
}

/** Before they are computed, in the same transaction: what happens meanwhile marks them again. */
export async function clearDirty(
  tx: Transaction,
  granularity: Granularity,
  buckets: Iterable<number>,
): Promise<void> {
  const dates = [...buckets].map((ms) => new Date(ms).toISOString());
  await tx.unsafe(
    `delete from rollup_dirty where granularity = $1 and bucket_start = any($2::text::timestamptz[])`,
    [granularity, `{${dates.join()}}`],
    prepared,
  );
}

function seconds(ms: number | null): number | null {
  return ms === null ? null : ms / 1000;
}
