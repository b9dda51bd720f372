/**
 * Removes the logs of jobs that ended long ago. They lie by the day on which their job was made: a job that
 * waited or ran for long keeps its log until it has been over for as long as all others.
 */
import type { LogStore } from "../../blobs/log_store.ts";
import type { Sql } from "../../db/client.ts";
import { readLateJobs } from "../../db/statements/keeping/log_rows.ts";
import { idAt } from "../../db/statements/keeping/pruned.ts";

/** Of one day; where there are more, all of that day stays. */
const LATE_MAX = 100_000;

/** `before`: jobs that ended before that moment lose their logs. How many days went, wholly or in part. */
export function pruneLogs(sql: Sql, logs: LogStore, before: number): Promise<number> {
  return logs.removeBefore(before, async (from, to) => {
    const jobs = await readLateJobs(sql, [idAt(from), idAt(to)], before, LATE_MAX + 1);
    return jobs.length > LATE_MAX ? "all" : new Set(jobs);
  });
}
