/**
 * A search that is bounded: it looks at no more rows and takes no longer than it may, answers with what
 * it has found and says how far it got. Where the database is too slow for a step, that counts too: the
 * answer covers less, and is an answer.
 */
import type { Transaction } from "../client.ts";
import { type Direction, type Found, type Hit, type Question, searchStep } from "./step.ts";

export interface WalkBounds {
  direction: Direction;
  /** Where to go on; the id itself is not looked at. */
  from: string | null;
  /** Matches wanted. */
  limit: number;
  /** Rows looked at. */
  scanMax: number;
  /** No further step is begun after this. */
  budgetMs: number;
  /** One statement may take so long. */
  statementMs: number;
}

export interface Walked {
  /** In the direction of the walk. */
  hits: Hit[];
  /** The last id looked at: where to go on. Null where not even the first step was done. */
  reached: string | null;
  /** Everything has been looked at. */
  isEnd: boolean;
  scanned: number;
  /** A step took too long and was given up. */
  isSlow: boolean;
}

const CHUNK_FIRST = 200;
/** With its name and its queue each job is three rows: a statement stays below 5,000. */
const CHUNK_MAX = 1_600;
const CHUNK_LEAST = 25;
const CANCELLED = "57014";

/** In a transaction: all steps see the same. */
export async function walk(
  tx: Transaction,
  question: Question,
  bounds: WalkBounds,
): Promise<Walked> {
  const started = performance.now();
  const { direction, limit, scanMax, budgetMs } = bounds;
  await tx.unsafe(`set local statement_timeout = ${Math.ceil(bounds.statementMs)}`);
  const hits: Hit[] = [];
  let from = bounds.from;
  let scanned = 0;
  let isSlow = false;
  const isPlain = question.criteria.all.length === 0;
  let chunk = Math.min(scanMax, isPlain ? limit + 1 : Math.max(CHUNK_FIRST, limit + 1));
  for (;;) {
    // One more than is shown tells whether there is more.
    const want = limit + 1 - hits.length;
    const found = await patiently(tx, question, { direction, from, chunk, want });
    if (found === null) {
      isSlow = true;
      chunk = Math.floor(chunk / 8);
    } else {
      hits.push(...found.hits);
      scanned += found.scanned;
      if (hits.length > limit) {
        const shown = hits.slice(0, limit);
        return { hits: shown, reached: shown.at(-1)!.id, isEnd: false, scanned, isSlow };
      }
      if (found.last === null) return { hits, reached: from, isEnd: true, scanned, isSlow };
      from = found.last;
      if (!isSlow) chunk = Math.min(CHUNK_MAX, chunk * 3);
    }
    chunk = Math.min(chunk, scanMax - scanned);
    const isOver = performance.now() - started > budgetMs || chunk <= 0;
    if (isOver || (isSlow && chunk < CHUNK_LEAST)) {
      return { hits, reached: from, isEnd: false, scanned, isSlow };
    }
  }
}

/** Null where it was cut off. */
async function patiently(
  tx: Transaction,
  question: Question,
  step: Parameters<typeof searchStep>[2],
): Promise<Found | null> {
  try {
    return (await tx.savepoint((inner) => searchStep(inner, question, step))) as unknown as Found;
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === CANCELLED) return null;
    throw error;
  }
}
