/**
 * Database time in this process (engine rule 7): an offset measured at connect and every 30 s, on
 * top of a monotonic clock, so that a stepped system clock moves nothing.
 *
 * A step of the database's own clock is followed by running faster or slower until both agree: this
 * clock never runs backwards, never stands still, and never leaps, so that no two times that were
 * read from it lie further apart than `CATCH_UP` times what has passed.
 */
import type { Sql } from "../db/client.ts";

/** How fast it runs where the database is ahead: eight hours, as after a sleep, in eight minutes. */
export const CATCH_UP = 61;
/** How fast it runs where the database is behind: an hour back takes 67 minutes. */
export const FALL_BACK = 0.1;

export class Clock {
  readonly #sql: Sql;
  readonly #monotonic: () => number;
  /** Database epoch milliseconds at monotonic 0, as told at monotonic `since`, and as measured. */
  #told: number;
  #since: number;
  #measured: number;
  #started = false;

  /** `monotonic`: milliseconds from any beginning. */
  constructor(sql: Sql, monotonic: () => number = () => performance.now()) {
    this.#sql = sql;
    this.#monotonic = monotonic;
    this.#since = monotonic();
    this.#told = Date.now() - this.#since;
    this.#measured = this.#told;
  }

  now(): number {
    const at = this.#monotonic();
    return at + this.#originAt(at);
  }

  /** From the last measurement, not from the last call: rounding must not swallow small steps. */
  #originAt(at: number): number {
    const passed = at - this.#since;
    const apart = this.#measured - this.#told;
    const moved =
      apart > 0
        ? Math.min(apart, passed * (CATCH_UP - 1))
        : Math.max(apart, passed * (FALL_BACK - 1));
    return this.#told + moved;
  }

  /**
   * Takes the best of three readings: the shortest round trip says most. Returns by how many
   * milliseconds the database is ahead of this clock (negative: behind).
   */
  async measure(): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    let origin = 0;
    for (let i = 0; i < 3; i++) {
      const before = this.#monotonic();
      const [row] = await this.#sql.unsafe(
        "select extract(epoch from clock_timestamp())::float8 * 1000 as ms",
        [],
        { prepare: true },
      );
      const after = this.#monotonic();
      if (after - before >= best) continue;
      best = after - before;
      origin = (row?.ms as number) - (before + after) / 2;
    }
    return this.#take(origin);
  }

  #take(origin: number): number {
    const at = this.#monotonic();
    // Nothing has asked the time before the first measurement.
    this.#told = this.#started ? this.#originAt(at) : origin;
    this.#since = at;
    this.#measured = origin;
    this.#started = true;
    return origin - this.#told;
  }
}
