/**
 * Cells of chosen groups, each settled bucket read once: after that, a question costs the database what has happened
 * since. What is written over later, because events of it came late, counts a revision up, and is read anew.
 */
import { BUCKET_MS, bucketsBetween } from "../../core/metrics/buckets.ts";
import type { Sql } from "../../db/client.ts";
import { SETTLE_MS } from "../../db/statements/rollups/revision.ts";
import { CellMemory } from "./cell_memory.ts";
import type { StoredCoverage } from "./coverage.ts";
import { type CellAsk, type GroupedCell, readCells } from "./read_cells.ts";

/** One for each pool of connections, and so for each database. */
const MEMORIES = new WeakMap<Sql, CellMemory>();
/** Where more parts than these are missing, all from the first to the last are read. */
const PARTS_MAX = 2;

/** As `readCells`. @param covered read before, of the same span or a wider one */
export async function recallCells(
  reads: Sql,
  ask: CellAsk,
  covered: StoredCoverage,
): Promise<GroupedCell[]> {
  const memory = memoryOf(reads);
  const { revision } = covered;
  const key = keyOf(ask);
  const width = BUCKET_MS[ask.granularity];
  // Of the bucket in whose midst the span begins, rows are as little part of the answer as `readCells` has them.
  const wanted = bucketsBetween(ask.granularity, ask.from, ask.to).filter((at) => at >= ask.from);
  const isKept = (bucket: number) => covered.from !== null && bucket >= covered.from;
  // What retention has taken since is no more than anybody else is told.
  const known = new Map([...memory.of(key, revision)].filter(([bucket]) => isKept(bucket)));
  const parts = missingParts(wanted, known, width);
  const read = await Promise.all(parts.map((part) => readCells(reads, { ...ask, ...part })));
  const fresh = Map.groupBy(read.flat(), (cell) => cell.bucket);
  const isSettled = (bucket: number) => isKept(bucket) && bucket + width + SETTLE_MS <= covered.to;
  const settled = wanted.filter((bucket) => isIn(bucket, parts) && isSettled(bucket));
  if (settled.length > 0) {
    const found = new Map(settled.map((bucket) => [bucket, fresh.get(bucket) ?? []]));
    memory.keep({ key, revision, wanted }, found);
  }
  // In order of time, as far as parts and buckets are: nobody relies on more.
  return wanted.flatMap((bucket) =>
    isIn(bucket, parts) ? (fresh.get(bucket) ?? []) : (known.get(bucket) ?? []),
  );
}

interface Part {
  from: number;
  to: number;
}

/** Runs of buckets that are not known. */
export function missingParts(
  wanted: readonly number[],
  known: ReadonlyMap<number, unknown>,
  width: number,
): Part[] {
  const parts: Part[] = [];
  for (const bucket of wanted) {
    if (known.has(bucket)) continue;
    const last = parts.at(-1);
    if (last?.to === bucket) last.to = bucket + width;
    else parts.push({ from: bucket, to: bucket + width });
  }
  if (parts.length <= PARTS_MAX) return parts;
  return [{ from: parts[0]!.from, to: parts.at(-1)!.to }];
}

function isIn(bucket: number, parts: readonly Part[]): boolean {
  return parts.some(({ from, to }) => bucket >= from && bucket < to);
}

function memoryOf(reads: Sql): CellMemory {
  const known = MEMORIES.get(reads);
  if (known !== undefined) return known;
  const memory = new CellMemory();
  MEMORIES.set(reads, memory);
  return memory;
}

function keyOf({ granularity, metrics, ids, histograms }: CellAsk): string {
  const lists = [metrics, ids.orgs, ids.queues, ids.names, ids.workers];
  // Whoever sees no group must never be answered what is asked of all together.
  const sorted = lists.map((list) => list?.toSorted((a, b) => a - b).join() ?? "together");
  return `${granularity} ${histograms} ${sorted.join(" ")}`;
}
