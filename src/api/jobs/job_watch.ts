/** Tells who follows single jobs when one of them enters a phase: one subscription for all. */
import type { Feed, FeedEvent } from "../../engine/feed.ts";

type Listener = () => void;

export class JobWatch {
  readonly #feed: Feed;
  readonly #listeners = new Map<string, Set<Listener>>();
  #unsubscribe: (() => void) | null = null;

  constructor(feed: Feed) {
    this.#feed = feed;
  }

  /** How many jobs are followed. */
  get size(): number {
    return this.#listeners.size;
  }

  /** Calls `listener` after each committed phase event of this job, and where some were left out. */
  watch(job: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(job) ?? new Set();
    this.#listeners.set(job, listeners.add(listener));
    this.#unsubscribe ??= this.#feed.subscribe(
      (events) => this.#tell(events),
      () => this.#tellAll(),
    );
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#listeners.get(job) !== listeners) return;
      this.#listeners.delete(job);
      if (this.#listeners.size > 0) return;
      this.#unsubscribe?.();
      this.#unsubscribe = null;
    };
  }

  #tellAll(): void {
    for (const listeners of this.#listeners.values()) {
      for (const listener of listeners) listener();
    }
  }

  #tell(events: readonly FeedEvent[]): void {
    for (const { job } of events) {
      for (const listener of this.#listeners.get(job) ?? []) listener();
    }
  }
}

const watches = new WeakMap<Feed, JobWatch>();

/** The one watch of this feed. */
export function jobWatchOf(feed: Feed): JobWatch {
  const known = watches.get(feed);
  if (known !== undefined) return known;
  const watch = new JobWatch(feed);
  watches.set(feed, watch);
  return watch;
}
