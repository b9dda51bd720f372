/** Rollups of the whole instance, which scoring takes its windows from (`core/metrics/windows.ts`). */
import {
  type Span,
  WINDOW_METRICS,
  type WindowCell,
  windowSpans,
} from "../../../core/metrics/windows.ts";
import type { Sql } from "../../client.ts";

/** Bounded by the key, metric by metric: some 1,300 rows at most, however busy the instance is. */
const rowsOf = (granularity: "minute" | "hour", from: number) => `
select metric_id as metric, '${granularity}' as granularity,
  extract(epoch from bucket_start)::float8 * 1000 as bucket, count, sum
from rollup_${granularity}
where metric_id = any(array[${WINDOW_METRICS.join()}]::smallint[])
  and org_id = 0 and queue_id = 0 and name_id = 0 and worker_id = 0
  and bucket_start >= to_timestamp($${from}::float8) and bucket_start < to_timestamp($${from + 1}::float8)`;

const READ = [rowsOf("minute", 1), rowsOf("minute", 3), rowsOf("hour", 5)].join(" union all ");

const seconds = ({ from, to }: Span) => [from / 1_000, to / 1_000];

/** @param end a whole minute, epoch milliseconds */
export async function readWindowCells(sql: Sql, end: number): Promise<WindowCell[]> {
  const { head, recent, hours } = windowSpans(end);
  const params = [...seconds(head), ...seconds(recent), ...seconds(hours)];
  return (await sql.unsafe(READ, params, { prepare: true })) as unknown as WindowCell[];
}
