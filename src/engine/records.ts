/**
 * Attempts that are on record, looked up by lease: a worker that comes back repeats up to 20,000
 * reports, and a walk through all records for each would hold everybody else up for seconds.
 */
import type { RecordedAttempt } from "../db/statements/leases.ts";

/** Ends that the server writes by itself, without a report. */
const UNREPORTED: readonly string[] = ["lost", "released", "rejected"];

interface Reported {
  id: string;
  attempt: number;
  token: string;
}

export class Records {
  readonly #byLease = new Map<string, RecordedAttempt>();

  constructor(recorded: readonly RecordedAttempt[]) {
    for (const r of recorded) this.#byLease.set(leaseKey(r.job_id, r.attempt, r.token), r);
  }

  /**
   * Whether a record is that of this report. Its outcome may be another word for what was reported
   * (a cancel that nobody asked for is a failure), but not the server's own for a lease that it
   * took back.
   */
  holds(lease: Reported, outcome: string): boolean {
    const record = this.#byLease.get(leaseKey(lease.id, lease.attempt, lease.token));
    if (record === undefined) return false;
    return record.outcome === outcome || !UNREPORTED.includes(record.outcome);
  }
}

/** One text for (job, attempt, token): what tells leases apart. */
export function leaseKey(job: string, attempt: number, token: string): string {
  return `${job}/${attempt}/${token}`;
}
