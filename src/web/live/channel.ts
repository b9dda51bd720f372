/** One topic with those who watch it. The hub owns channels; nobody else sees them. */
import type { FeedEvent } from "../../engine/feed.ts";
import { encodeMessages } from "./sse.ts";
import { isAfter, type LiveTopic } from "./topic.ts";
import type { LaneName } from "./viewer.ts";

const RELOAD_MS = 1_000;

export class Channel {
  readonly key: string;
  readonly topic: LiveTopic;
  viewers = 0;
  /** Of those who watch it. */
  lane: LaneName = "panels";
  /** When somebody last asked for it, ms since the epoch: an unwatched channel is kept a while. */
  usedAt: number;
  /** Its picture is a first look: a second one right after it made every page that nobody watches cost twice. */
  tickedAt: number;
  /** Resolves when the topic holds a picture. Rejects where it could not be read. */
  readonly ready: Promise<void>;
  #reloadedAt = 0;
  #horizon = "";
  #loaded = false;
  #loading: Promise<unknown> | undefined;
  /** Events that arrived while the picture was being read. */
  #early: FeedEvent[] = [];

  constructor(key: string, topic: LiveTopic, now: number) {
    this.key = key;
    this.topic = topic;
    this.usedAt = now;
    this.tickedAt = now;
    this.ready = this.load();
    // Whoever asked awaits it; an error must not be unhandled where nobody does.
    this.ready.catch(() => {});
  }

  /** One more watches it. */
  join(lane: LaneName): void {
    this.viewers += 1;
    this.lane = lane;
  }

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Reads the picture anew, unless that was done a moment ago. */
  async reload(now: number): Promise<void> {
    if (now - this.#reloadedAt < RELOAD_MS) return;
    this.#reloadedAt = now;
    this.tickedAt = now;
    await this.load();
  }

  /** One at a time: an older picture must not come last. */
  load(): Promise<void> {
    const loaded = this.#loading ? this.#loading.then(() => this.#read()) : this.#read();
    const over = loaded
      .catch(() => {})
      .then(() => {
        if (this.#loading === over) this.#loading = undefined;
      });
    this.#loading = over;
    return loaded;
  }

  /** Where it cannot be read, the picture that there was goes on. */
  async #read(): Promise<void> {
    const wasLoaded = this.#loaded;
    this.#loaded = false;
    try {
      this.#horizon = await this.topic.load();
      this.#loaded = true;
    } finally {
      this.#loaded ||= wasLoaded;
      if (this.#loaded) this.receive(this.#early.splice(0));
    }
  }

  /** What the picture holds already is dropped here. */
  receive(events: readonly FeedEvent[]): void {
    if (!this.#loaded) {
      this.#early.push(...events);
      return;
    }
    const first = events[0];
    if (!first) return;
    this.#apply(first, events);
    if (this.viewers === 0) this.topic.forget();
  }

  #apply(first: FeedEvent, events: readonly FeedEvent[]): void {
    if (this.#horizon === "" || isAfter(first.id, this.#horizon)) {
      this.#horizon = "";
      this.topic.apply(events);
      return;
    }
    const isNews = (event: FeedEvent) => isAfter(event.id, this.#horizon);
    this.topic.held?.(events.filter((event) => !isNews(event)));
    const news = events.filter(isNews);
    if (news.length > 0) this.topic.apply(news);
  }

  /** Text for everybody who watches, or "" for nothing. Only of a picture that is `loaded`. */
  async changes(): Promise<string> {
    if (!this.topic.isDirty()) return "";
    return encodeMessages(await this.topic.changes());
  }

  /** Lets a topic without events look again, where its last look is older than its own period. */
  async refresh(now: number): Promise<void> {
    const { topic } = this;
    if (!topic.tick || now - this.tickedAt < (topic.tickMs ?? 0)) return;
    this.tickedAt = now;
    await topic.tick();
  }
}
