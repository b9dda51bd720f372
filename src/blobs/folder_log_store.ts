/**
 * Logs in a folder; replicas may share it. Descriptors are few: an attempt's file stays open only
 * while it is among the latest written ones. Nothing is synced chunk by chunk: a machine that
 * loses power loses seconds of a log, and the worker that still runs the attempt sends them again.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rm, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { listDays, readDay, walkDay } from "./folder_walk.ts";
import { Gate, LogFile } from "./log_file.ts";
import { endOfDay, isDayBefore, logPath, startOfDay } from "./log_path.ts";
import type { AppendResult, LogFacts, LogRange, LogSlice, LogStore, Spared } from "./log_store.ts";
import { tailOffset } from "./tail.ts";

/** Files written at the same time. */
const WRITERS_MAX = 32;
/** Descriptors kept open after a write. */
const OPEN_MAX = 128;
/** Slices up to this size are read at once; larger ones are streamed. */
const STREAM_FROM_BYTES = 256 * 1024;
const STREAM_STEP_BYTES = 64 * 1024;

type Listener = (size: number) => void;

/** Makes the folder where it is missing, readable by its owner only. */
export async function openFolderLogStore(folder: string): Promise<LogStore> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return new FolderLogStore(folder);
}

class FolderLogStore implements LogStore {
  readonly #folder: string;
  readonly #gate = new Gate(WRITERS_MAX);
  readonly #files = new Map<string, LogFile>();
  /** Those of them with nothing to write, the one that rests longest first. */
  readonly #resting = new Set<LogFile>();
  #openCount = 0;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  append(job: string, attempt: number, offset: number, bytes: Uint8Array): Promise<AppendResult> {
    const key = logPath(job, attempt);
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new RangeError("a log offset counts bytes from 0");
    }
    const file = this.#files.get(key) ?? this.#make(key);
    this.#resting.delete(file);
    return file.append(offset, bytes, this.#gate);
  }

  async size(job: string, attempt: number): Promise<number> {
    const key = logPath(job, attempt);
    await this.#files.get(key)?.settled();
    const found = await stat(join(this.#folder, key)).catch(ignoreMissing);
    return found?.size ?? 0;
  }

  async read(job: string, attempt: number, range: LogRange = {}): Promise<LogSlice | null> {
    const path = join(this.#folder, logPath(job, attempt));
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const file = await open(path, flags).catch(ignoreMissing);
    if (file === undefined) return null;
    try {
      const { size } = await file.stat();
      const { from, to } = await resolveRange(file, size, range);
      if (to - from > STREAM_FROM_BYTES) return { size, from, to, body: stream(file, from, to) };
      const body = await readExactly(file, from, to - from);
      await file.close();
      return { size, from, to: from + body.length, body };
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
  }

  watch(job: string, attempt: number, listener: Listener): () => void {
    const key = logPath(job, attempt);
    const listeners = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) {
        this.#listeners.delete(key);
      }
    };
  }

  async remove(job: string, attempt: number): Promise<boolean> {
    const key = logPath(job, attempt);
    await this.#forget(key);
    return unlink(join(this.#folder, key))
      .then(() => true, ignoreMissing)
      .then(Boolean);
  }

  async removeBefore(timeMs: number, spared?: Spared): Promise<number> {
    let touched = 0;
    for (const day of await this.days()) {
      if (!isDayBefore(day, timeMs)) continue;
      const start = startOfDay(day)!;
      const kept = (await spared?.(start, endOfDay(start))) ?? new Set();
      if (kept === "all") continue;
      if (await this.#removeDay(day, kept)) touched += 1;
    }
    return touched;
  }

  days(): Promise<string[]> {
    return listDays(this.#folder);
  }

  files(day: string): AsyncIterable<LogFacts> {
    return readDay(this.#folder, day);
  }

  async #removeDay(day: string, kept: ReadonlySet<string>): Promise<boolean> {
    if (kept.size > 0) {
      let removed = 0;
      for await (const { job, attempt } of walkDay(this.#folder, day)) {
        if (!kept.has(job) && (await this.remove(job, attempt))) removed += 1;
      }
      return removed > 0;
    }
    for (const key of [...this.#files.keys()]) {
      if (key.startsWith(`${day}/`)) await this.#forget(key);
    }
    await rm(join(this.#folder, day), { recursive: true, force: true });
    return true;
  }

  async close(): Promise<void> {
    for (const key of [...this.#files.keys()]) await this.#forget(key);
  }

  #make(key: string): LogFile {
    const file = new LogFile(key, join(this.#folder, key), {
      opened: () => {
        this.#openCount += 1;
      },
      wrote: (size) => {
        for (const listener of this.#listeners.get(key) ?? []) listener(size);
      },
      rested: () => {
        this.#resting.add(file);
        this.#closeOldest();
      },
    });
    this.#files.set(key, file);
    return file;
  }

  #closeOldest(): void {
    for (const file of this.#resting) {
      if (this.#openCount <= OPEN_MAX && this.#resting.size <= OPEN_MAX) return;
      void this.#close(file).catch(() => {});
    }
  }

  /** Only for a file at rest: everything up to the descriptor's end happens in this turn. */
  async #close(file: LogFile): Promise<void> {
    this.#resting.delete(file);
    this.#files.delete(file.key);
    if (file.isOpen) this.#openCount -= 1;
    await file.close();
  }

  async #forget(key: string): Promise<void> {
    const file = this.#files.get(key);
    if (file === undefined) return;
    await file.settled();
    if (this.#resting.has(file)) await this.#close(file);
  }
}

async function resolveRange(file: FileHandle, size: number, range: LogRange) {
  if (range.tailLines !== undefined) {
    return { from: await tailOffset(file, size, range.tailLines), to: size };
  }
  const from = Math.min(Math.max(range.from ?? 0, 0), size);
  return { from, to: Math.max(from, Math.min(range.to ?? size, size)) };
}

async function readExactly(file: FileHandle, from: number, length: number) {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done === length ? bytes : bytes.slice(0, done);
}

/** Reads only as fast as it is drunk; closes the file at the end, on failure and on cancel. */
function stream(file: FileHandle, from: number, to: number) {
  let position = from;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      try {
        const bytes = await readExactly(file, position, Math.min(STREAM_STEP_BYTES, to - position));
        position += bytes.length;
        if (bytes.length > 0) controller.enqueue(bytes);
        if (bytes.length > 0 && position < to) return;
        await file.close();
        controller.close();
      } catch (error) {
        await file.close().catch(() => {});
        controller.error(error);
      }
    },
    async cancel() {
      await file.close();
    },
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT") return undefined;
  throw error;
}
