/**
 * A topic is something viewers watch together: it is loaded once, kept true by committed events, and
 * printed once for all of them.
 */
import type { FeedEvent } from "../../engine/feed.ts";
import type { LiveMessage } from "./sse.ts";

export interface LiveTopic {
  /**
   * Reads what the topic shows. Resolves with the feed id that this picture is true for: rows and
   * horizon come from one repeatable-read transaction. Called again where events were missed.
   */
  load(): Promise<string>;
  /** Takes committed events in order. Runs for every event of the instance, so it must be quick. */
  apply(events: readonly FeedEvent[]): void;
  /**
   * Events that came while the picture was read, and that it holds: for who tells of every event. Read anew
   * because one more viewer came, it would else keep them from those who watch already.
   */
  held?(events: readonly FeedEvent[]): void;
  /** Whether `changes` would say something. */
  isDirty(): boolean;
  /** What changed since the last call, for everybody who watches. */
  changes(): Promise<LiveMessage[]>;
  /** The whole picture, for a viewer who has nothing, or too old a picture to mend. */
  full(): Promise<LiveMessage[]>;
  /**
   * For a viewer who missed exactly these events, and whatever else has changed meanwhile: its stream was
   * cut, or it is a page that was printed a moment ago.
   */
  missed(events: readonly FeedEvent[], wasCut: boolean): Promise<LiveMessage[]>;
  /** Nobody watches: what changed need not be kept for `changes`. */
  forget(): void;
  /** False: events are nothing to it, it looks by itself. */
  readonly followsFeed?: false;
  /** For what has no events, such as metrics: called every `tickMs` while somebody watches. */
  readonly tickMs?: number;
  tick?(): Promise<void>;
}

/** How a stream names the topics it wants: equal keys share one topic. */
export interface TopicRequest<T extends LiveTopic = LiveTopic> {
  key: string;
  create(): T;
}

/** Feed ids are opaque to clients; to us they are ordered tuples of integers, written in decimal. */
export function isAfter(id: string, other: string): boolean {
  const left = id.split(/\D+/).map(BigInt);
  const right = other.split(/\D+/).map(BigInt);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const a = left[i] ?? 0n;
    const b = right[i] ?? 0n;
    if (a !== b) return a > b;
  }
  return false;
}
