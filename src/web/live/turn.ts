/**
 * What is told at one moment: printed and encoded once for all who are told the same, however many they
 * are. Two hundred viewers who come back at once cost what one of each kind costs.
 */
import type { FeedEvent } from "../../engine/feed.ts";
import type { Viewer } from "./viewer.ts";

export class LiveTurn {
  /** Everything told is true up to here. */
  readonly position: string;
  readonly #news = new Map<string, Uint8Array>();
  readonly #frames = new Map<string, Promise<Uint8Array>>();
  readonly #missed = new Map<string, readonly FeedEvent[] | null>();

  constructor(position: string) {
    this.position = position;
  }

  /** What has happened since they left: to be asked in the same moment as what the others still wait for. */
  remember(joining: readonly Viewer[], since: (id: string) => readonly FeedEvent[] | null): void {
    for (const viewer of joining) {
      const from = viewer.since;
      if (from !== null && !this.#missed.has(from)) this.#missed.set(from, since(from));
    }
  }

  /**
   * News of its channels. `isWhole`: all of them, up to here; where a picture was being read when they were
   * printed, some are still to come. Null for none.
   */
  news(viewer: Viewer, text: string, isWhole: boolean): { frame: Uint8Array; upTo: string } | null {
    if (text === "") return null;
    const upTo = isWhole ? this.position : "";
    const frame = this.#news.get(viewer.group) ?? viewer.frameUpTo(text, upTo);
    this.#news.set(viewer.group, frame);
    return { frame, upTo };
  }

  /** For one who joins: what it missed, or the whole where it has nothing, or nobody remembers. */
  first(viewer: Viewer): Promise<Uint8Array> {
    const { since, wasCut, group } = viewer;
    const missed = since === null ? null : (this.#missed.get(since) ?? null);
    if (missed === null) return this.whole(viewer, since !== null);
    const print = () => viewer.missed(missed, this.position);
    return this.#once(`missed\n${since}\n${wasCut}\n${group}`, print);
  }

  /** The whole picture; `resync` where something was missed before it. */
  whole(viewer: Viewer, resync: boolean): Promise<Uint8Array> {
    return this.#once(`whole\n${resync}\n${viewer.group}`, () =>
      viewer.full(resync, this.position),
    );
  }

  #once(what: string, print: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const frame = this.#frames.get(what) ?? print();
    this.#frames.set(what, frame);
    return frame;
  }
}
