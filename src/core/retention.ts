/** How long things are kept: the settings of retention, and the moments that follow from them. */

const DAY_MS = 86_400_000;

/** Whole days. */
export interface Retention {
  /** Phase events, samples of workers, metrics by the minute. */
  rawDays: number;
  /** Metrics by the hour, and rankings. Those by day and week stay. */
  rollupDays: number;
  /** Attempts and what was decided about them. */
  dispatchDays: number;
  /** Jobs, from their end on. */
  jobsDays: number;
  /** Logs, from the job's end on. */
  logsDays: number;
}

export const DEFAULT_RETENTION: Retention = {
  rawDays: 14,
  rollupDays: 400,
  dispatchDays: 30,
  jobsDays: 90,
  logsDays: 30,
};

/** What is older than this moment may go. Milliseconds since the epoch. */
export function expiryOf(days: number, now: number): number {
  return now - days * DAY_MS;
}
