/**
 * Turns what stands in logs into `log` frames, a bounded amount at a time, round and round, so
 * that one chatty job delays neither the others' output nor anybody's end.
 */
import { FRAME_MAX_BYTES } from "../../messages/frames.ts";
import type { Attempt } from "../attempt.ts";
import { packFrames } from "../pack_frames.ts";

/** JSON escapes can make six bytes of one: 64 KiB stay under 400 KiB in a frame. */
const CHUNK_BYTES = 64 * 1024;
const CHUNKS_MAX = 500;
const ROUND_BYTES = 1024 * 1024;

export class LogPump {
  readonly #waiting = new Set<Attempt>();

  add(attempt: Attempt): void {
    this.#waiting.add(attempt);
  }

  remove(attempt: Attempt): void {
    this.#waiting.delete(attempt);
  }

  clear(): void {
    this.#waiting.clear();
  }

  /**
   * Sends at most about 1 MiB. Returns whether more waits; `emptied` gets each attempt whose log
   * is sent as far as it goes.
   */
  pump(send: (frame: string) => void, emptied: (attempt: Attempt) => void): boolean {
    const pieces: string[] = [];
    const done: Attempt[] = [];
    let bytes = 0;
    for (const attempt of this.#waiting) {
      if (bytes >= ROUND_BYTES) break;
      // To the back of the line: a Set iterates in order of insertion.
      this.#waiting.delete(attempt);
      const log = attempt.log;
      if (!log) continue;
      const data = log.read(log.sent, CHUNK_BYTES);
      if (data.length > 0) {
        const text = JSON.stringify(data.toString("utf8"));
        pieces.push(`{${attempt.leaseJson()},"offset":${log.sent},"data":${text}}`);
        log.sent += data.length;
        bytes += data.length;
      }
      if (data.length > 0 && log.sent < log.bytes) this.#waiting.add(attempt);
      else done.push(attempt);
    }
    packFrames('{"type":"log","chunks":[', pieces, FRAME_MAX_BYTES, CHUNKS_MAX, send);
    for (const attempt of done) emptied(attempt);
    return this.#waiting.size > 0;
  }
}
