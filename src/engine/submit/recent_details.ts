/**
 * What a worker must know of jobs that were submitted here just now: most of them are leased a moment
 * later, and are then not read again. Their rows never change, so nothing here grows stale.
 */
import { DEFAULT_BACKOFF } from "../../core/backoff.ts";
import { nearestReal } from "../../core/real.ts";
import type { NewJob } from "../../db/statements/insert_jobs.ts";
import type { JobDetails } from "../../db/statements/job_details.ts";

/** Jobs held, and characters of payload in all, roughly: at most some 30 MB of memory. */
const JOBS_MAX = 32_768;
const CHARACTERS_MAX = 8_000_000;
/** Characters, roughly: a large payload is read again rather than held. */
const PAYLOAD_MAX = 2_000;

/** What has stood that long was leased by another server, ended, or waits in a long line. */
const STALE_MS = 60_000;

interface Held {
  details: JobDetails;
  characters: number;
  /** Monotonic milliseconds. */
  since: number;
}

export class RecentDetails {
  readonly #held = new Map<string, Held>();
  readonly #now: () => number;
  #characters = 0;

  /** `now`: monotonic milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** The newest win: single submissions are leased at once. */
  add(rows: readonly NewJob[]): void {
    for (const row of rows) {
      const characters = sizeOf(row.payload, PAYLOAD_MAX);
      if (characters > PAYLOAD_MAX) continue;
      while (!this.#hasRoom(characters)) this.#drop(this.#held.keys().next().value!);
      this.#hold(row, characters);
    }
  }

  /**
   * The oldest win: of a bulk, the first are leased first. To read them again cost a beat of no-op
   * jobs 4 % of the database's time and as much of ours.
   */
  addBulk(rows: readonly NewJob[]): void {
    this.#dropStale();
    for (const row of rows) {
      const characters = sizeOf(row.payload, PAYLOAD_MAX);
      if (row.state !== "ready" || characters > PAYLOAD_MAX) continue;
      if (!this.#hasRoom(characters)) return;
      this.#hold(row, characters);
    }
  }

  /** What is known of a job, which is then forgotten: it is leased but once, as a rule. */
  take(id: string): JobDetails | undefined {
    const { details } = this.#held.get(id) ?? {};
    this.#drop(id);
    return details;
  }

  #hasRoom(characters: number): boolean {
    return this.#held.size < JOBS_MAX && this.#characters + characters <= CHARACTERS_MAX;
  }

  #hold(row: NewJob, characters: number): void {
    this.#drop(row.id);
    this.#held.set(row.id, { details: detailsOf(row), characters, since: this.#now() });
    this.#characters += characters;
  }

  #dropStale(): void {
    const before = this.#now() - STALE_MS;
    for (const [id, { since }] of this.#held) {
      if (since > before) return;
      this.#drop(id);
    }
  }

  #drop(id: string): void {
    const held = this.#held.get(id);
    if (!held) return;
    this.#held.delete(id);
    this.#characters -= held.characters;
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
