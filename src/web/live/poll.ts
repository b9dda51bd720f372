/**
 * A topic without events: looked at every so often, once for all who watch, and told only where it
 * differs. Counters, queues and workers change in too many ways for an event each.
 */
import type { FeedEvent } from "../../engine/feed.ts";
import type { LiveMessage } from "./sse.ts";
import type { LiveTopic } from "./topic.ts";

export interface PollOptions {
  everyMs: number;
  /** Items by key; a key that is missing is gone. */
  read(): Promise<Map<string, object>>;
  /** What to say of items that changed, or that are gone (null). */
  print(changed: ReadonlyMap<string, object | null>): LiveMessage[];
  /** An item that is printed by no change: it is not compared, which costs as much as writing it out. */
  silent?: string;
  /** The whole picture. */
  printAll(items: ReadonlyMap<string, object>): LiveMessage[];
}

export class PollTopic implements LiveTopic {
  readonly #options: PollOptions;
  readonly followsFeed = false;
  readonly tickMs: number;
  #items: Map<string, object> = new Map();
  readonly #printed = new Map<string, string>();
  readonly #changed = new Set<string>();

  constructor(options: PollOptions) {
    this.#options = options;
    this.tickMs = options.everyMs;
  }

  get items(): ReadonlyMap<string, object> {
    return this.#items;
  }

  /** True for no event in particular: it carries no history. */
  async load(): Promise<string> {
    await this.tick();
    this.#changed.clear();
    return "0.0";
  }

  apply(): void {}

  isDirty(): boolean {
    return this.#changed.size > 0;
  }

  async changes(): Promise<LiveMessage[]> {
    const changed = new Map([...this.#changed].map((key) => [key, this.#items.get(key) ?? null]));
    this.#changed.clear();
    return this.#options.print(changed);
  }

  async full(): Promise<LiveMessage[]> {
    return this.#options.printAll(this.#items);
  }

  /** Without history, the whole is what was missed. */
  async missed(_: readonly FeedEvent[], _wasCut: boolean): Promise<LiveMessage[]> {
    return this.#options.print(this.#items);
  }

  forget(): void {
    this.#changed.clear();
  }

  async tick(): Promise<void> {
    const items = await this.#options.read();
    for (const key of this.#printed.keys()) {
      if (items.has(key)) continue;
      this.#printed.delete(key);
      this.#changed.add(key);
    }
    for (const [key, item] of items) {
      if (key === this.#options.silent) continue;
      const text = JSON.stringify(item);
      if (this.#printed.get(key) === text) continue;
      this.#printed.set(key, text);
      this.#changed.add(key);
    }
    this.#items = items;
  }
}
