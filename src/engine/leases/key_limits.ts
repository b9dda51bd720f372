/**
 * Limits per key: of the jobs of a queue that share the value of a tag, only so many run at once. Leases
 * are counted where they are given (`lease_beat.ts`); here is remembered which keys were found full, so
 * that their jobs are neither chosen again at once nor stand before others in the window.
 */
import type { Waiting } from "../window.ts";

export interface KeyLimit {
  tag: string;
  concurrency: number;
}

/** A key whose jobs end on another server is tried again after this. */
const FULL_MS = 1_000;
/** What was passed by in a line is read again at most this often: it may stand behind very many. */
const REREAD_MS = 2_000;

/** What one decision may still take. */
export interface KeyTurn {
  isHeldBack(job: Waiting): boolean;
  took(job: Waiting): void;
}

export class KeyLimits {
  readonly #limitOf: (queue: number) => KeyLimit | null;
  /** By queue and key: until when, monotonic. */
  readonly #full = new Map<number, Map<string, number>>();
  /** Queues where a key has room again. */
  readonly #freed = new Set<number>();
  readonly #rereadAt = new Map<number, number>();

  constructor(limitOf: (queue: number) => KeyLimit | null) {
    this.#limitOf = limitOf;
  }

  limitOf(queue: number): KeyLimit | null {
    return this.#limitOf(queue);
  }

  isFull({ queue, key }: Waiting): boolean {
    return key !== null && (this.#full.get(queue)?.has(key) ?? false);
  }

  refused(queue: number, key: string): void {
    const keys = this.#full.get(queue) ?? new Map<string, number>();
    this.#full.set(queue, keys.set(key, performance.now() + FULL_MS));
  }

  /** A job of this key has ended; null: of a key that is not known. */
  freed(queue: number, key: string | null): void {
    const keys = this.#full.get(queue);
    if (keys === undefined || (key !== null && !keys.delete(key))) return;
    if (key === null) keys.clear();
    this.#freed.add(queue);
  }

  /** Limits may be others. */
  forget(): void {
    for (const queue of this.#full.keys()) this.#freed.add(queue);
    this.#full.clear();
  }

  /** Queues of which passed-by jobs are to be looked at again now. */
  look(): Set<number> {
    const now = performance.now();
    for (const [queue, keys] of this.#full) {
      for (const [key, until] of keys) if (until <= now) this.freed(queue, key);
    }
    const due = [...this.#freed].filter((q) => (this.#rereadAt.get(q) ?? 0) <= now);
    for (const queue of due) {
      this.#freed.delete(queue);
      this.#rereadAt.set(queue, now + REREAD_MS);
    }
    return new Set(due);
  }

  turn(): KeyTurn {
    const taken = new Map<string, number>();
    const nameOf = ({ queue, key }: Waiting) => `${queue}/${key}`;
    return {
      isHeldBack: (job) => {
        if (job.key === null) return false;
        const most = this.#limitOf(job.queue)?.concurrency ?? Number.POSITIVE_INFINITY;
        return this.isFull(job) || (taken.get(nameOf(job)) ?? 0) >= most;
      },
      took: (job) => {
        if (job.key !== null) taken.set(nameOf(job), (taken.get(nameOf(job)) ?? 0) + 1);
      },
    };
  }
}
