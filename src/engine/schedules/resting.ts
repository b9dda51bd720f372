/** Schedules that failed, and when they are tried again: ever later, so that what lasts costs little. */

/** The first rest. What is due fires on time for a minute, so that the longest leaves room for two more tries. */
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
/** Whoever was not tried for so long after its rest is not there any more. */
const FORGOTTEN_MS = 600_000;

export class Resting {
  readonly #failures = new Map<string, { count: number; until: number }>();

  /** `now`: milliseconds, as in what follows. */
  failed(id: string, now: number): void {
    const count = (this.#failures.get(id)?.count ?? 0) + 1;
    const rest = Math.min(LONGEST_MS, FIRST_MS * 2 ** (count - 1));
    this.#failures.set(id, { count, until: now + rest });
  }

  worked(id: string): void {
    this.#failures.delete(id);
  }

  /** Something was changed, which may be what was wrong: all are tried at once. */
  wake(): void {
    this.#failures.clear();
  }

  /** Those that are left alone now. */
  ids(now: number): string[] {
    for (const [id, { until }] of this.#failures) {
      if (until + FORGOTTEN_MS < now) this.#failures.delete(id);
    }
    return [...this.#failures].filter(([, { until }]) => until > now).map(([id]) => id);
  }

  /** Milliseconds until the first of them is tried again; null where none rests. */
  restMs(now: number): number | null {
    const rests = [...this.#failures.values()].map(({ until }) => until - now);
    const ahead = rests.filter((rest) => rest > 0);
    return ahead.length === 0 ? null : Math.ceil(ahead.reduce((a, b) => Math.min(a, b)));
  }
}
