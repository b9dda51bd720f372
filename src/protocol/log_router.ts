/**
 * Log chunks of one connection → the log store. Chunks are handed on in order and written behind;
 * what this holds is bounded, because a socket cannot be told to read more slowly.
 */
import type { LogStore } from "../blobs/log_store.ts";
import type { WorkerSession } from "../engine/engine.ts";
import type { LogChunk } from "../messages/frames.ts";
import type { Log } from "./log.ts";
import type { Refusal } from "./refusal.ts";

/** Bytes on their way to the disk, for one connection. */
const PENDING_MAX_BYTES = 32 * 1024 * 1024;
/** Attempts whose further chunks are ignored; beyond that, they are looked at again. */
const DEAF_MAX = 10_000;

export interface LogRouterDeps {
  logs: LogStore;
  session: Pick<WorkerSession, "holds">;
  log: Log;
  refuse(refusal: Refusal): void;
}

export class LogRouter {
  readonly #deps: LogRouterDeps;
  readonly #encoder = new TextEncoder();
  /** Full or unwritable logs: nothing more is taken for them on this connection. */
  readonly #deaf = new Set<string>();
  #pendingBytes = 0;

  constructor(deps: LogRouterDeps) {
    this.#deps = deps;
  }

  /** A chunk of a lease that this session does not hold is dropped: its worker will be told why. */
  take(chunks: readonly LogChunk[]): void {
    for (const chunk of chunks) {
      if (this.#deaf.has(keyOf(chunk)) || !this.#deps.session.holds(chunk)) continue;
      this.#append(chunk, this.#encoder.encode(chunk.data));
    }
    if (this.#pendingBytes > PENDING_MAX_BYTES) {
      this.#deps.refuse({
        code: "log_backlog",
        message: "Logs come faster than the server can write them.",
      });
    }
  }

  #append(chunk: LogChunk, bytes: Uint8Array): void {
    this.#pendingBytes += bytes.length;
    this.#deps.logs.append(chunk.job, chunk.attempt, chunk.offset, bytes).then((result) => {
      this.#pendingBytes -= bytes.length;
      if (result.ok || this.#deaf.has(keyOf(chunk))) return;
      if (result.code === "gap") return this.#refuseGap(chunk, result.wanted);
      this.#ignore(chunk);
      if (result.code !== "failed") return;
      const { job, attempt } = chunk;
      this.#deps.log.error({ job, attempt, reason: result.reason }, "cannot write a log");
    });
  }

  #refuseGap({ job, attempt, offset }: LogChunk, wanted: number): void {
    this.#deps.refuse({
      code: "log_gap",
      message: `Log of job ${job} attempt ${attempt}: byte ${wanted} is wanted, not ${offset}.`,
    });
  }

  #ignore(chunk: LogChunk): void {
    if (this.#deaf.size >= DEAF_MAX) this.#deaf.clear();
    this.#deaf.add(keyOf(chunk));
  }
}

function keyOf({ job, attempt }: LogChunk): string {
  return `${job}.${attempt}`;
}
