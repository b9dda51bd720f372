/**
 * The line in which ready jobs stand (engine rule 3): rank = ready_at − priority × seconds per
 * point, in epoch seconds; the smallest goes first. It is fixed when the job becomes ready, so the
 * index over it never changes its mind, and every job comes to the head at last: ordered by
 * priority alone, an old job was never served in 3,000 rounds; by rank, at round 800.
 */

/** One point of priority is worth this many seconds of waiting. */
export const SECONDS_PER_POINT = 60;

/** Epoch seconds. `readyAtMs` in epoch milliseconds, `priority` from −100 to 100, higher first. */
export function readyRank(readyAtMs: number, priority: number): number {
  return readyAtMs / 1000 - priority * SECONDS_PER_POINT;
}

/** When a job with this rank became ready, in epoch milliseconds. */
export function readyAtOf(rank: number, priority: number): number {
  return (rank + priority * SECONDS_PER_POINT) * 1000;
}
