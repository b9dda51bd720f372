/**
 * Lists of jobs, newest first, keyset on the id.
 *
 * No filter may make a reader scan a table. Each request walks at most `SCANNED_MAX` rows and
 * `BUDGET_MS`, in chunks along indexes that are in id order, and answers with what it has found and
 * where to go on. What is walked is the smallest that can hold the answer: jobs on workers, live
 * jobs, ended jobs, members of a workflow, or all jobs. A job stands in exactly one of `live_job` and
 * `job_end`, so where both can hold answers the two walks are merged.
 */
import { smallestId, timeOfId } from "../../core/ids.ts";
import { FINAL_STATES, type JobState } from "../../core/job_state.ts";
import type { Database } from "../../db/client.ts";
import type { Interner } from "../../engine/interner.ts";
import { CLOCK_SLACK_MS, candidates, type Source } from "./candidates.ts";
import type { ListFilter } from "./filter.ts";
import { type JobReader, type JobRow, readJobs } from "./rows.ts";

export interface Page {
  rows: JobRow[];
  /** The last id looked at, where there may be more. */
  next: string | null;
}

const SCANNED_MAX = 50_000;
const BUDGET_MS = 400;
const CHUNK_FIRST = 200;
const CHUNK_MAX = 5_000;

export interface ListDeps {
  database: Pick<Database, "reads">;
  names: Interner;
  now(): number;
}

/** One page: rows of one snapshot. `before`: the id that the page before ended with. */
export async function listJobs(
  { database, names, now }: ListDeps,
  filter: ListFilter,
  page: { before: string | null; limit: number },
): Promise<Page> {
  const result = await database.reads.begin(
    "isolation level repeatable read read only",
    async (tx) => {
      const reader = { sql: tx, names, now, orgs: [filter.org] };
      const { ids, next } = await walk(reader, filter, page);
      const byId = new Map((await readJobs(reader, ids)).map((row) => [row.id, row]));
      return { rows: ids.flatMap((id) => byId.get(id) ?? []), next };
    },
  );
  return result as unknown as Page;
}

/** When the last job that was looked at was made; null where the end was reached. */
export function searchedTo(next: string | null): string | null {
  const time = next === null ? null : timeOfId(next);
  return time === null ? null : new Date(time).toISOString();
}

async function walk(
  reader: JobReader,
  filter: ListFilter,
  { before, limit }: { before: string | null; limit: number },
): Promise<{ ids: string[]; next: string | null }> {
  const started = performance.now();
  const ids: string[] = [];
  let sources: readonly Source[] = sourcesOf(filter);
  let bound = upperBound(filter, before);
  let scanned = 0;
  let chunk = isPlain(filter) ? limit + 1 : Math.max(CHUNK_FIRST, limit + 1);
  for (;;) {
    // One more than is shown tells whether there is a next page.
    const step = { before: bound, chunk, want: limit + 1 - ids.length };
    const found = await walkStep(reader, sources, filter, step);
    ids.push(...found.ids);
    if (ids.length > limit) return { ids: ids.slice(0, limit), next: ids[limit - 1]! };
    if (found.horizon === null) return { ids, next: null };
    bound = found.horizon;
    sources = found.left;
    scanned += found.scanned;
    if (scanned >= SCANNED_MAX || performance.now() - started > BUDGET_MS) {
      return { ids, next: bound };
    }
    chunk = Math.min(CHUNK_MAX, chunk * 3);
  }
}

interface WalkStep {
  before: string | null;
  chunk: number;
  want: number;
}

/** One chunk of each source, merged down to the `horizon` that all of them have reached. */
async function walkStep(
  reader: JobReader,
  sources: readonly Source[],
  filter: ListFilter,
  step: WalkStep,
) {
  const ids: string[] = [];
  const left: Source[] = [];
  let scanned = 0;
  let horizon: string | null = null;
  for (const source of sources) {
    const found = await candidates(reader, source, filter, step);
    ids.push(...found.ids);
    scanned += found.scanned;
    const isFull = found.ids.length >= step.want;
    if (!isFull && found.scanned < step.chunk) continue;
    left.push(source);
    const reached = isFull ? found.ids.at(-1)! : found.last!;
    if (horizon === null || reached > horizon) horizon = reached;
  }
  const seen = horizon === null ? ids : ids.filter((id) => id >= horizon!);
  // A source that has ended may still hold ids below the horizon: it is asked again.
  const again = seen.length < ids.length ? sources : left;
  return { ids: seen.sort().reverse(), horizon, left: again, scanned };
}

function sourcesOf({ states, workflow, worker }: ListFilter): Source[] {
  if (workflow !== null) return ["workflow"];
  if (states.length === 0 && worker === null) return ["all"];
  const isEnd = (state: JobState) => (FINAL_STATES as readonly JobState[]).includes(state);
  const isLeased = (state: JobState) => state === "dispatched" || state === "running";
  const alive = states.filter((state) => !isEnd(state));
  const sources: Source[] = [];
  // Only a job on a worker has one.
  if (worker !== null && states.length === 0) sources.push("leased");
  else if (alive.length > 0) sources.push(alive.every(isLeased) ? "leased" : "live");
  if (states.length === 0 || states.some(isEnd)) sources.push("ended");
  return sources;
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
