/**
 * What a worker must know of jobs that were submitted here just now: most of them are leased a moment
 * later, and are then not read again. Their rows never change, so nothing here grows stale.
 */
import { DEFAULT_BACKOFF } from "../../core/backoff.ts";
import { nearestReal } from "../../core/real.ts";
import type { NewJob } from "../../db/statements/insert_jobs.ts";
import type { JobDetails } from "../../db/statements/job_details.ts";

/** Jobs held; past that the oldest go and are read where they are needed. */
const JOBS_MAX = 4_096;
/** Characters, roughly: a large payload is read again rather than held. */
const PAYLOAD_MAX = 2_000;

export class RecentDetails {
  readonly #details = new Map<string, JobDetails>();

  add(rows: readonly NewJob[]): void {
    for (const row of rows) {
      if (sizeOf(row.payload, PAYLOAD_MAX) > PAYLOAD_MAX) continue;
      if (this.#details.size >= JOBS_MAX) {
        this.#details.delete(this.#details.keys().next().value!);
      }
      this.#details.set(row.id, detailsOf(row));
    }
  }

  get(id: string): JobDetails | undefined {
    return this.#details.get(id);
  }
}

/** As `readJobDetails` gives it. */
function detailsOf(row: NewJob): JobDetails {
  const { base_seconds, factor, max_seconds } = DEFAULT_BACKOFF;
  const isDefault =
    row.backoffBase === base_seconds &&
    row.backoffFactor === factor &&
    row.backoffMax === max_seconds;
  const own = [row.backoffBase, row.backoffFactor, row.backoffMax].map(nearestReal);
  return {
    payload: row.payload ?? null,
    timeout_seconds: row.timeoutSeconds === null ? null : nearestReal(row.timeoutSeconds),
    backoff: isDefault ? null : (own as JobDetails["backoff"]),
  };
}

/** Roughly the characters of its JSON; looks no further once it is over `most`. */
export function sizeOf(value: unknown, most: number): number {
  if (typeof value === "string") return value.length + 2;
  if (typeof value !== "object" || value === null) return 8;
  let size = 2;
  for (const [key, item] of Object.entries(value)) {
    size += key.length + 2 + sizeOf(item, most - size);
    if (size > most) break;
  }
  return size;
}
