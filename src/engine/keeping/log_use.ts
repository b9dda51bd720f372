/**
 * What logs take. Millions of files are not counted while somebody waits: days that nobody writes any more
 * are counted now and then, and a reader gets the last figures that there are.
 */
import type { LogStore } from "../../blobs/log_store.ts";

const DAY_MS = 86_400_000;
/** Yesterday's jobs may still run. */
const BUSY_DAYS = 2;
const BUSY_AGAIN_MS = 60_000;
const AGAIN_MS = 6 * 3_600_000;
/** Whoever asks first waits at most so long. */
const WAIT_MS = 2_000;

export interface LogUse {
  files: number;
  bytes: number;
  oldest_day: string | null;
  newest_day: string | null;
  kept_days: number;
  /** Of the last whole days. */
  bytes_a_day: number | null;
  expected_bytes: number | null;
}

interface Day {
  files: number;
  bytes: number;
  at: number;
}

export class LogCounter {
  readonly #logs: LogStore;
  #days = new Map<string, Day>();
  #counted = false;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(logs: LogStore) {
    this.#logs = logs;
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#running ?? Promise.resolve();
  }

  /** Null: they are being counted for the first time. */
  async read(keptDays: number, now: number): Promise<LogUse | null> {
    this.#running ??= this.#count(now).finally(() => {
      this.#running = undefined;
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise<void>((done) => {
      timer = setTimeout(done, WAIT_MS);
    });
    await Promise.race([this.#running, patience]);
    clearTimeout(timer);
    return this.#counted ? this.#sum(keptDays, now) : null;
  }

  async #count(now: number): Promise<void> {
    const counted = new Map<string, Day>();
    for (const day of await this.#logs.days()) {
      const known = this.#days.get(day);
      const isBusy = Date.parse(day) > now - BUSY_DAYS * DAY_MS;
      const fresh = known && now - known.at < (isBusy ? BUSY_AGAIN_MS : AGAIN_MS);
      counted.set(day, fresh ? known : await this.#countDay(day, now));
      if (this.#stopped) return;
    }
    this.#days = counted;
    this.#counted = true;
  }

  async #countDay(day: string, at: number): Promise<Day> {
    const total: Day = { files: 0, bytes: 0, at };
    for await (const { bytes } of this.#logs.files(day)) {
      if (this.#stopped) break;
      total.files += 1;
      total.bytes += bytes;
    }
    return total;
  }

  #sum(keptDays: number, now: number): LogUse {
    const all = [...this.#days].filter(([, { files }]) => files > 0);
    const sum = (of: "files" | "bytes", some = all) => some.reduce((n, [, day]) => n + day[of], 0);
    const isPast = (day: string) => {
      const end = Date.parse(day) + DAY_MS;
      return end <= now && end > now - 7 * DAY_MS;
    };
    const past = all.filter(([day]) => isPast(day));
    const rate = past.length === 0 ? null : Math.round(sum("bytes", past) / past.length);
    return {
      files: sum("files"),
      bytes: sum("bytes"),
      oldest_day: all[0]?.[0] ?? null,
      newest_day: all.at(-1)?.[0] ?? null,
      kept_days: keptDays,
      bytes_a_day: rate,
      expected_bytes: rate === null ? null : rate * keptDays,
    };
  }
}
