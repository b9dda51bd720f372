/**
 * The live hub: one for the whole server, whatever the number of viewers.
 *
 * The engine's feed gives committed events in order. Each topic takes them in, and at most four
 * times a second prints what changed, once, for everybody who watches it. A viewer has a position (the feed
 * id that everything it got is true for); after a cut it comes back with that id and gets what it
 * missed, or, where the feed no longer remembers, `resync` and the whole picture.
 *
 * Flushing, where viewers join too, and reloading take turns (`#turn`): a picture sent to one viewer is
 * never overtaken by an older change.
 *
 * Nothing runs while nobody looks: without channels there is no subscription, and then the
 * engine's feed reads nothing either.
 */
import type { Feed, FeedEvent } from "../../engine/feed.ts";
import { Channel } from "./channel.ts";
import { isAfter, type LiveTopic, type TopicRequest } from "./topic.ts";
import { LiveTurn } from "./turn.ts";
import { type JoinOptions, Viewer } from "./viewer.ts";

export interface LiveHubOptions {
  /** Loads the names of what it delivers before it does. */
  feed: Feed;
  /** Database time, ms since the epoch. */
  now(): number;
  onError(error: unknown, what: string): void;
  /** Least time between two frames of a panel. */
  flushMs?: number;
  pingMs?: number;
  /** How long a channel that nobody watches stays, for the page that is about to open its stream. */
  keepMs?: number;
}

export const FLUSH_MS = 250;
export const PING_MS = 5_000;
const KEEP_MS = 15_000;
/** A first short wait gathers the phases of a quick job in one frame. */
const GATHER_MS = 20;
const CHANNELS_MAX = 200;
const STALL_MS = 2_000;
const SETTLE_MS = 500;
/** A stream ends after this long and its viewer comes back: rights are checked again. */
export const STREAM_MS = 15 * 60_000;

/** No stream can be opened now; the message says why. */
export class LiveRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LiveRefused";
  }
}

export class LiveHub {
  readonly #options: Required<LiveHubOptions>;
  readonly #channels = new Map<string, Channel>();
  readonly #viewers = new Set<Viewer>();
  #unsubscribe: (() => void) | undefined;
  #clock: ReturnType<typeof setInterval> | undefined;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the frame that waits is due; without one, when the last was. */
  #due = Number.NEGATIVE_INFINITY;
  #lastDue = Number.NEGATIVE_INFINITY;
  /** Ready for their first frame, or for one after they lagged. */
  readonly #joining = new Set<Viewer>();
  /** Everything at or below it was taken in by the channels. */
  #applied = "";
  #turn: Promise<unknown> = Promise.resolve();
  #reloadedAt = 0;
  /** Set while pictures lack what the feed left out; resolves once they were read anew. */
  #mending: Promise<void> | undefined;
  #gaps = 0;
  #stopped = false;

  constructor(options: LiveHubOptions) {
    this.#options = { flushMs: FLUSH_MS, pingMs: PING_MS, keepMs: KEEP_MS, ...options };
  }

  /** How many streams are open. */
  get viewers(): number {
    return this.#viewers.size + this.#joining.size;
  }

