/** What a handler is given: the job's facts and input, and what it may say while it runs. */
import { Buffer } from "node:buffer";
import { format } from "node:util";
import { z } from "zod";
import { FRAME_MAX_BYTES, type Items } from "../messages/frames.ts";
import { type WorkflowJobInput, workflowJobInput } from "../messages/job_input.ts";
import type { Attempt, AttemptHost, StopReason } from "./attempt.ts";
import { plainText } from "./report.ts";

const NOTE_MAX = 512;
const SUBMIT_MAX = 1000;
const SUBMIT_BYTES = FRAME_MAX_BYTES - 4096;

/** The payload is not what the handler asks for. */
export class InvalidPayload extends Error {
  override name = "InvalidPayload";
}

/** Why `job.signal` was aborted. */
export class JobStopped extends Error {
  override name = "JobStopped";
  readonly reason: StopReason;
  constructor(reason: StopReason) {
    super(SENTENCES[reason]);
    this.reason = reason;
  }
}

const SENTENCES: Record<StopReason, string> = {
  cancel: "the job was cancelled",
  timeout: "the job's timeout is over",
  release: "the worker is leaving",
  lost: "the lease is gone: another attempt may run",
};

export class HandlerJob<P = unknown> {
  /** What `items` said last. */
  counts: Items | undefined;
  readonly #attempt: Attempt;
  readonly #host: AttemptHost;
  #controller: AbortController | null = null;
  #stopped: StopReason | null = null;
  #payload: P | undefined;
  #typed = false;
  #batches = 0;

  constructor(attempt: Attempt, host: AttemptHost) {
    this.#attempt = attempt;
    this.#host = host;
  }

  get id(): string {
    return this.#attempt.assignment.job;
  }
  get name(): string {
    return this.#attempt.assignment.name;
  }
  /** Counts from 1. */
  get attempt(): number {
    return this.#attempt.assignment.attempt;
  }
  get maxAttempts(): number {
    return this.#attempt.assignment.max_attempts;
  }
  get org(): string {
    return this.#attempt.assignment.org;
  }
  get queue(): string {
    return this.#attempt.assignment.queue;
  }
  get payload(): P {
    return this.#typed ? (this.#payload as P) : (this.#attempt.assignment.payload as P);
  }
  /** Results of the direct dependencies: by job id, and by workflow key where there is one. */
  get inputs(): Readonly<Record<string, unknown>> {
    return this.#attempt.assignment.inputs ?? {};
  }

  /**
   * Aborted when the job is cancelled, its timeout is over, the worker leaves or the lease is
   * lost; its reason is a `JobStopped`. Made at first use: most handlers never look.
   */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(new JobStopped(this.#stopped));
    }
    return this.#controller.signal;
  }

  /** `fraction` from 0 to 1; `note` is a short line for people. */
  progress(fraction: number, note?: string): void {
    const body: { fraction?: number; note?: string } = {};
    if (Number.isFinite(fraction)) body.fraction = Math.min(1, Math.max(0, fraction));
    if (note !== undefined) body.note = plainText(note, NOTE_MAX);
    this.#host.progressed(this.#attempt, body);
  }

  /** A line in the job's log, formatted as `console.log` does. */
  log(...text: unknown[]): void {
    if (this.#attempt.report !== null) return;
    this.#host.logOf(this.#attempt).writeText(`${format(...text)}\n`.toWellFormed());
    this.#host.logged(this.#attempt);
  }

  /** How many items are done, so far; each call replaces the last. */
  items(counts: Partial<Items>): void {
    const count = (n: number | undefined) => Math.min(1e15, Math.max(0, Math.trunc(n || 0)));
    const { success, failed, skipped } = counts;
    this.counts = { success: count(success), failed: count(failed), skipped: count(skipped) };
    this.#host.progressed(this.#attempt, { items: this.counts });
  }

  /**
   * Adds jobs to this job's workflow; resolves with their ids by key. A call repeated by a lost
   * connection adds nothing twice. Throws where the jobs are not valid or the server refuses.
   */
  async submit(jobs: readonly WorkflowJobInput[]): Promise<Record<string, string>> {
    const checked = z.array(workflowJobInput).min(1).max(SUBMIT_MAX).safeParse(jobs);
    if (!checked.success) throw new Error(`cannot submit: ${z.prettifyError(checked.error)}`);
    const json = JSON.stringify(jobs);
    if (Buffer.byteLength(json) > SUBMIT_BYTES) {
      throw new Error(`cannot submit more than ${SUBMIT_BYTES} bytes of jobs at a time`);
    }
    this.#batches += 1;
    return this.#host.submit(this.#attempt, String(this.#batches), json);
  }

  // For the worker itself

  /** Replaces the payload with what its schema made of it. */
  usePayload(payload: P): void {
    this.#payload = payload;
    this.#typed = true;
  }

  abort(reason: StopReason): void {
    this.#stopped ??= reason;
    this.#controller?.abort(new JobStopped(reason));
  }
}
