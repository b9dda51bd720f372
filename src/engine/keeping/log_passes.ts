/**
 * Logs and rows that do not fit each other. Nothing is removed that is younger than a day, by the clock of
 * its file and by the time in its job's id: whoever may still be writing it has that long.
 */
import type { LogFacts, LogStore } from "../../blobs/log_store.ts";
import { dayOf, timeOfId } from "../../core/ids.ts";
import type { Sql, Transaction } from "../../db/client.ts";
import {
  attemptsMade,
  forgetLogs,
  type LoggedAttempt,
  loggedAttempts,
} from "../../db/statements/keeping/log_rows.ts";
import { transact } from "../pipeline.ts";
import type { PassProgress } from "./progress.ts";

const DAY_MS = 86_400_000;
export const GRACE_MS = DAY_MS;
const BATCH = 500;
const FIRST = { job: "00000000-0000-0000-0000-000000000000", attempt: 0 };

export interface LogPass {
  sql: Sql;
  logs: LogStore;
  now: number;
  pass: PassProgress;
  stepped(): Promise<void>;
}

/** Files of attempts that never were, or of jobs that are not there any more. */
export async function removeOrphanLogs({ sql, logs, now, pass, stepped }: LogPass): Promise<void> {
  const clear = async (batch: LogFacts[]) => {
    const orphans = await orphansOf(sql, batch, now);
    for (const { job, attempt } of orphans) {
      if (await logs.remove(job, attempt)) pass.removed += 1;
    }
    pass.scanned += batch.length;
    await stepped();
  };
  for (const day of await logs.days()) {
    let batch: LogFacts[] = [];
    for await (const file of logs.files(day)) {
      batch.push(file);
      if (batch.length < BATCH) continue;
      await clear(batch);
      batch = [];
    }
    await clear(batch);
  }
}

/** The file was seen before the database is asked: what it belongs to was there by then. */
async function orphansOf(sql: Sql, files: readonly LogFacts[], now: number): Promise<LogFacts[]> {
  const old = files.filter(({ job, modified }) => Math.max(modified, madeAt(job)) < now - GRACE_MS);
  if (old.length === 0) return [];
  const since = Math.min(...old.map(({ job }) => madeAt(job))) - DAY_MS;
  const made = await attemptsMade(sql, [...new Set(old.map(({ job }) => job))], since);
  return old.filter(({ job, attempt }) => attempt > (made.get(job) ?? 0));
}

/** What bears no time could be of any. */
function madeAt(job: string): number {
  return timeOfId(job) ?? Number.POSITIVE_INFINITY;
}

/**
 * Attempts that say they wrote a log which is not there. Only where other logs of that day are: a folder
 * that is not there at all was rather not mounted, and then nothing is written down about it.
 */
export async function clearLostLogs(
  { sql, logs, now, pass, stepped }: LogPass,
  since: number,
): Promise<void> {
  const days = new Set(await logs.days());
  for (let from = Math.floor(since / DAY_MS) * DAY_MS; from < now - GRACE_MS; from += DAY_MS) {
    const range = [Math.max(from, since), Math.min(from + DAY_MS, now - GRACE_MS)] as const;
    for (let after: typeof FIRST | undefined = FIRST; after !== undefined; ) {
      const rows: LoggedAttempt[] = await loggedAttempts(sql, range, after, BATCH);
      const lost = await missing(logs, rows);
      const sure = lost.filter(({ job }) => days.has(dayOf(timeOfId(job) ?? 0)));
      pass.scanned += rows.length;
      pass.left += lost.length - sure.length;
      if (sure.length > 0) pass.removed += await transact(sql, (tx) => forget(tx, sure));
      await stepped();
      after = rows.length < BATCH ? undefined : rows.at(-1);
    }
  }
}

async function missing(logs: LogStore, rows: readonly LoggedAttempt[]): Promise<LoggedAttempt[]> {
  const sizes = await Promise.all(rows.map(({ job, attempt }) => logs.size(job, attempt)));
  return rows.filter((_, at) => sizes[at] === 0);
}

async function forget(tx: Transaction, lost: readonly LoggedAttempt[]): Promise<number> {
  await tx.unsafe("set local lock_timeout = '2s'");
  return forgetLogs(tx, lost);
}
