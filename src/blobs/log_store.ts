/**
 * Logs of attempts, addressed by (job, attempt) and byte offset.
 *
 * The offset makes every write repeatable: a chunk that comes twice, from a worker that reconnected
 * or through another replica, writes the same bytes to the same place. A chunk that would leave a
 * hole is refused with the offset that is wanted, so that the sender starts again from there.
 */
import { LOG_MAX_BYTES } from "../messages/frames.ts";

export { LOG_MAX_BYTES };

export type AppendResult =
  /** `size`: how many bytes the log has now. True also for a repeat that added nothing. */
  | { ok: true; size: number }
  /** The chunk begins after the log's end. */
  | { ok: false; code: "gap"; wanted: number }
  /** The log has its most bytes; what fitted of the chunk is kept. */
  | { ok: false; code: "full"; size: number }
  /** The store could not write (no space, no permission). Nothing is promised about this chunk. */
  | { ok: false; code: "failed"; reason: string };

export interface LogRange {
  /** First byte wanted. Beyond the end: an empty slice. */
  from?: number;
  /** First byte not wanted. */
  to?: number;
  /** The last lines instead; `from` and `to` are then ignored. */
  tailLines?: number;
}

export interface LogSlice {
  /** Bytes of the whole log when the slice was opened. */
  size: number;
  from: number;
  /** Exclusive; `body` holds exactly `to - from` bytes. */
  to: number;
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Ids of jobs made from `from` up to `to` (epoch ms) whose logs stay; "all" of that day. */
export type Spared = (from: number, to: number) => Promise<ReadonlySet<string> | "all">;

export interface LogFacts {
  job: string;
  attempt: number;
  bytes: number;
  /** When it was written last, epoch milliseconds. */
  modified: number;
}

export interface LogStore {
  /**
   * Resolves when the bytes are with the operating system; never rejects. Calls for one attempt
   * take effect in the order they were made. Throws RangeError at once for ids that are none.
   */
  append(job: string, attempt: number, offset: number, bytes: Uint8Array): Promise<AppendResult>;
  /** 0 where there is no log. */
  size(job: string, attempt: number): Promise<number>;
  /** Null where there is no log. A stream must be read to its end or cancelled. */
  read(job: string, attempt: number, range?: LogRange): Promise<LogSlice | null>;
  /** Calls `listener` with the new size after each write made through this store. */
  watch(job: string, attempt: number, listener: (size: number) => void): () => void;
  /** True where a log was there. */
  remove(job: string, attempt: number): Promise<boolean>;
  /**
   * Removes the logs of all jobs whose id was made before that day (UTC), but for those that `spared` names
   * of each day; how many days lost some.
   */
  removeBefore(timeMs: number, spared?: Spared): Promise<number>;
  /** Days (UTC) that have logs, such as 2026-08-01, the oldest first. */
  days(): Promise<string[]>;
  /** The logs of a day, in no order. What comes or goes meanwhile may be missed. */
  files(day: string): AsyncIterable<LogFacts>;
  /** Finishes what was accepted. */
  close(): Promise<void>;
}
