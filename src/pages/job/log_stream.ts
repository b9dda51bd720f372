/**
 * A log as it grows: server-sent events whose id is the byte up to which the reader has it, so a
 * cut connection goes on without a gap or a repeat. The reader's pace is ours: the next piece is
 * read when the last one is taken.
 */
import type { LogStore } from "../../blobs/log_store.ts";
import type { Sql } from "../../db/client.ts";
import type { AnsiWriter } from "../../web/ansi.ts";
import { encodeMessage, SSE_HEADERS } from "../../web/live/sse.ts";
import { CHUNK_BYTES, leadIn, readPiece } from "./log.ts";

const FRAME_MS = 250;
const LOOK_MS = 1_000;
const PING_MS = 10_000;
const QUIET_MS = 1_500;

export interface LogStreamDeps {
  logs: Pick<LogStore, "size" | "read" | "watch">;
  /** Whether a worker still holds this attempt. */
  isAlive(job: string, attempt: number): Promise<boolean>;
  /** How long nothing must come before an attempt that is over is believed: bytes may be on their way. */
  quietMs?: number;
}

export function streamLog(
  deps: LogStreamDeps,
  job: string,
  attempt: number,
  from: number,
): Response {
  const follower = new LogFollower(deps, job, attempt, from);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const text = await follower.next();
      if (text === null) controller.close();
      else controller.enqueue(encoder.encode(text));
    },
    cancel: () => follower.stop(),
  });
  return new Response(body, { headers: SSE_HEADERS });
}

class LogFollower {
  readonly #deps: LogStreamDeps;
  readonly #job: string;
  readonly #attempt: number;
  #at: number;
  #writer: AnsiWriter | undefined;
  #sentAt = 0;
  #changedAt = Date.now();
  #wake: () => void = () => {};
  readonly #unwatch: () => void;
  #state: "open" | "told" | "stopped" = "open";

  constructor(deps: LogStreamDeps, job: string, attempt: number, from: number) {
    this.#deps = deps;
    this.#job = job;
    this.#attempt = attempt;
    this.#at = from;
    this.#unwatch = deps.logs.watch(job, attempt, () => this.#wake());
  }

  stop(): void {
    this.#state = "stopped";
    this.#unwatch();
    this.#wake();
  }

  /** What to send next, or null at the end. */
  async next(): Promise<string | null> {
    this.#writer ??= await leadIn(this.#deps.logs, this.#job, this.#attempt, this.#at);
    while (this.#state === "open") {
      const piece = await this.#piece();
      if (piece !== "") return this.#sent(piece);
      const quiet = Date.now() - this.#changedAt;
      if (
        quiet > (this.#deps.quietMs ?? QUIET_MS) &&
        !(await this.#deps.isAlive(this.#job, this.#attempt))
      ) {
        this.#state = "told";
        this.#unwatch();
        return encodeMessage({ event: "end", data: "" });
      }
      if (Date.now() - this.#sentAt > PING_MS) {
        return this.#sent(encodeMessage({ event: "ping", data: "" }));
      }
      await this.#pause(Math.min(LOOK_MS, this.#deps.quietMs ?? LOOK_MS));
    }
    return null;
  }

  async #piece(): Promise<string> {
    const { logs } = this.#deps;
    const size = await logs.size(this.#job, this.#attempt);
    if (size <= this.#at) return "";
    const wait = this.#sentAt + FRAME_MS - Date.now();
    // A little patience makes one frame of many lines; a full piece need not wait.
    if (wait > 0 && size - this.#at < CHUNK_BYTES) await sleep(wait);
    const until = this.#at + CHUNK_BYTES;
    const piece = await readPiece(logs, this.#job, this.#attempt, this.#at, until, this.#writer!);
    if (piece.to === this.#at) return "";
    this.#at = piece.to;
    this.#changedAt = Date.now();
    return encodeMessage({ id: String(this.#at), data: `<span>${piece.html}</span>` });
  }

  #sent(text: string): string {
    this.#sentAt = Date.now();
    return text;
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = () => {};
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const ALIVE_FOR_MS = 1_000;
const KEPT_MAX = 1_000;

/** Asks the database at most once a second an attempt, however many read its log. */
export function createAliveCheck(reads: Sql): LogStreamDeps["isAlive"] {
  const answers = new Map<string, { at: number; alive: Promise<boolean> }>();
  return (job, attempt) => {
    const key = `${job}/${attempt}`;
    const known = answers.get(key);
    if (known && Date.now() - known.at < ALIVE_FOR_MS) return known.alive;
    if (answers.size >= KEPT_MAX) answers.clear();
    const alive = reads`
      select 1 from live_job
      where id = ${job} and attempt = ${attempt} and session_id is not null`.then(
      (rows) => rows.length > 0,
    );
    answers.set(key, { at: Date.now(), alive });
    return alive;
  };
}
