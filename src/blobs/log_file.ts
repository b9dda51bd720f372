/**
 * One attempt's log file: a queue of chunks and a single loop that writes them.
 *
 * The loop is what serialises writers: whatever arrives while one write is under way is joined
 * into the next. `size` is only ever what is known to be in the file; a failed write forgets what
 * it had promised, so that the sender is asked for it again.
 */

import { Buffer } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { type AppendResult, LOG_MAX_BYTES } from "./log_store.ts";

interface Chunk {
  offset: number;
  bytes: Uint8Array;
  done: (result: AppendResult) => void;
}

const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;
/** Most that one write joins. */
const BATCH_MAX_BYTES = 4 * 1024 * 1024;

export interface LogFileHooks {
  opened(): void;
  wrote(size: number): void;
  /** Nothing is queued any more: the file may be closed, until the next append. */
  rested(): void;
}

export class LogFile {
  readonly key: string;
  readonly #path: string;
  readonly #hooks: LogFileHooks;
  #handle: FileHandle | null = null;
  #size = 0;
  #queue: Chunk[] = [];
  #running: Promise<void> | null = null;

  constructor(key: string, path: string, hooks: LogFileHooks) {
    this.key = key;
    this.#path = path;
    this.#hooks = hooks;
  }

  append(offset: number, bytes: Uint8Array, gate: Gate): Promise<AppendResult> {
    return new Promise((done) => {
      this.#queue.push({ offset, bytes, done });
      this.#running ??= gate.run(() => this.#drain());
    });
  }

  /** Resolves when everything accepted so far is written. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  get isOpen(): boolean {
    return this.#handle !== null;
  }

  /** Only at rest. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take();
      try {
        await this.#open();
        await this.#write(batch);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        for (const chunk of batch) chunk.done({ ok: false, code: "failed", reason });
        await this.#measure().catch(() => {});
      }
    }
    // In the same turn as the last look at the queue: a chunk that comes now starts a new loop.
    this.#running = null;
    this.#hooks.rested();
  }

  #take(): Chunk[] {
    let bytes = 0;
    let count = 0;
    for (const chunk of this.#queue) {
      bytes += chunk.bytes.length;
      if (count > 0 && bytes > BATCH_MAX_BYTES) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #open(): Promise<void> {
    if (this.#handle !== null) return;
    this.#handle = await openMaking(this.#path);
    this.#hooks.opened();
    await this.#measure();
  }

  async #measure(): Promise<void> {
    if (this.#handle !== null) this.#size = (await this.#handle.stat()).size;
  }

  async #write(batch: Chunk[]): Promise<void> {
    // Another replica may have written on: look again before refusing anything.
    if (batch.some((chunk) => chunk.offset > this.#size)) await this.#measure();
    const start = this.#size;
    const { pieces, end, answers } = plan(batch, start);
    if (end > start) {
      await writeAll(this.#handle!, pieces, start);
      this.#size = end;
      this.#hooks.wrote(end);
    }
    for (const [i, chunk] of batch.entries()) chunk.done(answers[i]!);
  }
}

/** At most `limit` tasks at once, in order of asking: bounds open descriptors and disk queues. */
export class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((go) => this.#waiting.push(go));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

/** What of `batch` is new beyond `start`, and what to answer each chunk once it is written. */
function plan(batch: readonly Chunk[], start: number) {
  const pieces: Uint8Array[] = [];
  const answers: AppendResult[] = [];
  let end = start;
  for (const { offset, bytes } of batch) {
    if (offset > end) {
      answers.push({ ok: false, code: "gap", wanted: end });
      continue;
    }
    const stop = Math.min(offset + bytes.length, LOG_MAX_BYTES);
    if (stop > end) {
      pieces.push(bytes.subarray(end - offset, stop - offset));
      end = stop;
    }
    const full = offset + bytes.length > LOG_MAX_BYTES;
    answers.push(full ? { ok: false, code: "full", size: end } : { ok: true, size: end });
  }
  return { pieces, end, answers };
}

async function writeAll(file: FileHandle, pieces: Uint8Array[], position: number): Promise<void> {
  const bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error("the file took no bytes");
    done += bytesWritten;
  }
}

/** Read and write, made where missing, never truncated, and never following a link out. */
async function openMaking(path: string): Promise<FileHandle> {
  try {
    return await open(path, FLAGS, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, FLAGS, 0o600);
  }
}
