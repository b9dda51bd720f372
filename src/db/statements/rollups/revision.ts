/**
 * Counts how often rollups were written over that readers take for settled, so that they may keep what they read.
 * A writer counts in its own transaction: whoever sees the old count sees the old rows, or reads them anew later.
 */
import type { Transaction } from "../../client.ts";

/** So long after its end, and with everything before this moment read, a bucket is taken for settled. */
export const SETTLE_MS = 10 * 60_000;

/**
 * Nobody takes for settled what has just ended: in ordinary passes, nothing is counted.
 * @param end of the earliest bucket that was written, epoch milliseconds
 */
export async function countRevision(tx: Transaction, end: number): Promise<void> {
  await tx.unsafe(
    `update rollup_progress set revision = revision + 1
     where id = 1 and complete_until >= to_timestamp($1::float8)`,
    [(end + SETTLE_MS) / 1_000],
    { prepare: true },
  );
}
