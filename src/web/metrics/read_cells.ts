/** Reads stored rollups of chosen groups: keyed ranges of one table, never a scan. */
import type { Granularity } from "../../core/metrics/buckets.ts";
import { EMPTY } from "../../core/metrics/histogram.ts";
import type { Cell } from "../../core/metrics/series.ts";
import type { Sql } from "../../db/client.ts";
import type { GroupIds } from "./groups.ts";

export interface GroupedCell extends Cell {
  metric: number;
  org: number;
  queue: number;
  name: number;
  worker: number;
}

export interface CellAsk {
  granularity: Granularity;
  /** Ids of the catalogue. */
  metrics: readonly number[];
  /** Epoch milliseconds: [from, to). */
  from: number;
  to: number;
  ids: GroupIds;
  /** Percentiles need them; they are most of what is read. */
  histograms: boolean;
}

interface Row {
  metric_id: number;
  org_id: number;
  queue_id: number;
  name_id: number;
  worker_id: number;
  at: number;
  count: number;
  sum: number;
  min: number | null;
  max: number | null;
  bins?: string | null;
  hits?: string | null;
}

const NONE = [0];

export async function readCells(reads: Sql, ask: CellAsk): Promise<GroupedCell[]> {
  const { ids } = ask;
  const lists = [ids.orgs, ids.queues, ids.names, ids.workers].map((list) => list ?? NONE);
  if (lists.some((list) => list.length === 0)) return [];
  // As text, for the client's own parser of arrays goes letter by letter: HHH of a page's time.
  const histogram = ask.histograms ? ", bins::text, hits::text" : "";
  const rows = await reads.unsafe(
    `select metric_id, org_id, queue_id, name_id, worker_id,
       extract(epoch from bucket_start)::float8 * 1000 as at, count::float8, sum, min, max${histogram}
     from rollup_${ask.granularity}
     where metric_id = any($1::smallint[]) and org_id = any($2::int[]) and queue_id = any($3::int[])
       and name_id = any($4::int[]) and worker_id = any($5::int[])
       and bucket_start >= $6 and bucket_start < $7`,
    [array(ask.metrics), ...lists.map(array), new Date(ask.from), new Date(ask.to)],
    { prepare: true },
  );
  return (rows as unknown as Row[]).map(cellOf);
}

function cellOf(row: Row): GroupedCell {
  const histogram =
    row.bins && row.hits ? { bins: numbers(row.bins), hits: numbers(row.hits) } : EMPTY;
  return {
    metric: row.metric_id,
    org: row.org_id,
    queue: row.queue_id,
    name: row.name_id,
    worker: row.worker_id,
    bucket: row.at,
    count: row.count,
    sum: row.sum,
    least: row.min,
    most: row.max,
    histogram,
  };
}

/** "{1,2}" of PostgreSQL. */
function numbers(text: string): number[] {
  return JSON.parse(`[${text.slice(1, -1)}]`) as number[];
}

function array(values: readonly number[]): string {
  return `{${values.join()}}`;
}
