/**
 * Database time in this process (engine rule 7): an offset measured at connect and every 30 s, on
 * top of a monotonic clock, so that a stepped system clock moves nothing. Never runs backwards.
 */
import type { Sql } from "../db/client.ts";

export class Clock {
  readonly #sql: Sql;
  /** Database epoch milliseconds at monotonic 0. */
  #origin = Date.now() - performance.now();
  #last = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  now(): number {
    const now = this.#origin + performance.now();
    this.#last = Math.max(now, this.#last);
    return this.#last;
  }

  /** Takes the best of three readings: the shortest round trip says most. */
  async measure(): Promise<void> {
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 3; i++) {
      const before = performance.now();
      const [row] = await this.#sql.unsafe(
        "select extract(epoch from clock_timestamp())::float8 * 1000 as ms",
        [],
        { prepare: true },
      );
      const after = performance.now();
      if (after - before >= best) continue;
      best = after - before;
      this.#origin = (row?.ms as number) - (before + after) / 2;
    }
  }
}