  /**
   * The shared topic of this key, with a picture, and the id it is true for. A page prints itself
   * from it, and its stream goes on from that id. Rejects where the picture cannot be read.
   */
  async topic<T extends LiveTopic>(request: TopicRequest<T>): Promise<{ topic: T; id: string }> {
    this.#subscribe();
    const isNew = !this.#channels.has(request.key);
    const channel = this.#channel(request);
    await this.#freshen([channel], isNew);
    return { topic: channel.topic as T, id: this.#applied };
  }

  /**
   * Opens a stream on these topics. `since` is the viewer's position; without one it starts with
   * the whole picture.
   */
  stream(requests: readonly TopicRequest[], options: JoinOptions): ReadableStream<Uint8Array> {
    this.#subscribe();
    const channels = requests.map((request) => this.#channel(request));
    const viewer = new Viewer(channels, options, {
      recovered: () => this.#welcome(viewer),
      closed: () => this.#leave(viewer),
    });
    for (const channel of channels) channel.viewers += 1;
    viewer.send(`retry: 1000\n${options.hello ?? ""}`);
    this.#freshen(channels).then(
      () => this.#welcome(viewer),
      (error) => {
        this.#options.onError(error, "reading a live picture");
        viewer.close();
      },
    );
    return viewer.body;
  }

  /** Closes every stream. */
  stop(): void {
    this.#stopped = true;
    for (const viewer of [...this.#viewers, ...this.#joining]) viewer.close();
    for (const key of [...this.#channels.keys()]) this.#channels.delete(key);
    this.#rest();
  }

  // Joining and leaving

  /**
   * Read your own writes: what was committed before is in the picture after. Where the feed stands
   * still, the picture is read anew. What has just been read, or does without events, need not wait for a round
   * of the feed, which takes 50 ms.
   */
  async #freshen(channels: readonly Channel[], isNew = false): Promise<void> {
    await Promise.all(channels.map((channel) => channel.ready));
    await this.#mending;
    const now = this.#options.now();
    if (!isNew && channels.some(({ topic }) => topic.followsFeed !== false)) {
      const settled = await within(this.#options.feed.settled(), SETTLE_MS);
      if (!settled) await Promise.all(channels.map((channel) => channel.reload(now)));
    }
    this.#catchUp();
    await Promise.all(channels.map((channel) => channel.refresh(now)));
  }

  /** It joins with the next frame, as all do who come at that time. */
  #welcome(viewer: Viewer): void {
    if (viewer.closed) return;
    this.#viewers.delete(viewer);
    this.#joining.add(viewer);
    if (this.#stopped) viewer.close();
    else this.#scheduleFlush();
  }

  #leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.#joining.delete(viewer);
    for (const channel of viewer.channels) {
      channel.viewers -= 1;
      channel.usedAt = this.#options.now();
    }
  }

  // Channels

  #channel(request: TopicRequest): Channel {
    const now = this.#options.now();
    let channel = this.#channels.get(request.key);
    if (!channel) {
      this.#dropOldest();
      channel = new Channel(request.key, request.create(), now);
      this.#channels.set(request.key, channel);
      channel.ready.catch((error) => {
        // The next request tries again.
        this.#options.onError(error, `loading ${request.key}`);
        if (this.#channels.get(request.key) === channel) this.#channels.delete(request.key);
      });
    }
    channel.usedAt = now;
    return channel;
  }

  /** Many different filters at once cost memory: those that nobody watches go first. */
  #dropOldest(): void {
    if (this.#channels.size < CHANNELS_MAX) return;
    const idle = [...this.#channels.values()].filter((channel) => channel.viewers === 0);
    const oldest = idle.sort((a, b) => a.usedAt - b.usedAt)[0];
    if (!oldest) throw new LiveRefused("Too many different live views are open. Close some.");
    this.#channels.delete(oldest.key);
  }

  #subscribe(): void {
    if (this.#stopped) throw new LiveRefused("The server is stopping.");
    if (this.#unsubscribe) return;
    this.#unsubscribe = this.#options.feed.subscribe(
      (events) => this.#receive(events),
      () => this.#gap(),
    );
    this.#applied = "";
    this.#clock = setInterval(() => this.#tick(), 500);
  }

  /** Nobody looks any more. */
  #rest(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    clearInterval(this.#clock);
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
  }

  // Events in, frames out

  #receive(events: FeedEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    for (const channel of this.#channels.values()) channel.receive(events);
    if (!this.#mending) this.#applied = last.id;
    this.#scheduleFlush();
  }

  /** The feed's place goes on although nothing happened: what it delivered, channels have. */
  #catchUp(): void {
    if (this.#mending) return;
    const position = this.#options.feed.position();
    if (isAfter(position, this.#applied || "0")) this.#applied = position;
  }

  /**
   * At once where the last frame is long enough ago, else when its time has come. That is counted from
   * when the last one was due: where each also paid for how late the last was, one late frame made all
   * that followed as late.
   */
  #scheduleFlush(patienceMs = GATHER_MS): void {
    if (this.viewers === 0) return;
    const now = performance.now();
    const due = Math.max(now + patienceMs, this.#lastDue + this.#options.flushMs);
    if (this.#flushTimer && this.#due <= due) return;
    clearTimeout(this.#flushTimer);
    this.#due = due;
    this.#flushTimer = setTimeout(() => {
      this.#inTurn(() => this.#flush(), "flush");
    }, due - now);
  }

  async #flush(): Promise<void> {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#lastDue = this.#due;
    // At one moment: what the others still wait for is printed, and what those who join have missed is
    // known. Else these would be told once as missed and once more as news.
    const turn = new LiveTurn(this.#applied);
    // What came while a picture is read is told to all when it has been: who joins before hears it twice.
    const joining = [...this.#joining].filter((v) => v.channels.every(({ loaded }) => loaded));
    for (const viewer of joining) this.#joining.delete(viewer);
    turn.remember(joining, (id) => this.#options.feed.since(id));
    const texts = await this.#changes();
    for (const viewer of [...this.#viewers]) {
      const news = turn.news(viewer, texts);
      if (news) viewer.send(news.frame, news.upTo);
    }
    await Promise.all(joining.map((viewer) => this.#join(viewer, turn)));
  }

  async #join(viewer: Viewer, turn: LiveTurn): Promise<void> {
    try {
      const frame = await turn.first(viewer);
      if (viewer.closed) return;
      this.#viewers.add(viewer);
      viewer.send(frame, turn.position);
    } catch (error) {
      this.#options.onError(error, "printing a first picture");
      viewer.close();
    }
  }

  /** Texts for everybody, of channels that are watched. */
  async #changes(): Promise<Map<Channel, string>> {
    const texts = new Map<Channel, string>();
    const watched = [...this.#channels.values()].filter((channel) => channel.viewers > 0);
    await Promise.all(
      watched.map(async (channel) => {
        try {
          texts.set(channel, await channel.changes());
        } catch (error) {
          this.#options.onError(error, `printing ${channel.key}`);
        }
      }),
    );
    return texts;
  }

  /** Pings, looks at what has no events, lets go of what nobody watches. */
  #tick(): void {
    const now = this.#options.now();
    for (const channel of this.#channels.values()) {
      if (channel.viewers === 0 && now - channel.usedAt > this.#options.keepMs) {
        this.#channels.delete(channel.key);
      } else if (channel.viewers > 0 && channel.loaded) {
        channel
          .refresh(now)
          .catch((error) => this.#options.onError(error, `looking at ${channel.key}`));
        // It is in no hurry: a frame now would make the next event wait for its own.
        if (channel.topic.isDirty()) this.#scheduleFlush(this.#options.flushMs);
      }
    }
    if (this.#channels.size === 0) {
      this.#rest();
      return;
    }
    if (this.#joining.size > 0) this.#scheduleFlush();
    this.#inTurn(async () => this.#ping(now), "ping");
    const stalled = this.#options.feed.stalledSince();
    if (stalled !== null && now - Math.max(stalled, this.#reloadedAt) > STALL_MS) {
      this.#reloadedAt = now;
      this.#inTurn(() => this.#reload(), "reload");
    }
  }

  #ping(now: number): void {
    this.#catchUp();
    for (const viewer of [...this.#viewers]) {
      if (now - viewer.openedAt > STREAM_MS) viewer.close();
      else if (now - viewer.pingedAt >= this.#options.pingMs) {
        // Where nothing waits to be printed, all that was taken in has been told.
        const isTold = !this.#flushTimer && viewer.channels.every((channel) => channel.loaded);
        viewer.ping(now, isTold ? this.#applied : "");
      }
    }
  }

  /** The feed stands still although events wait: pictures are read anew until it moves. */
  async #reload(): Promise<void> {
    const watched = [...this.#channels.values()].filter((channel) => channel.viewers > 0);
    const now = this.#options.now();
    await Promise.all(watched.map((channel) => channel.reload(now)));
    await this.#beginAnew();
  }

  /** The feed left events out: every picture is read anew, and who watches is told. */
  #gap(): void {
    this.#gaps += 1;
    if (this.#mending) return;
    this.#mending = this.#inTurn(() => this.#mend(), "mending a gap");
  }

  async #mend(): Promise<void> {
    let seen: number;
    do {
      seen = this.#gaps;
      await Promise.all([...this.#channels.values()].map((channel) => this.#loadAnew(channel)));
    } while (seen !== this.#gaps);
    this.#mending = undefined;
    this.#catchUp();
    await this.#beginAnew();
  }

  async #beginAnew(): Promise<void> {
    const turn = new LiveTurn(this.#applied);
    const begin = async (viewer: Viewer) => {
      const frame = await turn.whole(viewer, true);
      if (this.#viewers.has(viewer)) viewer.send(frame, turn.position);
    };
    await Promise.all([...this.#viewers].map(begin));
  }

  /** Where it cannot be read it is let go: its viewers come back and try again. */
  async #loadAnew(channel: Channel): Promise<void> {
    try {
      await channel.load();
    } catch (error) {
      this.#options.onError(error, `loading ${channel.key}`);
      this.#channels.delete(channel.key);
      for (const v of [...this.#viewers]) if (v.channels.includes(channel)) v.close();
    }
  }

  #inTurn(work: () => Promise<void> | void, what: string): Promise<void> {
    const turn = this.#turn
      .then(work)
      .catch((error) => this.#options.onError(error, `live hub: ${what}`));
    this.#turn = turn;
    return turn;
  }
}

/** Waits for `promise`, but no longer than `ms`; whether it came in time. */
async function within(promise: Promise<void>, ms: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([promise.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
