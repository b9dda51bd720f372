/**
 * Runs `handler` jobs inside this process. A handler cannot be killed: its abort signal asks it to
 * stop, and after the grace time its attempt is reported without it.
 */
import { RESULT_MAX_BYTES } from "../messages/frames.ts";
import { type Attempt, type AttemptEnd, type AttemptHost, stoppedOutcome } from "./attempt.ts";
import { HandlerJob, InvalidPayload } from "./handler_job.ts";
import { resultText } from "./result_text.ts";

/** Returns the result, any JSON. Throwing fails the attempt. */
export type HandlerFunction = (job: HandlerJob) => unknown;

const STACK_LINES = 20;

export class HandlerRunner {
  readonly #handlers: ReadonlyMap<string, HandlerFunction>;
  readonly #host: AttemptHost;
  readonly #killGraceMs: number;

  constructor(
    handlers: ReadonlyMap<string, HandlerFunction>,
    host: AttemptHost,
    killGraceMs: number,
  ) {
    this.#handlers = handlers;
    this.#host = host;
    this.#killGraceMs = killGraceMs;
  }

  start(attempt: Attempt): void {
    const job = new HandlerJob(attempt, this.#host);
    attempt.stopper = (reason) => this.#stop(attempt, job, reason);
    this.#host.started(attempt);
    try {
      const answer = this.#handlers.get(attempt.assignment.name)!(job);
      if (answer instanceof Promise || isThenable(answer)) {
        answer.then(
          (value: unknown) => this.#succeed(attempt, job, value),
          (error: unknown) => this.#fail(attempt, job, error),
        );
      } else this.#succeed(attempt, job, answer);
    } catch (error) {
      this.#fail(attempt, job, error);
    }
  }

  #stop(
    attempt: Attempt,
    job: HandlerJob,
    reason: "cancel" | "timeout" | "release" | "lost",
  ): void {
    const outcome = stoppedOutcome(reason)!;
    job.abort(reason);
    const graceMs = reason === "lost" || reason === "release" ? 0 : this.#killGraceMs;
    setTimeout(() => {
      if (attempt.report !== null) return;
      const error = `the handler did not stop within ${graceMs / 1000} s of being asked`;
      this.#end(attempt, job, { outcome, reason: reasonWord(reason), error });
    }, graceMs);
  }

  #succeed(attempt: Attempt, job: HandlerJob, value: unknown): void {
    if (attempt.report !== null) return;
    const stopped = stoppedOutcome(attempt.stopping);
    if (stopped) {
      this.#end(attempt, job, { outcome: stopped, reason: reasonWord(attempt.stopping) });
      return;
    }
    if (value === undefined) {
      this.#end(attempt, job, { outcome: "succeeded" });
      return;
    }
    const result = resultText(value, RESULT_MAX_BYTES);
    if (result.ok) this.#end(attempt, job, { outcome: "succeeded", resultJson: result.json });
    else {
      const error = `the handler's result is no good: ${result.why}`;
      this.#end(attempt, job, { outcome: "failed", reason: "invalid_result", error });
    }
  }

  #fail(attempt: Attempt, job: HandlerJob, error: unknown): void {
    if (attempt.report !== null) return;
    const stopped = stoppedOutcome(attempt.stopping);
    const text = errorText(error);
    if (stopped) {
      const reason = reasonWord(attempt.stopping);
      this.#end(attempt, job, { outcome: stopped, reason, error: text });
      return;
    }
    const reason = error instanceof InvalidPayload ? "invalid_payload" : "error";
    this.#end(attempt, job, { outcome: "failed", reason, error: text });
  }

  #end(attempt: Attempt, job: HandlerJob, end: AttemptEnd): void {
    end.run_ms = Math.max(0, performance.now() - attempt.startedAt);
    if (job.counts) end.items = job.counts;
    this.#host.ended(attempt, end);
  }
}

/** The word that a report gives for a stop. */
export function reasonWord(reason: Attempt["stopping"]): string | undefined {
  return reason === "timeout" ? "timeout" : undefined;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}

/** Message and the top of the stack; for what is no Error, its text. */
export function errorText(error: unknown): string {
  if (error instanceof InvalidPayload) return error.message;
  if (!(error instanceof Error)) return `a value was thrown that is no Error: ${String(error)}`;
  const head = `${error.name}: ${error.message}`;
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  const cause = error.cause === undefined ? [] : [`caused by ${String(error.cause)}`];
  return [head, ...frames.slice(0, STACK_LINES), ...cause].join("\n");
}
