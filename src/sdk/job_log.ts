/** Reading a job's log: whole, its end, or live. */
import type { JobState, Outcome } from "../core/job_state.ts";
import { pause, retryDelayMs } from "./backoff.ts";
import { ClientError, UNREACHED } from "./client_error.ts";
import { readEvents, type StreamEvent } from "./event_stream.ts";
import type { CallOptions, Transport } from "./transport.ts";

export interface ReadLog extends CallOptions {
  /** Which attempt. Not said: the latest; a follower then goes on through all that come. */
  attempt?: number;
  /** Only the last so many lines; a follower begins with them. */
  tail?: number;
}

export type LogEvent =
  | { type: "log"; attempt: number; text: string }
  /** A further attempt begins. */
  | { type: "attempt"; attempt: number }
  /** Nothing more will come. `exit_code` and `signal` are of the attempt that ended. */
  | {
      type: "end";
      attempt: number;
      state: JobState;
      outcome: Outcome | null;
      exit_code: number | null;
      signal: string | null;
      reason: string | null;
    };

/** The server sends a ping every 15 s: after this much silence the connection is dead. */
const SILENCE_MS = 45_000;
const PATIENCE_MS = 30_000;

export async function readLog(transport: Transport, id: string, options: ReadLog): Promise<string> {
  const { attempt, tail, ...call } = options;
  const response = await transport.send("GET", `/api/v1/jobs/${encodeURIComponent(id)}/log`, {
    ...call,
    query: { attempt, tail },
    headers: { accept: "text/plain, application/problem+json" },
  });
  return response.text();
}

/**
 * Ends after its `end` event. A broken connection is made again and goes on at the byte after the
 * last one that came, so that nothing is missing and nothing comes twice.
 */
export async function* followLog(
  transport: Transport,
  id: string,
  options: ReadLog,
): AsyncGenerator<LogEvent, void, void> {
  let lastId: string | undefined;
  let failures = 0;
  let heardAt = performance.now();
  for (;;) {
    try {
      for await (const event of openStream(transport, id, options, lastId)) {
        failures = 0;
        heardAt = performance.now();
        lastId = event.id;
        const told = toLogEvent(event);
        if (told) yield told;
        if (told?.type === "end") return;
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      // An answer that refuses us is final; a stream that breaks is not.
      if (error instanceof ClientError) throw error;
    }
    failures++;
    const delayMs = retryDelayMs(failures, Math.random());
    if (performance.now() - heardAt > (options.patienceMs ?? PATIENCE_MS)) {
      const message = `The log of job ${id} breaks off again and again.`;
      throw new ClientError(message, UNREACHED);
    }
    await pause(delayMs, options.signal);
  }
}

async function* openStream(
  transport: Transport,
  id: string,
  options: ReadLog,
  lastId: string | undefined,
): AsyncGenerator<StreamEvent, void, void> {
  const { attempt, tail, signal, patienceMs } = options;
  const silence = new AbortController();
  const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const listen = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error("silent")), SILENCE_MS);
  };
  try {
    const path = `/api/v1/jobs/${encodeURIComponent(id)}/log/stream`;
    const response = await transport.send("GET", path, {
      signal: either,
      patienceMs,
      query: { attempt, tail },
      headers: {
        accept: "text/event-stream, application/problem+json",
        ...(lastId === undefined ? {} : { "last-event-id": lastId }),
      },
    });
    if (!response.body) return;
    listen();
    for await (const event of readEvents(response.body)) {
      listen();
      yield event;
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Undefined for what says nothing: pings, and events of a newer server. */
function toLogEvent({ event, data }: StreamEvent): LogEvent | undefined {
  if (event !== "log" && event !== "attempt" && event !== "end") return undefined;
  return { type: event, ...JSON.parse(data) } as LogEvent;
}
