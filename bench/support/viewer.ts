/** One viewer: a stream that comes back after a cut as a browser does, and what was learned from it. */
import { now } from "./clock.ts";
import { JobPicture, PhasesPicture, type Picture, type Said, TablePicture } from "./pictures.ts";
import { SseWire } from "./sse_wire.ts";

export interface ViewerKind {
  /** Rows of the live page, the page of one job, or the stream for programs. */
  shows: "table" | "job" | "phases";
  /** With the panels or topics. */
  path: string;
  token: string;
  /** Of this organization, or ("") of all. */
  org: string;
  /** Of this queue, or ("") of all. */
  queue: string;
  /** Only where one job is shown. */
  job: string;
}

/** That a job had entered a state was received; both in epoch milliseconds. */
export interface Receipt {
  job: string;
  state: string;
  at: number;
  /** Since when this viewer was connected without a break. */
  connected: number;
}

export interface ViewerOptions {
  /** Of which jobs receipts are kept. */
  isSampled?: (job: string) => boolean;
  /** How long after a cut it comes back; null: when it is told to. */
  retryMs: () => number | null;
}

export class LiveViewer {
  readonly kind: ViewerKind;
  readonly picture: Picture;
  readonly receipts: Receipt[] = [];
  /** From the cut to the first word after it, milliseconds. */
  awayMs = 0;
  /** How often it was told that it missed something. */
  resyncs = 0;
  bytes = 0;
  readonly #url: string;
  readonly #options: ViewerOptions;
  #wire: SseWire | undefined;
  #id = "";
  #cutAt = 0;
  #connected = 0;
  #closed = false;

  constructor(url: string, kind: ViewerKind, options: ViewerOptions) {
    this.#url = url;
    this.#options = options;
    this.kind = kind;
    const said: Said = (job, state, at) => {
      if (!options.isSampled?.(job)) return;
      this.receipts.push({ job, state, at, connected: this.#connected });
    };
    if (kind.shows === "table") this.picture = new TablePicture(said);
    else if (kind.shows === "job") this.picture = new JobPicture(kind.job, said);
    else this.picture = new PhasesPicture(said);
  }

  get isConnected(): boolean {
    return this.#connected > 0;
  }

  open(): void {
    if (this.#closed) return;
    const { path, token } = this.kind;
    const since: Record<string, string> = this.#id === "" ? {} : { "last-event-id": this.#id };
    const wire = new SseWire({
      url: new URL(path, this.#url),
      headers: { authorization: `Bearer ${token}`, ...since },
      onMessage: (message) => {
        if (message.event === "hello") return;
        this.#heard(message.at);
        if (message.event === "resync") this.resyncs += 1;
        this.picture.take(message);
      },
      onId: (id, at) => {
        this.#heard(at);
        this.#id = id;
      },
      onEnd: (why) => {
        console.log(`  a viewer of ${path} was ended: ${why}`);
        this.#leave();
      },
    });
    this.#wire = wire;
  }

  cut(): void {
    this.#wire?.cut();
    this.#leave();
  }

  close(): void {
    this.#closed = true;
    this.#wire?.cut();
    this.bytes += this.#wire?.bytes ?? 0;
  }

  #leave(): void {
    this.#cutAt = now();
    this.#connected = 0;
    this.bytes += this.#wire?.bytes ?? 0;
    this.#wire = undefined;
    const wait = this.#options.retryMs();
    if (wait !== null) setTimeout(() => this.open(), wait);
  }

  #heard(at: number): void {
    if (this.isConnected) return;
    this.#connected = at;
    if (this.#cutAt > 0) this.awayMs = this.#connected - this.#cutAt;
  }
}
