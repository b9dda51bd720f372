/** A feed that a test fills by hand, with the order and memory of the real one. */
import type { Feed, FeedEvent } from "../../src/engine/feed.ts";

export class FakeFeed implements Feed {
  readonly #remembered: FeedEvent[] = [];
  readonly #listeners = new Set<(events: FeedEvent[]) => void>();
  readonly #onGaps = new Set<() => void>();
  readonly #memory: number;
  #next = 1_000;
  stalled: number | null = null;
  /** When what was delivered last is shown, and how often. */
  rhythm: { shownAt: number; everyMs: number } | null = null;

  constructor(memory = 10_000) {
    this.#memory = memory;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Commits events; those that `fill` leaves out are made up. */
  emit(...parts: Partial<FeedEvent>[]): FeedEvent[] {
    const events = parts.map((part) => this.#complete(part));
    this.#remembered.push(...events);
    this.#remembered.splice(0, Math.max(0, this.#remembered.length - this.#memory));
    for (const listener of this.#listeners) listener(events);
    return events;
  }

  /** Commits events that are never delivered, and says so. */
  leap(count: number): void {
    this.#next += count;
    this.#remembered.length = 0;
    for (const onGap of this.#onGaps) onGap();
  }

  #complete(part: Partial<FeedEvent>): FeedEvent {
    this.#next += 1;
    return {
      id: `${this.#next}.${this.#next}`,
      at: Date.now(),
      org: 1,
      queue: 1,
      name: 1,
      job: "00000000-0000-7000-8000-000000000001",
      attempt: 1,
      from: null,
      state: "ready",
      waitingFor: null,
      outcome: null,
      reason: null,
      worker: null,
      ...part,
    };
  }

  position(): string {
    return `${this.#next}.${this.#next}`;
  }

  subscribe(listener: (events: FeedEvent[]) => void, onGap: () => void = () => {}): () => void {
    this.#listeners.add(listener);
    this.#onGaps.add(onGap);
    return () => {
      this.#listeners.delete(listener);
      this.#onGaps.delete(onGap);
    };
  }

  since(id: string): FeedEvent[] | null {
    const at = Number(id.split(".")[0]);
    if (!Number.isFinite(at)) return null;
    const first = this.#remembered[0];
    const oldest = first ? Number(first.id.split(".")[0]) : this.#next + 1;
    if (at < oldest - 1) return null;
    return this.#remembered.filter((event) => Number(event.id.split(".")[0]) > at);
  }

  async settled(): Promise<void> {}

  align(shownAt: number, everyMs: number): void {
    this.rhythm = { shownAt, everyMs };
  }

  stalledSince(): number | null {
    return this.stalled;
  }
}
