/**
 * Lists of jobs, newest first, keyset on the id.
 *
 * No filter may make a reader scan the table. Each request walks at most `SCANNED_MAX` rows and
 * `BUDGET_MS`, in chunks along an index that is in id order, and answers with what it has found and
 * where to go on. The table that is walked is the smallest that can hold the answer: jobs on workers
 * by the partial index on their session, live jobs, ended jobs, members of a workflow, or all jobs.
 */

import { smallestId, timeOfId } from "../../core/ids.ts";
import { FINAL_STATES, type JobState } from "../../core/job_state.ts";
import type { Database, Transaction } from "../../db/client.ts";
import { CLOCK_SLACK_MS, candidates, type Source } from "./candidates.ts";
import type { ListFilter } from "./filter.ts";
import { type JobRow, readJobs } from "./rows.ts";

export interface Page {
  rows: JobRow[];
  /** The last id looked at, where there may be more. */
  next: string | null;
}

const SCANNED_MAX = 50_000;
const BUDGET_MS = 400;
const CHUNK_FIRST = 200;
const CHUNK_MAX = 5_000;

/** One page: rows of one snapshot. `before`: the id that the page before ended with. */
export async function listJobs(
  database: Pick<Database, "reads">,
  filter: ListFilter,
  page: { before: string | null; limit: number },
): Promise<Page> {
  const result = await database.reads.begin(
    "isolation level repeatable read read only",
    async (tx) => {
      const { ids, next } = await walk(tx, filter, page);
      const byId = new Map((await readJobs(tx, ids)).map((row) => [row.id, row]));
      const rows = ids.flatMap((id) => byId.get(id) ?? []);
      return { rows, next };
    },
  );
  return result as unknown as Page;
}

async function walk(
  tx: Transaction,
  filter: ListFilter,
  { before, limit }: { before: string | null; limit: number },
): Promise<{ ids: string[]; next: string | null }> {
  const source = sourceOf(filter);
  const started = performance.now();
  const ids: string[] = [];
  let bound = upperBound(filter, before);
  let scanned = 0;
  let chunk = isPlain(filter) ? limit + 1 : Math.max(CHUNK_FIRST, limit + 1);
  for (;;) {
    const found = await candidates(tx, source, filter, {
      before: bound,
      chunk,
      // One more than is shown tells whether there is a next page.
      want: limit + 1 - ids.length,
    });
    ids.push(...found.ids);
    if (ids.length > limit) return { ids: ids.slice(0, limit), next: ids[limit - 1]! };
    if (found.last === null || found.scanned < chunk) return { ids, next: null };
    bound = found.last;
    scanned += found.scanned;
    if (scanned >= SCANNED_MAX || performance.now() - started > BUDGET_MS) {
      return { ids, next: bound };
    }
    chunk = Math.min(CHUNK_MAX, chunk * 3);
  }
}

/** When the last job that was looked at was made; null where the end was reached. */
export function searchedTo(next: string | null): string | null {
  const time = next === null ? null : timeOfId(next);
  return time === null ? null : new Date(time).toISOString();
}

function sourceOf(filter: ListFilter): Source {
  const { states, workflow } = filter;
  if (workflow !== null) return "workflow";
  if (states.length === 0) return "all";
  const isEnd = (state: JobState) => (FINAL_STATES as readonly JobState[]).includes(state);
  if (states.every((state) => state === "dispatched" || state === "running")) return "leased";
  if (states.every(isEnd)) return "ended";
  return states.some(isEnd) ? "all" : "live";
}

/** Whether every job of the walk matches, so that a chunk is a page. */
function isPlain(filter: ListFilter): boolean {
  const { states, queue, name, worker, tags, words, createdAfter, createdBefore } = filter;
  const single = [queue, name, worker, createdAfter, createdBefore];
  const listed = states.length + words.length + Object.keys(tags).length;
  return listed === 0 && single.every((value) => value === null);
}

function upperBound(filter: ListFilter, before: string | null): string | null {
  if (filter.createdBefore === null) return before;
  const bound = smallestId(Math.max(0, filter.createdBefore + CLOCK_SLACK_MS));
  return before === null || bound < before ? bound : before;
}
