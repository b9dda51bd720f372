/** Minutes in which runs of a job name ended, out of the rollups: each name over a window of its own. */
import type { MinuteOfRuns } from "../../../core/alerts/facts.ts";
import { knownMetric } from "../../../core/metrics/catalogue.ts";
import { mergeHistograms } from "../../../core/metrics/histogram.ts";
import type { Sql, Transaction } from "../../client.ts";

const prepared = { prepare: true };
const DAY_MS = 86_400_000;

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

/** Bounded by the key: windows are short where runs are many. By name. */
const MINUTES = `
select r.name_id as name, r.metric_id as metric, extract(epoch from r.bucket_start)::float8 * 1000 as at,
  r.count::float8 as count, r.sum, r.bins, r.hits::int[] as hits
from unnest($1::int[], $2::int[], $3::float8[]) as w(org, name, since)
cross join lateral (
  select * from rollup_minute m
  where m.metric_id = any(array[${Object.values(ID).join()}]::smallint[]) and m.org_id = w.org and m.queue_id = 0
    and m.name_id = w.name and m.worker_id = 0
    and m.bucket_start >= to_timestamp(w.since / 1000) and m.bucket_start < to_timestamp($4::float8 / 1000)
  offset 0) r`;

interface Row {
  name: number;
  metric: number;
  at: number;
  count: number;
  sum: number;
  bins: number[] | null;
  hits: number[] | null;
}

export async function readRunMinutes(
  sql: Sql | Transaction,
  windows: readonly NameWindow[],
  until: number,
): Promise<Map<number, MinuteOfRuns[]>> {
  const rows = (await sql.unsafe(
    MINUTES,
    [
      list(windows, (one) => one.org),
      list(windows, (one) => one.id),
      list(windows, (one) => one.from),
      until,
    ],
    prepared,
  )) as unknown as Row[];
  const byName = Map.groupBy(rows, (row) => row.name);
  return new Map([...byName].map(([name, own]) => [name, minutesOf(own)]));
}

function minutesOf(rows: readonly Row[]): MinuteOfRuns[] {
  return [...Map.groupBy(rows, (row) => row.at)].map(([at, own]) => {
    const of = (id: number) => own.find((row) => row.metric === id);
    const times = [of(ID.succeededMs), of(ID.failedMs)].flatMap((row) =>
      row?.bins && row.hits ? [{ bins: row.bins, hits: row.hits }] : [],
    );
    return {
      at,
      succeeded: of(ID.succeeded)?.count ?? 0,
      failed: of(ID.failed)?.count ?? 0,
      itemsSuccess: of(ID.itemsSuccess)?.sum ?? 0,
      itemsFailed: of(ID.itemsFailed)?.sum ?? 0,
      durations: mergeHistograms(times),
    };
  });
}

/** How many runs each of these names had within the last week, roughly: whole days. */
export async function readWeekOfRuns(
  sql: Sql | Transaction,
  names: readonly { org: number; id: number }[],
  now: number,
): Promise<Map<number, number>> {
  const rows = await sql.unsafe(
    `select w.name, sum(r.count)::float8 as runs from unnest($1::int[], $2::int[]) as w(org, name)
     cross join lateral (
       select d.count from rollup_day d
       where d.metric_id = any(array[${ID.succeeded}, ${ID.failed}]::smallint[]) and d.org_id = w.org
         and d.queue_id = 0 and d.name_id = w.name and d.worker_id = 0
         and d.bucket_start > to_timestamp($3::float8 / 1000) and d.bucket_start <= to_timestamp($4::float8 / 1000)
       offset 0) r group by 1`,
    [list(names, (one) => one.org), list(names, (one) => one.id), now - 7 * DAY_MS, now],
    prepared,
  );
  return new Map(rows.map((row) => [row.name as number, row.runs as number]));
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
