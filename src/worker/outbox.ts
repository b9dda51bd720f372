/**
 * What waits to be sent, collected for one turn of the event loop and then sent as few frames.
 *
 * With no-op handlers the frames are the work: one frame for a thousand ends costs about what one
 * frame for one end costs, so nothing here has a timer for each job, and an attempt that ends in the
 * turn in which it started is reported once, by its end.
 */
import { setImmediate } from "node:timers";
import { FRAME_MAX_BYTES } from "../messages/frames.ts";
import type { Attempt, ProgressBody } from "./attempt.ts";
import { LogPump } from "./log/log_pump.ts";
import { packFrames } from "./pack_frames.ts";

const COUNT_MAX = 20_000;
const PROGRESS_EVERY_MS = 100;
/** The server takes 5,000 frames a second from a worker; each flush is one to four of them. */
const FLUSH_DISTANCE_MS = 1;
/** A socket that holds more than this waits for the server before it takes more of a log. */
const SOCKET_FULL_BYTES = 4 * 1024 * 1024;
const FULL_RETRY_MS = 10;
/** A round is 1 MiB, so at most 100 MB/s: the server refuses what its disk cannot follow. */
const LOG_ROUND_MS = 10;

export interface Wire {
  ready(): boolean;
  send(frame: string): void;
  /** Bytes that wait in the socket. */
  buffered(): number;
}

export class Outbox {
  readonly #wire: Wire;
  readonly #logs = new LogPump();
  #starts: Attempt[] = [];
  #ends: Attempt[] = [];
  #cancelling: Attempt[] = [];
  #rejected: string[] = [];
  #progress = new Map<Attempt, ProgressBody>();
  #progressSentAt = Number.NEGATIVE_INFINITY;
  #scheduled = false;
  #flushedAt = 0;
  #logsDueAt = 0;
  #later: ReturnType<typeof setTimeout> | undefined;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  // While there is no welcome nothing is kept here: the agent names everything again after it.

  start(attempt: Attempt): void {
    if (!this.#wire.ready()) return;
    this.#starts.push(attempt);
    this.#schedule();
  }

  /** The attempt's report goes out, after its log. */
  end(attempt: Attempt): void {
    if (!this.#wire.ready()) return;
    if (attempt.log && attempt.log.sent < attempt.log.bytes) {
      this.logged(attempt);
      return;
    }
    this.#ends.push(attempt);
    this.#schedule();
  }

  cancelling(attempt: Attempt): void {
    if (!this.#wire.ready()) return;
    this.#cancelling.push(attempt);
    this.#schedule();
  }

  reject(leaseJson: string, reason: string): void {
    this.#rejected.push(`{${leaseJson},"reason":${JSON.stringify(reason.slice(0, 512))}}`);
    this.#schedule();
  }

  progress(attempt: Attempt, body: ProgressBody): void {
    this.#progress.set(attempt, { ...this.#progress.get(attempt), ...body });
    this.#schedule();
  }

  logged(attempt: Attempt): void {
    if (!this.#wire.ready()) return;
    this.#logs.add(attempt);
    this.#schedule();
  }

  /** Nothing of this attempt will be sent. */
  forget(attempt: Attempt): void {
    this.#logs.remove(attempt);
    this.#progress.delete(attempt);
  }

  /** The connection is gone; after the next welcome the agent names again what still counts. */
  clear(): void {
    this.#starts = [];
    this.#ends = [];
    this.#cancelling = [];
    this.#rejected = [];
    this.#logs.clear();
    clearTimeout(this.#later);
    this.#later = undefined;
  }

  #schedule(): void {
    if (this.#scheduled || !this.#wire.ready()) return;
    this.#scheduled = true;
    const flush = () => {
      this.#scheduled = false;
      this.flush();
    };
    // Alone, an end leaves at once; under load, flushes keep a distance and carry more each.
    if (performance.now() - this.#flushedAt > FLUSH_DISTANCE_MS) setImmediate(flush);
    else setTimeout(flush, FLUSH_DISTANCE_MS);
  }

  flush(): void {
    if (!this.#wire.ready()) return;
    const send = (frame: string) => this.#wire.send(frame);
    this.#flushedAt = performance.now();
    this.#flushLogs(send);
    this.#flushStarts(send);
    this.#flushProgress(send);
    this.#flushEnds(send);
    const rejected = this.#rejected;
    this.#rejected = [];
    packFrames('{"type":"rejected","jobs":[', rejected, FRAME_MAX_BYTES, COUNT_MAX, send);
    if (this.#later === undefined && this.#progress.size > 0) this.#again(PROGRESS_EVERY_MS);
  }

  #flushLogs(send: (frame: string) => void): void {
    const wait = this.#logsDueAt - performance.now();
    if (wait > 0 || this.#wire.buffered() > SOCKET_FULL_BYTES) {
      this.#again(Math.max(wait, FULL_RETRY_MS));
      return;
    }
    const more = this.#logs.pump(send, (attempt) => {
      if (attempt.report !== null && !attempt.forgotten) this.#ends.push(attempt);
    });
    if (!more) return;
    this.#logsDueAt = performance.now() + LOG_ROUND_MS;
    this.#again(LOG_ROUND_MS);
  }

  #flushStarts(send: (frame: string) => void): void {
    const starts = this.#starts;
    const cancelling = this.#cancelling;
    this.#starts = [];
    this.#cancelling = [];
    const open = (attempt: Attempt) => !attempt.forgotten && !this.#leaves(attempt);
    sendLeases("started", starts.filter(open), send);
    sendLeases("cancelling", cancelling.filter(open), send);
  }

  /** The end leaves in this very flush, and says everything. */
  #leaves(attempt: Attempt): boolean {
    if (attempt.report === null) return false;
    return !attempt.log || attempt.log.sent >= attempt.log.bytes;
  }

  #flushProgress(send: (frame: string) => void): void {
    if (this.#progress.size === 0) return;
    const now = performance.now();
    if (now - this.#progressSentAt < PROGRESS_EVERY_MS) return;
    this.#progressSentAt = now;
    const pieces: string[] = [];
    for (const [attempt, body] of this.#progress) {
      if (attempt.report !== null || attempt.forgotten) continue;
      pieces.push(`{${attempt.leaseJson()},${JSON.stringify(body).slice(1)}`);
    }
    this.#progress.clear();
    packFrames('{"type":"progress","jobs":[', pieces, FRAME_MAX_BYTES, COUNT_MAX, send);
  }

  #flushEnds(send: (frame: string) => void): void {
    if (this.#ends.length === 0) return;
    const now = performance.now();
    const pieces: string[] = [];
    for (const attempt of this.#ends) {
      if (attempt.report === null || attempt.forgotten) continue;
      attempt.reportSentAt = now;
      pieces.push(attempt.report);
    }
    this.#ends = [];
    packFrames('{"type":"finished","jobs":[', pieces, FRAME_MAX_BYTES, COUNT_MAX, send);
  }

  #again(delayMs: number): void {
    if (this.#later !== undefined) return;
    this.#later = setTimeout(() => {
      this.#later = undefined;
      this.flush();
    }, delayMs);
  }
}

function sendLeases(
  type: "started" | "cancelling",
  attempts: Attempt[],
  send: (frame: string) => void,
): void {
  const pieces = attempts.map((attempt) => `{${attempt.leaseJson()}}`);
  packFrames(`{"type":"${type}","jobs":[`, pieces, FRAME_MAX_BYTES, COUNT_MAX, send);
}
