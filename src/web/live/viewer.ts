/** One open stream: which channels it watches, where it stands, and what its messages look like. */
import type { FeedEvent } from "../../engine/feed.ts";
import type { Channel } from "./channel.ts";
import { encodeMessage, encodeMessages, encodePosition } from "./sse.ts";
import { createViewerStream, type ViewerStream } from "./viewer_stream.ts";

/** What may wait for one slow viewer. */
export const VIEWER_MAX_BYTES = 1024 * 1024;

/** Pages for people, JSON for programs. */
export type LaneName = "panels" | "programs";

export interface JoinOptions {
  /** The position the viewer has, or null. */
  since: string | null;
  /** It had a stream that was cut; else its position is that of a page just printed. */
  wasCut?: boolean;
  /** Sent first of all. */
  hello?: string;
  /** One picture of several topics as a single message, for readers of JSON. */
  snapshot?: (parts: Map<string, string>, id: string) => string;
  /** Positions go on with everything that happens anywhere: who sees only counts is told none. */
  withoutPositions?: boolean;
  now(): number;
}

const encoder = new TextEncoder();

export class Viewer {
  readonly channels: readonly Channel[];
  readonly options: JoinOptions;
  readonly openedAt: number;
  /** Viewers with the same group are told the same, letter by letter. */
  readonly group: string;
  /** Where it stands when it joins, and joins anew. */
  since: string | null;
  wasCut: boolean;
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
    this.since = options.since;
    this.wasCut = options.wasCut ?? false;
    this.openedAt = options.now();
    this.pingedAt = this.openedAt;
    const kind = `${options.snapshot ? "json" : "html"} ${options.withoutPositions ? "blind" : ""}`;
    this.group = [kind, ...channels.map(({ key }) => key)].join("\n");
    this.#stream = createViewerStream({
      maxBytes: VIEWER_MAX_BYTES,
      onRecovered: (position) => {
        this.since = position;
        this.wasCut = true;
        on.recovered();
      },
      onClosed: () => {
        this.closed = true;
        on.closed();
      },
    });
  }

  get lane(): LaneName {
    return this.options.snapshot ? "programs" : "panels";
  }

  get body(): ReadableStream<Uint8Array> {
    return this.#stream.body;
  }

  /** `position`: where it stands with this frame, if that is told. */
  send(frame: Uint8Array | string, position = ""): void {
    this.#stream.send(typeof frame === "string" ? encoder.encode(frame) : frame, position);
  }

  close(): void {
    if (!this.closed) this.#stream.close();
  }

  ping(now: number, position: string): void {
    this.pingedAt = now;
    const data = JSON.stringify({ at: new Date(now).toISOString() });
    this.send(encodeMessage({ event: "ping", data, id: this.#told(position) }), position);
  }

  // Frames for it and all of its group

  /** What stands up to `position`. */
  frameUpTo(text: string, position: string): Uint8Array {
    return encoder.encode(text + encodePosition(this.#told(position)));
  }

  /** The whole picture; `resync` tells that something was missed before it. */
  async full(resync: boolean, position: string): Promise<Uint8Array> {
    const head = resync ? encodeMessage({ event: "resync", data: "{}" }) : "";
    const parts = await Promise.all(this.channels.map((channel) => channel.topic.full()));
    if (this.options.snapshot) {
      const byKey = new Map(this.channels.map((c, i) => [c.key, parts[i]?.[0]?.data ?? "null"]));
      const id = this.#told(position);
      const data = this.options.snapshot(byKey, id);
      return encoder.encode(head + encodeMessage({ event: "snapshot", id, data }));
    }
    return this.frameUpTo(head + parts.map(encodeMessages).join(""), position);
  }

  async missed(events: readonly FeedEvent[], position: string): Promise<Uint8Array> {
    const { wasCut } = this;
    const told = this.channels.map((channel) => channel.topic.missed(events, wasCut));
    const parts = await Promise.all(told);
    return this.frameUpTo(parts.map(encodeMessages).join(""), position);
  }

  #told(position: string): string {
    return this.options.withoutPositions ? "" : position;
  }
}
