/**
 * Reads the pipes of all running jobs, in turns. A pipe is asked every few milliseconds, because
 * no stream of either runtime reads a non-blocking pipe without holding a thread for it; sixteen
 * jobs cost about a thousand system calls a second, and a full pipe is read to its end at once.
 */
import { Buffer } from "node:buffer";
import { readSync } from "node:fs";

const FAST_MS = 2;
const SLOW_MS = 15;
/** In one turn, from one pipe: the others wait meanwhile. */
const TURN_BYTES = 1024 * 1024;
const BUFFER_BYTES = 64 * 1024;

export interface OutputSource {
  fd: number;
  onData: (chunk: Uint8Array) => void;
  /** Every writer is gone, and all was read. */
  onEnd: () => void;
}

export class OutputPoller {
  readonly #sources = new Set<OutputSource>();
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #delayMs = FAST_MS;

  add(source: OutputSource): void {
    this.#sources.add(source);
    this.#delayMs = FAST_MS;
    this.#arm();
  }

  remove(source: OutputSource): void {
    this.#sources.delete(source);
  }

  /** Reads one source now, until it has nothing or has ended. Returns whether it has ended. */
  drain(source: OutputSource): boolean {
    while (this.#sources.has(source)) {
      if (this.#read(source) < TURN_BYTES) break;
    }
    return !this.#sources.has(source);
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#sources.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      let bytes = 0;
      for (const source of [...this.#sources]) bytes += this.#read(source);
      this.#delayMs = bytes > 0 ? FAST_MS : Math.min(SLOW_MS, this.#delayMs + 1);
      this.#arm();
    }, this.#delayMs);
  }

  #read(source: OutputSource): number {
    let total = 0;
    while (total < TURN_BYTES) {
      let got = 0;
      try {
        got = readSync(source.fd, this.#buffer, 0, BUFFER_BYTES, null);
      } catch (error) {
        if ((error as { code?: string }).code === "EAGAIN") return total;
      }
      if (got === 0) {
        this.#sources.delete(source);
        source.onEnd();
        return total;
      }
      total += got;
      source.onData(this.#buffer.subarray(0, got));
    }
    return total;
  }
}
