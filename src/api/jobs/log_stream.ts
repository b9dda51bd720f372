/**
 * A log as it grows, as server-sent events.
 *
 * Order is what makes the end right: first the attempt's state is read, then the log to its end. A
 * worker sends an attempt's log before its end, so what follows a state "ended" is the whole log;
 * only a log written by another server may come late, and is waited for up to the length that the
 * worker reported.
 *
 * Nothing is read before the reader has taken what came before, so a slow one costs no memory.
 */
import { isFinal } from "../../core/job_state.ts";
import { encodeMessage, type LiveMessage } from "../../web/live/sse.ts";
import type { ApiDeps, Caller } from "../deps.ts";
import { jobReader } from "../reader.ts";
import { jobWatchOf } from "./job_watch.ts";
import { type LogState, readLogState } from "./log_state.ts";
import { completeLength } from "./utf8.ts";

export interface LogPosition {
  attempt: number;
  offset: number;
}

export interface FollowOptions {
  job: string;
  /** Where to begin; 0: the job has no attempt yet. */
  attempt: number;
  /** Only this attempt. */
  only: boolean;
  tailLines: number | undefined;
  /** What the reader already has. */
  position: LogPosition | null;
}

type FollowDeps = ApiDeps & { reader: ReturnType<typeof jobReader> };

const CHUNK_BYTES = 64 * 1024;
/** Without news the state is looked up this often: the feed may be late, the log elsewhere. */
const LOOK_MS = 2_000;
const PING_MS = 15_000;
/** How long the rest of an ended attempt's log is waited for. */
const LATE_MS = 5_000;

/** `ATTEMPT:OFFSET`, as `Last-Event-ID` carries it; null for anything else. */
export function parsePosition(text: string | null): LogPosition | null {
  const found = /^(\d{1,10}):(\d{1,15})$/.exec(text ?? "");
  return found ? { attempt: Number(found[1]), offset: Number(found[2]) } : null;
}

/** The body of the stream. Stops all its work when the reader cancels it. */
export function followLog(
  api: ApiDeps,
  caller: Caller,
  options: FollowOptions,
): ReadableStream<Uint8Array> {
  const deps: FollowDeps = { ...api, reader: jobReader(api, caller) };
  const encoder = new TextEncoder();
  const bell = new Bell();
  const messages = follow(deps, options, bell);
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode("retry: 1000\n\n"));
    },
    async pull(controller) {
      try {
        const { done, value } = await messages.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(encodeMessage(value)));
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      bell.ring("stop");
      await messages.return(undefined);
    },
  });
}

async function* follow(
  deps: FollowDeps,
  options: FollowOptions,
  bell: Bell,
): AsyncGenerator<LiveMessage> {
  const stopWatching = jobWatchOf(deps.engine.feed).watch(options.job, () => bell.ring("state"));
  let reader: AttemptReader | undefined;
  try {
    reader = await begin(deps, options, bell);
    while (!bell.stopped) {
      const state = await readLogState(deps.reader, options.job, reader.attempt || null);
      if (state === null) return;
      yield* reader.read(false);
      const hasNone = state.latest === 0 && !isFinal(state.jobState);
      const isDone = reader.attempt === 0 ? !hasNone : state.ended;
      if (!isDone) {
        yield* news(reader, bell);
      } else if (reader.isBehind(state.logBytes) && !reader.isTooLate()) {
        await bell.wait(100);
      } else {
        yield* reader.read(true);
        if (options.only || isOver(reader.attempt, state)) {
          return yield endMessage(reader.attempt, state);
        }
        if (state.latest > reader.attempt) {
          reader.stop();
          reader = new AttemptReader(deps, options.job, reader.attempt + 1, 0, bell);
          yield message("attempt", { attempt: reader.attempt }, reader.position);
        } else yield* news(reader, bell);
      }
    }
  } finally {
    reader?.stop();
    stopWatching();
  }
}

/** Until the state is worth another look: what is written meanwhile, and pings. */
async function* news(reader: AttemptReader, bell: Bell): AsyncGenerator<LiveMessage> {
  const lookAt = Date.now() + LOOK_MS;
  while (!bell.stopped) {
    const left = lookAt - Date.now();
    const what = left > 0 ? await bell.wait(left) : "time";
    yield* reader.read(false);
    if (what !== "log") break;
  }
  if (bell.isPingDue()) yield message("ping", {});
}

