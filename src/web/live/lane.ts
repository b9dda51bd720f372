/**
 * The viewers who are told at one rhythm, and their frames: pages for people, JSON for programs. No topic is
 * watched by both, so that neither waits for what the other's frames read.
 *
 * Frames, where viewers join too, pings and whole pictures take turns: a picture sent to one viewer is never
 * overtaken by an older change.
 */
import type { FeedEvent } from "../../engine/feed.ts";
import type { Channel } from "./channel.ts";
import { FrameClock } from "./frame_clock.ts";
import { LiveTurn } from "./turn.ts";
import type { LaneName, Viewer } from "./viewer.ts";

/** A first short wait gathers the phases of a quick job in one frame. Where frame follows frame, the feed gathers. */
const GATHER_MS = 20;
/** A stream ends after this long and its viewer comes back: rights are checked again. */
export const STREAM_MS = 15 * 60_000;

export interface LaneOptions {
  name: LaneName;
  /** Least time between two frames. */
  everyMs: number;
  pingMs: number;
  /** Of both lanes. */
  channels(): Iterable<Channel>;
  /** Everything at or below it was taken in by the channels. */
  applied(): string;
  since(id: string): readonly FeedEvent[] | null;
  onError(error: unknown, what: string): void;
}

/** What changed, on its way: "" for nothing. Of channels whose pictures are being read there is none. */
type Texts = ReadonlyMap<Channel, Promise<string>>;

export class Lane {
  readonly #options: LaneOptions;
  readonly #frames: FrameClock;
  readonly #viewers = new Set<Viewer>();
  /** Ready for their first frame, or for one after they lagged. */
  readonly #joining = new Set<Viewer>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: LaneOptions) {
    this.#options = options;
    const flush = () => void this.inTurn(() => this.#flush(), "flush");
    this.#frames = new FrameClock(options.everyMs, flush);
  }

  get name(): LaneName {
    return this.#options.name;
  }

  get everyMs(): number {
    return this.#options.everyMs;
  }

  /** How many streams are open. */
  get size(): number {
    return this.#viewers.size + this.#joining.size;
  }

  /** It joins with the next frame, as all do who come at that time. */
  welcome(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.#joining.add(viewer);
    this.schedule();
  }

  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    this.#joining.delete(viewer);
  }

  /** Those for whom this is true, or all. */
  close(which: (viewer: Viewer) => boolean = () => true): void {
    for (const viewer of [...this.#viewers, ...this.#joining]) if (which(viewer)) viewer.close();
  }

  /** Whether anybody watches what events change. */
  get followsFeed(): boolean {
    const follows = ({ channels }: Viewer) =>
      channels.some(({ topic }) => topic.followsFeed !== false);
    return [this.#viewers, this.#joining].some((some) => some.values().some(follows));
  }

  /** When the next frame is due, or null where nobody looks. */
  schedule(patienceMs = GATHER_MS): number | null {
    return this.size > 0 ? this.#frames.schedule(patienceMs) : null;
  }

  /** The same, for what the feed delivered. */
  receive(): number | null {
    if (!this.followsFeed) return null;
    return this.schedule(this.#frames.isSteady ? 0 : GATHER_MS);
  }

  /** Who waits to join does not wait for something to happen. */
  tick(now: number): void {
    if (this.#joining.size > 0) this.schedule();
    void this.inTurn(() => this.#ping(now), "ping");
  }

  rest(): void {
    this.#frames.stop();
  }

  /** Everybody is told that something was missed, and the whole. */
  async beginAnew(): Promise<void> {
    const turn = new LiveTurn(this.#options.applied());
    const begin = async (viewer: Viewer) => {
      const frame = await turn.whole(viewer, true);
      if (this.#viewers.has(viewer)) viewer.send(frame, turn.position);
    };
    await Promise.all([...this.#viewers].map(begin));
  }

  inTurn(work: () => Promise<void> | void, what: string): Promise<void> {
    const turn = this.#turn
      .then(work)
      .catch((error) => this.#options.onError(error, `live hub: ${what}`));
    this.#turn = turn;
    return turn;
  }

  async #flush(): Promise<void> {
    this.#frames.begin();
    // At one moment: what the others still wait for is printed, and what those who join have missed is
    // known. Else these would be told once as missed and once more as news.
    const turn = new LiveTurn(this.#options.applied());
    // What came while a picture is read is told to all when it has been: who joins before hears it twice.
    const joining = [...this.#joining].filter((v) => v.channels.every(({ loaded }) => loaded));
    for (const viewer of joining) this.#joining.delete(viewer);
    turn.remember(joining, (id) => this.#options.since(id));
    const texts = this.#changes();
    const groups = Map.groupBy(this.#viewers, ({ group }) => group);
    // Each group as soon as its own is printed: for this frame no page waits for what another reads.
    await Promise.all([...groups.values()].map((group) => this.#tell(group, turn, texts)));
    // Also what nobody was told: a topic that is still reading what has happened would give who joins the picture
    // from before, as if it were of now.
    await Promise.all(texts.values());
    await Promise.all(joining.map((viewer) => this.#join(viewer, turn)));
  }

  async #tell(group: readonly Viewer[], turn: LiveTurn, texts: Texts): Promise<void> {
    const { channels } = group[0]!;
    // As it was when printing began. Asked for afterwards, a picture that is being read anew by then would take
    // from who lags the place that it had reached, and what it has been told would be told again.
    const isWhole = channels.every((channel) => texts.has(channel));
    const printed = await Promise.all(channels.map((channel) => texts.get(channel) ?? ""));
    for (const viewer of group) {
      if (!this.#viewers.has(viewer)) continue;
      const news = turn.news(viewer, printed.join(""), isWhole);
      if (news) viewer.send(news.frame, news.upTo);
    }
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
  #changes(): Texts {
    const texts = new Map<Channel, Promise<string>>();
    for (const channel of this.#options.channels()) {
      if (channel.lane !== this.name || channel.viewers === 0 || !channel.loaded) continue;
      const printed = channel.changes().catch((error) => {
        this.#options.onError(error, `printing ${channel.key}`);
        return "";
      });
      texts.set(channel, printed);
    }
    return texts;
  }

  #ping(now: number): void {
    for (const viewer of [...this.#viewers]) {
      if (now - viewer.openedAt > STREAM_MS) viewer.close();
      else if (now - viewer.pingedAt >= this.#options.pingMs) {
        // Where nothing waits to be printed, all that was taken in has been told.
        const isTold = !this.#frames.waits && viewer.channels.every((channel) => channel.loaded);
        viewer.ping(now, isTold ? this.#options.applied() : "");
      }
    }
  }
}
