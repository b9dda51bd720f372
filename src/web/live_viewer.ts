/** One open stream: which channels it watches, and how they are put on its wire. */
import type { FeedEvent } from "../engine/feed.ts";
import type { Channel } from "./live_channel.ts";
import { encodeMessage, encodeMessages, encodePosition } from "./sse.ts";
import { createViewerStream, type ViewerStream } from "./viewer_stream.ts";

/** What may wait for one slow viewer. */
export const VIEWER_MAX_BYTES = 1024 * 1024;

export interface JoinOptions {
  /** The position the viewer has, or null. */
  since: string | null;
  /** Sent first of all. */
  hello?: string;
  /** One picture of several topics as a single message, for readers of JSON. */
  snapshot?: (parts: Map<string, string>, id: string) => string;
  /** Positions go on with everything that happens anywhere: who sees only counts is told none. */
  withoutPositions?: boolean;
  now(): number;
}

export class Viewer {
  readonly channels: readonly Channel[];
  readonly options: JoinOptions;
  readonly openedAt: number;
  pingedAt: number;
  closed = false;
  readonly #stream: ViewerStream;

  constructor(
    channels: readonly Channel[],
    options: JoinOptions,
    on: { recovered(): void; closed(): void },
  ) {
    this.channels = channels;
    this.options = options;
    this.openedAt = options.now();
    this.pingedAt = this.openedAt;
    this.#stream = createViewerStream({
      maxBytes: VIEWER_MAX_BYTES,
      onRecovered: () => on.recovered(),
      onClosed: () => {
        this.closed = true;
        on.closed();
      },
    });
  }

  get body(): ReadableStream<Uint8Array> {
    return this.#stream.body;
  }

  send(text: string): void {
    this.#stream.send(text);
  }

  /** What stands up to `position`. */
  sendUpTo(text: string, position: string): void {
    this.send(text + encodePosition(this.#told(position)));
  }

  #told(position: string): string {
    return this.options.withoutPositions ? "" : position;
  }

  close(): void {
    if (!this.closed) this.#stream.close();
  }

  ping(now: number, position: string | null): void {
    this.pingedAt = now;
    const data = JSON.stringify({ at: new Date(now).toISOString() });
    this.send(encodeMessage({ event: "ping", data, id: this.#told(position ?? "") }));
  }

  /** The whole picture; `resync` tells that something was missed before it. */
  async sendFull(resync: boolean, position: string): Promise<void> {
    const head = resync ? encodeMessage({ event: "resync", data: "{}" }) : "";
    const parts = await Promise.all(this.channels.map((channel) => channel.topic.full()));
    if (this.options.snapshot) {
      const byKey = new Map(this.channels.map((c, i) => [c.key, parts[i]?.[0]?.data ?? "null"]));
      const id = this.#told(position);
      const data = this.options.snapshot(byKey, id);
      this.send(head + encodeMessage({ event: "snapshot", id, data }));
      return;
    }
    this.sendUpTo(head + parts.map(encodeMessages).join(""), position);
  }

  async sendMissed(events: readonly FeedEvent[], position: string): Promise<void> {
    const parts = await Promise.all(this.channels.map((channel) => channel.topic.missed(events)));
    this.sendUpTo(parts.map(encodeMessages).join(""), position);
  }
}
