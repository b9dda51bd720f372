/**
 * One attempt's log: bytes in order of arrival, as valid UTF-8, bounded, and readable again from
 * any offset until the attempt's end is recorded. The server acknowledges no chunk; only after a
 * reconnect does it say from where it wants more, so nothing may be thrown away before.
 *
 * The first 256 KiB stay in memory; a longer log moves into one spool file, so that a thousand
 * chatty jobs behind a server that is away cost disk, not memory.
 */
import { Buffer } from "node:buffer";
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { LOG_MAX_BYTES } from "../../messages/frames.ts";
import { boundaryBefore, Utf8Cleaner } from "./utf8.ts";

const MEMORY_MAX_BYTES = 256 * 1024;

export interface LogStreamOptions {
  /** Called for the path of the spool file, the first time one is needed. */
  spoolPath: () => string;
  maxBytes?: number;
  memoryMaxBytes?: number;
}

export class LogStream {
  /** Bytes that stand in the log. */
  bytes = 0;
  /** Bytes that were handed to the socket. */
  sent = 0;
  truncated = false;
  readonly #options: LogStreamOptions;
  readonly #maxBytes: number;
  readonly #notice: Buffer;
  readonly #cleaner = new Utf8Cleaner();
  #memory: Buffer[] = [];
  #file: { fd: number; path: string } | null = null;

  constructor(options: LogStreamOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? LOG_MAX_BYTES;
    this.#notice = Buffer.from(
      `\n[signalbox: the log reached its limit of ${this.#maxBytes} bytes; the rest was dropped]\n`,
    );
  }

  /** Output as the process wrote it; a character cut at the end waits for its rest. */
  write(chunk: Uint8Array): void {
    this.#append(this.#cleaner.push(chunk));
  }

  writeText(text: string): void {
    this.#append(this.#cleaner.push(Buffer.from(text)));
  }

  /** No more output: what is left of a cut character is replaced. */
  end(): void {
    this.#append(this.#cleaner.end());
  }

  /** At most `max` bytes from `from`, ending with a whole character. */
  read(from: number, max: number): Buffer {
    const length = Math.min(max, this.bytes - from);
    if (length <= 0) return Buffer.alloc(0);
    const all = this.#file ? this.#readFile(from, length) : this.#readMemory(from, length);
    if (from + all.length === this.bytes) return all;
    return all.subarray(0, boundaryBefore(all, all.length));
  }

  /** The server has `offset` bytes: go on from there, or from the start of the character in it. */
  rewind(offset: number): void {
    const from = Math.min(Math.max(0, Math.trunc(offset)), this.bytes);
    const head = Math.max(0, from - 3);
    const around = this.#file
      ? this.#readFile(head, Math.min(4, this.bytes - head))
      : this.#readMemory(head, Math.min(4, this.bytes - head));
    let step = from - head;
    while (step > 0 && step < around.length && ((around[step] ?? 0) & 0xc0) === 0x80) step -= 1;
    this.sent = head + step;
  }

  dispose(): void {
    this.#memory = [];
    if (!this.#file) return;
    closeSync(this.#file.fd);
    rmSync(this.#file.path, { force: true });
    this.#file = null;
  }

  // Storing

  #append(data: Buffer): void {
    if (data.length === 0 || this.truncated) return;
    const room = this.#maxBytes - this.#notice.length - this.bytes;
    if (data.length <= room) {
      this.#store(data);
      return;
    }
    this.#store(data.subarray(0, boundaryBefore(data, Math.max(0, room))));
    this.#store(this.#notice);
    this.truncated = true;
  }

  #store(data: Buffer): void {
    if (data.length === 0) return;
    const limit = this.#options.memoryMaxBytes ?? MEMORY_MAX_BYTES;
    if (!this.#file && this.bytes + data.length > limit) this.#spill();
    if (this.#file) writeAll(this.#file.fd, data, this.bytes);
    else this.#memory.push(Buffer.from(data));
    this.bytes += data.length;
  }

  #spill(): void {
    const path = this.#options.spoolPath();
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    const fd = openSync(path, "w+", 0o600);
    let at = 0;
    for (const part of this.#memory) {
      writeAll(fd, part, at);
      at += part.length;
    }
    this.#memory = [];
    this.#file = { fd, path };
  }

  #readFile(from: number, length: number): Buffer {
    const out = Buffer.alloc(length);
    const got = readSync(this.#file!.fd, out, 0, length, from);
    return out.subarray(0, got);
  }

  #readMemory(from: number, length: number): Buffer {
    if (this.#memory.length > 1) this.#memory = [Buffer.concat(this.#memory)];
    return (this.#memory[0] ?? Buffer.alloc(0)).subarray(from, from + length);
  }
}

function writeAll(fd: number, data: Buffer, position: number): void {
  let done = 0;
  while (done < data.length) {
    done += writeSync(fd, data, done, data.length - done, position + done);
  }
}
