/**
 * The live hub: one for the whole server, whatever the number of viewers.
 *
 * The engine's feed gives committed events in order. Each topic takes them in, and at most four times a second
 * (for programs, eight) prints what changed, once, for everybody who watches it. A viewer has a position (the
 * feed id that everything it got is true for); after a cut it comes back with that id and gets what it missed,
 * or, where the feed no longer remembers, `resync` and the whole picture.
 *
 * Nothing runs while nobody looks: without channels there is no subscription, and then the
 * engine's feed reads nothing either.
 */
import type { Feed, FeedEvent } from "../../engine/feed.ts";
import { Channel } from "./channel.ts";
import { Lane } from "./lane.ts";
import { isAfter, type LiveTopic, type TopicRequest } from "./topic.ts";
import { type JoinOptions, type LaneName, Viewer } from "./viewer.ts";
import { within } from "./within.ts";

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
/** Programs read nothing that moves under an eye: what they are told of waits half of that. */
const PROGRAM_FRAMES = 2;
export const PING_MS = 5_000;
const KEEP_MS = 15_000;
const CHANNELS_MAX = 200;
const STALL_MS = 2_000;
const SETTLE_MS = 500;

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
  readonly #lanes: Record<LaneName, Lane>;
  #unsubscribe: (() => void) | undefined;
  #clock: ReturnType<typeof setInterval> | undefined;
  /** Everything at or below it was taken in by the channels. */
  #applied = "";
  #reloadedAt = 0;
  /** Set while pictures lack what the feed left out; resolves once they were read anew. */
  #mending: Promise<void> | undefined;
  #gaps = 0;
  #stopped = false;

  constructor(options: LiveHubOptions) {
    this.#options = { flushMs: FLUSH_MS, pingMs: PING_MS, keepMs: KEEP_MS, ...options };
    const { flushMs, pingMs, feed, onError } = this.#options;
    const lane = (name: LaneName, everyMs: number) => {
      const channels = () => this.#channels.values();
      const applied = () => this.#applied;
      const since = (id: string) => feed.since(id);
      return new Lane({ name, everyMs, pingMs, channels, applied, since, onError });
    };
    this.#lanes = {
      panels: lane("panels", flushMs),
      programs: lane("programs", flushMs / PROGRAM_FRAMES),
    };
  }

  /** How many streams are open. */
  get viewers(): number {
    return this.#each.reduce((sum, lane) => sum + lane.size, 0);
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
    for (const channel of channels) channel.join(viewer.lane);
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
    for (const lane of this.#each) lane.close();
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

  #welcome(viewer: Viewer): void {
    if (viewer.closed) return;
    if (this.#stopped) viewer.close();
    else this.#lanes[viewer.lane].welcome(viewer);
  }

  #leave(viewer: Viewer): void {
    this.#lanes[viewer.lane].leave(viewer);
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
    for (const lane of this.#each) lane.rest();
  }

  // Events in, frames out

  #receive(events: FeedEvent[]): void {
    const last = events.at(-1);
    if (!last) return;
    for (const channel of this.#channels.values()) channel.receive(events);
    if (!this.#mending) this.#applied = last.id;
    const { panels, programs } = this.#lanes;
    const due = [panels.receive(), programs.receive()];
    const shownAt = due[0] ?? due[1];
    const { everyMs } = due[1] != null ? programs : panels;
    if (shownAt != null) this.#options.feed.align(shownAt, everyMs);
  }

  /** The feed's place goes on although nothing happened: what it delivered, channels have. */
  #catchUp(): void {
    if (this.#mending) return;
    const position = this.#options.feed.position();
    if (isAfter(position, this.#applied || "0")) this.#applied = position;
  }

  /** Pings, looks at what has no events, lets go of what nobody watches. */
  #tick(): void {
    const now = this.#options.now();
    for (const channel of this.#channels.values()) {
      if (channel.viewers === 0 && now - channel.usedAt > this.#options.keepMs) {
        this.#channels.delete(channel.key);
      } else if (channel.viewers > 0 && channel.loaded) {
        // It is in no hurry: a frame now would make the next event wait for its own.
        const tell = () => {
          if (channel.topic.isDirty()) this.#lanes[channel.lane].schedule(this.#options.flushMs);
        };
        channel
          .refresh(now)
          .catch((error) => this.#options.onError(error, `looking at ${channel.key}`))
          .then(tell);
      }
    }
    if (this.#channels.size === 0) {
      this.#rest();
      return;
    }
    this.#catchUp();
    for (const lane of this.#each) lane.tick(now);
    const stalled = this.#options.feed.stalledSince();
    if (stalled !== null && now - Math.max(stalled, this.#reloadedAt) > STALL_MS) {
      this.#reloadedAt = now;
      this.#inTurn(() => this.#reload(), "reload");
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
    await Promise.all(this.#each.map((lane) => lane.beginAnew()));
  }

  /** Where it cannot be read it is let go: its viewers come back and try again. */
  async #loadAnew(channel: Channel): Promise<void> {
    try {
      await channel.load();
    } catch (error) {
      this.#options.onError(error, `loading ${channel.key}`);
      this.#channels.delete(channel.key);
      this.#lanes[channel.lane].close((viewer) => viewer.channels.includes(channel));
    }
  }

  /** While no lane tells anybody anything. */
  #inTurn(work: () => Promise<void>, what: string): Promise<void> {
    const [first, second] = this.#each;
    return first!.inTurn(() => second!.inTurn(work, what), what);
  }

  get #each(): Lane[] {
    return Object.values(this.#lanes);
  }
}
