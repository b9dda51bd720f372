/** Minutes in which runs of a job name ended, out of the rollups: each name over a window of its own. */
import type { MinuteOfRuns } from "../../../core/alerts/facts.ts";
import { knownMetric } from "../../../core/metrics/catalogue.ts";
import { mergeHistograms } from "../../../core/metrics/histogram.ts";
import type { Sql, Transaction } from "../../client.ts";
import { dirtyBuckets } from "../rollups/progress.ts";

const prepared = { prepare: true };
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Of a longer window what lies farther back is read by the hour, so that no window costs more than some 300 rows. */
const MINUTES_MS = 3 * HOUR_MS;

const ID = {
  succeeded: knownMetric("jobs.succeeded").id,
  failed: knownMetric("runs.failed").id,
  succeededMs: knownMetric("jobs.duration_ms").id,
  failedMs: knownMetric("runs.failed_ms").id,
  itemsSuccess: knownMetric("items.success").id,
  itemsFailed: knownMetric("items.failed").id,
};

export interface NameWindow {
  org: number;
  id: number;
  /** Epoch milliseconds, a whole minute. */
  from: number;
}

/** A part of a name's window: [from, to). */
interface Part extends NameWindow {
  to: number;
}

const CELLS = (table: "rollup_minute" | "rollup_hour") => `
select r.name_id as name, r.metric_id as metric, extract(epoch from r.bucket_start)::float8 * 1000 as at,
  r.count::float8 as count, r.sum, r.bins, r.hits::int[] as hits
from unnest($1::int[], $2::int[], $3::float8[], $4::float8[]) as w(org, name, since, upto)
cross join lateral (
  select * from ${table} m
  where m.metric_id = any(array[${Object.values(ID).join()}]::smallint[]) and m.org_id = w.org and m.queue_id = 0
    and m.name_id = w.name and m.worker_id = 0
    and m.bucket_start >= to_timestamp(w.since / 1000) and m.bucket_start < to_timestamp(w.upto / 1000)
  offset 0) r`;

interface Row {
  name: number;
  metric: number;
  at: number;
  count: number;
  sum: number;
  bins: number[] | null;
  hits: number[] | null;
  /** Where it is no minute. */
  lengthMs?: number;
}

/** Of the longest window. */
const HOURS_MAX = 7 * 24 + 1;

export async function readRunMinutes(
  sql: Sql | Transaction,
  windows: readonly NameWindow[],
  until: number,
): Promise<Map<number, MinuteOfRuns[]>> {
  const hours = windows.flatMap((one) => hoursOf(one, until));
  const waiting = hours.length === 0 ? [] : await dirtyBuckets(sql, "hour", HOURS_MAX);
  const minutes = windows.flatMap((one) => minutePartsOf(one, until, waiting));
  const found = await readCells(sql, "rollup_minute", minutes);
  for (const row of await readCells(sql, "rollup_hour", hours)) {
    if (!waiting.includes(row.at)) found.push({ ...row, lengthMs: HOUR_MS });
  }
  const byName = Map.groupBy(found, (row) => row.name);
  return new Map([...byName].map(([name, own]) => [name, minutesOf(own)]));
}

/** Whole hours, but the newest: those may not be summed up yet. */
function hoursOf({ org, id, from }: NameWindow, until: number): Part[] {
  if (until - from <= MINUTES_MS) return [];
  return [{ org, id, from: hourOf(from), to: hourOf(until) - HOUR_MS }];
}

/** What is not read by the hour, and hours that wait to be summed up. */
function minutePartsOf(window: NameWindow, until: number, waiting: readonly number[]): Part[] {
  const [hours] = hoursOf(window, until);
  if (hours === undefined) return [{ ...window, to: until }];
  const unsummed = waiting.filter((at) => at >= hours.from && at < hours.to);
  return [
    { ...window, from: hours.to, to: until },
    ...unsummed.map((at) => ({ ...window, from: at, to: at + HOUR_MS })),
  ];
}

async function readCells(
  sql: Sql | Transaction,
  table: "rollup_minute" | "rollup_hour",
  parts: readonly Part[],
): Promise<Row[]> {
  if (parts.length === 0) return [];
  const params = [
    list(parts, (one) => one.org),
    list(parts, (one) => one.id),
    list(parts, (one) => one.from),
    list(parts, (one) => one.to),
  ];
  return (await sql.unsafe(CELLS(table), params, prepared)) as unknown as Row[];
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS) * HOUR_MS;
}

function minutesOf(rows: readonly Row[]): MinuteOfRuns[] {
  return [...Map.groupBy(rows, (row) => row.at)].map(([at, own]) => {
    const of = (id: number) => own.find((row) => row.metric === id);
    const times = [of(ID.succeededMs), of(ID.failedMs)].flatMap((row) =>
      row?.bins && row.hits ? [{ bins: row.bins, hits: row.hits }] : [],
    );
    return {
      at,
      ...(own[0]!.lengthMs === undefined ? {} : { lengthMs: own[0]!.lengthMs }),
      succeeded: of(ID.succeeded)?.count ?? 0,
      failed: of(ID.failed)?.count ?? 0,
      itemsSuccess: of(ID.itemsSuccess)?.sum ?? 0,
      itemsFailed: of(ID.itemsFailed)?.sum ?? 0,
      durations: mergeHistograms(times),
    };
  });
}

/** How many runs each of these names had within the last week, and on how many days it ran. */
export async function readWeekOfRuns(
  sql: Sql | Transaction,
  names: readonly { org: number; id: number }[],
  now: number,
): Promise<Map<number, { runs: number; days: number }>> {
  const rows = await sql.unsafe(
    `select w.name, sum(r.count)::float8 as runs, count(distinct r.bucket_start)::int as days from unnest($1::int[], $2::int[]) as w(org, name)
     cross join lateral (
       select d.count, d.bucket_start from rollup_day d
       where d.metric_id = any(array[${ID.succeeded}, ${ID.failed}]::smallint[]) and d.org_id = w.org
         and d.queue_id = 0 and d.name_id = w.name and d.worker_id = 0
         and d.bucket_start > to_timestamp($3::float8 / 1000) and d.bucket_start <= to_timestamp($4::float8 / 1000)
       offset 0) r group by 1`,
    [list(names, (one) => one.org), list(names, (one) => one.id), now - 7 * DAY_MS, now],
    prepared,
  );
  return new Map(
    rows.map(({ name, runs, days }) => [
      name as number,
      { runs, days } as { runs: number; days: number },
    ]),
  );
}

/** The first minute of the last week in which a run of these names failed: of those that never succeeded. */
export async function readFirstFailures(
  sql: Sql | Transaction,
  names: readonly { org: number; id: number }[],
  now: number,
): Promise<Map<number, number>> {
  const rows = await sql.unsafe(
    `select w.name, extract(epoch from r.bucket_start)::float8 * 1000 as at
     from unnest($1::int[], $2::int[]) as w(org, name)
     cross join lateral (
       select m.bucket_start from rollup_minute m
       where m.metric_id = ${ID.failed} and m.org_id = w.org and m.queue_id = 0 and m.name_id = w.name
         and m.worker_id = 0 and m.bucket_start > to_timestamp($3::float8 / 1000)
       order by m.bucket_start limit 1) r`,
    [list(names, (one) => one.org), list(names, (one) => one.id), now - 7 * DAY_MS],
    prepared,
  );
  return new Map(rows.map((row) => [row.name as number, row.at as number]));
}

function list<T>(items: readonly T[], of: (item: T) => number): string {
  return `{${items.map(of).join()}}`;
}
