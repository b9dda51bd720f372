/** What becomes of a run that is due while the one before it is still there. Pure. */

export const OVERLAPS = ["skip", "queue", "replace"] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** Runs that wait for those before them; what is due beyond that is skipped. */
export const WAITING_MAX = 100;

export type Decision =
  | { kind: "submit" }
  /** Until the runs before it have ended. */
  | { kind: "wait" }
  /** What lives is cancelled first. */
  | { kind: "replace" }
  | { kind: "skip"; reason: string };

/** `live`: runs that have not ended; `waiting`: due before, and not even submitted. */
export function onOverlap(overlap: Overlap, live: number, waiting: number): Decision {
  if (live === 0 && waiting === 0) return { kind: "submit" };
  if (overlap === "replace") return { kind: "replace" };
  if (overlap === "skip") return { kind: "skip", reason: "the run before it had not ended" };
  if (waiting < WAITING_MAX) return { kind: "wait" };
  return { kind: "skip", reason: `${waiting} runs were waiting already` };
}