async function begin(deps: FollowDeps, options: FollowOptions, bell: Bell): Promise<AttemptReader> {
  const { job, attempt, position, tailLines, only } = options;
  if (position !== null && position.attempt > 0 && (!only || position.attempt === attempt)) {
    return new AttemptReader(deps, job, position.attempt, position.offset, bell);
  }
  let offset = 0;
  if (tailLines !== undefined && attempt > 0) {
    const slice = await deps.logs.read(job, attempt, { tailLines });
    offset = slice?.from ?? 0;
    if (slice?.body instanceof ReadableStream) await slice.body.cancel();
  }
  return new AttemptReader(deps, job, attempt, offset, bell);
}

/** No attempt comes after this one, unless somebody asks for a retry. */
function isOver(attempt: number, state: LogState): boolean {
  return isFinal(state.jobState) && attempt >= state.latest;
}

function endMessage(attempt: number, state: LogState): LiveMessage {
  const { jobState, outcome, exitCode, signal, reason } = state;
  return message("end", { attempt, state: jobState, outcome, exit_code: exitCode, signal, reason });
}

function message(event: string, data: object, id?: string): LiveMessage {
  return { event, data: JSON.stringify(data), ...(id === undefined ? {} : { id }) };
}

/** Reads one attempt's log onwards from an offset, in whole characters. */
class AttemptReader {
  readonly attempt: number;
  readonly #deps: FollowDeps;
  readonly #job: string;
  readonly #stopWatching: () => void;
  #offset: number;
  #waitingSince: number | null = null;

  constructor(deps: FollowDeps, job: string, attempt: number, offset: number, bell: Bell) {
    this.#deps = deps;
    this.#job = job;
    this.attempt = attempt;
    this.#offset = offset;
    this.#stopWatching =
      attempt > 0 ? deps.logs.watch(job, attempt, () => bell.ring("log")) : () => {};
  }

  get position(): string {
    return `${this.attempt}:${this.#offset}`;
  }

  isBehind(logBytes: number | null): boolean {
    return logBytes !== null && this.#offset < logBytes;
  }

  /** The rest of the log has been waited for long enough, counted from the first question. */
  isTooLate(): boolean {
    this.#waitingSince ??= performance.now();
    return performance.now() - this.#waitingSince >= LATE_MS;
  }

  stop(): void {
    this.#stopWatching();
  }

  /** What is there now. `all`: also an unfinished character at the very end. */
  async *read(all: boolean): AsyncGenerator<LiveMessage> {
    while (this.attempt > 0) {
      const slice = await this.#deps.logs.read(this.#job, this.attempt, {
        from: this.#offset,
        to: this.#offset + CHUNK_BYTES,
      });
      const bytes = slice?.body as Uint8Array | undefined;
      if (slice === null || bytes === undefined || bytes.length === 0) return;
      const atEnd = slice.to >= slice.size;
      const length = all && atEnd ? bytes.length : completeLength(bytes);
      if (length === 0) return;
      const text = new TextDecoder().decode(bytes.subarray(0, length));
      const offset = this.#offset;
      this.#offset += length;
      yield message("log", { attempt: this.attempt, offset, text }, this.position);
    }
  }
}

type News = "log" | "state" | "stop" | "time";

/** Wakes the follower. A ring that nobody waits for is kept for the next wait. */
class Bell {
  stopped = false;
  #kept: News | null = null;
  #wake: ((what: News) => void) | null = null;
  #pingedAt = Date.now();

  ring(what: Exclude<News, "time">): void {
    if (what === "stop") this.stopped = true;
    if (this.#wake !== null) this.#wake(what);
    else if (this.#kept === null || this.#kept === "log") this.#kept = what;
  }

  async wait(ms: number): Promise<News> {
    if (this.stopped) return "stop";
    const kept = this.#kept;
    this.#kept = null;
    if (kept !== null) return kept;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const what = await new Promise<News>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(() => resolve("time"), ms);
    });
    this.#wake = null;
    clearTimeout(timer);
    return what;
  }

  isPingDue(): boolean {
    if (Date.now() - this.#pingedAt < PING_MS) return false;
    this.#pingedAt = Date.now();
    return true;
  }
}
