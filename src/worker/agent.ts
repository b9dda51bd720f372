/**
 * The agent: holds the connection, the slots and the reports, and hands attempts to their runners.
 *
 * What must hold: no work is ended for want of a server; every end is kept until the server has it
 * on record; after any reconnect the hello names every attempt that this worker answers for; and
 * an attempt whose lease is gone is killed and never reported.
 */
import {
  type Assignment,
  type LeaseRef,
  PASSING_REJECTIONS,
  type ServerFrame,
  type WorkerMetrics,
} from "../messages/frames.ts";
import type { Runner } from "./attempt.ts";
import { Attempt, type AttemptEnd, type AttemptHost, type ProgressBody } from "./attempt.ts";
import { Attempts } from "./attempts.ts";
import { Connection } from "./connection.ts";
import { HelloFrames, type Identity } from "./hello_frame.ts";
import { LogStream } from "./log/log_stream.ts";
import { LongTimer } from "./long_timer.ts";
import { Outbox } from "./outbox.ts";
import { reportJson } from "./report.ts";
import { Submissions } from "./submissions.ts";
import type { WorkerLog } from "./worker_log.ts";

/** A report that was sent this long ago and is not on record is sent again; repeats are harmless. */
const RESEND_MS = 60_000;
/** Refusals that no second try mends, as long as we were never welcome. */
const FATAL_CODES = new Set([
  "unauthorized",
  "not_allowed",
  "unsupported_protocol",
  "malformed",
  "too_large",
]);

export interface AgentOptions {
  url: string;
  identity: Identity;
  runners: { exec?: Runner; handlers?: Runner };
  /** Folder for logs too long for memory. */
  spoolFolder: () => string;
  log: WorkerLog;
  metrics?: () => WorkerMetrics | undefined;
  logMaxBytes?: number;
  random?: () => number;
}

/** Why the agent left. `code` is the process's exit code. */
export interface AgentEnd {
  code: 0 | 1;
  why: string;
}

type Frame<T extends ServerFrame["type"]> = Extract<ServerFrame, { type: T }>;

export class Agent implements AttemptHost {
  readonly done: Promise<AgentEnd>;
  /** Resolves at the first welcome. */
  readonly joined: Promise<void>;
  readonly #options: AgentOptions;
  readonly #hello: HelloFrames;
  readonly #handlers: ReadonlySet<string>;
  readonly #attempts = new Attempts();
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  readonly #submissions: Submissions;
  #runners: AgentOptions["runners"] = {};
  #named = new Set<Attempt>();
  #everWelcome = false;
  #draining = false;
  #silentMs = 45_000;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  #finish: ((end: AgentEnd) => void) | null = null;
  #greet: () => void = () => {};

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#hello = new HelloFrames(options.identity);
    this.#handlers = new Set(options.identity.handlers);
    this.#runners = options.runners;
    this.done = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.joined = new Promise((resolve) => {
      this.#greet = resolve;
    });
    this.#connection = new Connection({
      url: options.url,
      hello: () => this.#makeHello(),
      onFrame: (frame) => this.#receive(frame),
      onDown: () => this.#down(),
      log: options.log,
      random: options.random,
    });
    this.#outbox = new Outbox(this.#connection);
    this.#submissions = new Submissions(this.#connection);
  }

  /** Runners need the agent as their host, so they may be handed over after it exists. */
  use(runners: AgentOptions["runners"]): void {
    this.#runners = runners;
  }

  start(): void {
    this.#connection.start();
  }

  get running(): number {
    return this.#attempts.running;
  }

  /** As a fault of the network would: what runs, runs on, and it comes back after some seconds. */
  interrupt(why: string): void {
    this.#connection.slowDown();
    this.#connection.reset(why);
  }

  // Leaving

  /** Takes nothing new, finishes what runs, delivers every end, then leaves with code 0. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.#connection.ready()) this.#connection.send('{"type":"draining"}');
    this.#leaveWhenIdle();
  }

  /** Ends what runs and gives it back, then leaves; at the latest after `waitMs`. */
  async release(waitMs: number): Promise<void> {
    this.drain();
    for (const attempt of [...this.#attempts.all()]) attempt.stop("release");
    const late = setTimeout(() => this.#leave(1, "left before every end was recorded"), waitMs);
    await this.done;
    clearTimeout(late);
  }

  #leaveWhenIdle(): void {
    if (this.#draining && this.#attempts.idle) this.#leave(0, "drained");
  }

  #leave(code: 0 | 1, why: string): void {
    if (!this.#finish) return;
    const finish = this.#finish;
    this.#finish = null;
    clearInterval(this.#heartbeat);
    this.#outbox.flush();
    this.#connection.stop();
    for (const attempt of this.#attempts.all()) attempt.log?.dispose();
    finish({ code, why });
  }

  // What runners say

  started(attempt: Attempt): void {
    attempt.startedAt = performance.now();
    attempt.started = true;
    const seconds = attempt.assignment.timeout_seconds;
    if (seconds) attempt.timer = new LongTimer(seconds * 1000, () => attempt.stop("timeout"));
    if (!attempt.forgotten) this.#outbox.start(attempt);
  }

  ended(attempt: Attempt, end: AttemptEnd): void {
    if (attempt.report !== null) return;
    attempt.timer?.cancel();
    attempt.log?.end();
    this.#submissions.abandon(attempt);
    attempt.report = reportJson(attempt, end);
    this.#attempts.ended(attempt);
    if (attempt.forgotten) attempt.log?.dispose();
    else this.#outbox.end(attempt);
    if (this.#draining) this.#leaveWhenIdle();
  }

  logOf(attempt: Attempt): LogStream {
    const { job, attempt: number } = attempt.assignment;
    attempt.log ??= new LogStream({
      spoolPath: () => `${this.#options.spoolFolder()}/${job}.${number}.log`,
      maxBytes: this.#options.logMaxBytes,
    });
    return attempt.log;
  }

  logged(attempt: Attempt): void {
    if (!attempt.forgotten) this.#outbox.logged(attempt);
  }

  progressed(attempt: Attempt, body: ProgressBody): void {
    if (!attempt.forgotten && attempt.report === null) this.#outbox.progress(attempt, body);
  }

  submit(attempt: Attempt, batch: string, jobsJson: string): Promise<Record<string, string>> {
    return this.#submissions.submit(attempt, batch, jobsJson);
  }

  // What the server says

  /** The server is trusted: light checks, so that a broken frame ends the connection, not us. */
  #receive(frame: ServerFrame): void {
    if ("jobs" in frame && !Array.isArray(frame.jobs)) throw new Error("jobs is no array");
    switch (frame.type) {
      case "assign":
        for (const assignment of frame.jobs) this.#assign(assignment);
        return;
      case "recorded":
        for (const lease of frame.jobs) this.#recorded(lease);
        this.#leaveWhenIdle();
        return;
      case "welcome":
        this.#welcome(frame);
        return;
      case "cancel":
        for (const lease of frame.jobs) this.#cancel(lease);
        return;
      case "lease_lost":
        for (const lease of frame.jobs) this.#lose(lease, lease.reason);
        this.#leaveWhenIdle();
        return;
      case "submitted":
        this.#submissions.answered(frame);
        return;
      case "drain":
        this.drain();
        return;
      case "error":
        this.#refused(frame);
        return;
    }
  }

  #assign(assignment: Assignment): void {
    if (typeof assignment.job !== "string" || typeof assignment.token !== "string") {
      throw new Error("an assignment without a lease");
    }
    if (this.#attempts.find(assignment)) return;
    const refusal = this.#refusal(assignment);
    const attempt = new Attempt(assignment);
    if (refusal) {
      this.#outbox.reject(attempt.leaseJson(), refusal);
      return;
    }
    this.#attempts.add(attempt);
    const runner = assignment.kind === "exec" ? this.#runners.exec : this.#runners.handlers;
    runner!.start(attempt);
  }

  /** Why this worker cannot run it, or undefined. */
  #refusal(assignment: Assignment): string | undefined {
    if (this.#draining) return PASSING_REJECTIONS.draining;
    if (this.#attempts.running >= this.#options.identity.concurrency)
      return PASSING_REJECTIONS.noSlot;
    if (this.#attempts.ofJob(assignment)) return PASSING_REJECTIONS.held;
    if (this.#attempts.held >= this.#hello.capacity) return PASSING_REJECTIONS.manyEnds;
    if (assignment.kind === "exec") return this.#runners.exec ? undefined : "runs no exec jobs";
    if (this.#handlers.has(assignment.name)) return undefined;
    return `no handler called ${assignment.name}`;
  }

  #recorded(lease: LeaseRef & { accepted: boolean; reason?: string }): void {
    const attempt = this.#attempts.find(lease);
    if (!attempt) return;
    if (attempt.report === null) {
      this.#lose(lease, lease.reason ?? "already ended");
      return;
    }
    this.#attempts.recorded(attempt);
    this.#outbox.forget(attempt);
    attempt.log?.dispose();
    if (lease.accepted) return;
    this.#options.log("warn", "an end was not accepted", { job: lease.job, why: lease.reason });
  }

  #cancel(lease: LeaseRef): void {
    const attempt = this.#attempts.find(lease);
    if (!attempt || attempt.report !== null) return;
    this.#outbox.cancelling(attempt);
    attempt.stop("cancel");
  }

  #lose(lease: LeaseRef, why: string): void {
    const attempt = this.#attempts.find(lease);
    if (!attempt) return;
    this.#options.log("info", "a lease is gone", { job: lease.job, attempt: lease.attempt, why });
    this.#attempts.forget(attempt);
    this.#outbox.forget(attempt);
    this.#submissions.abandon(attempt);
    if (attempt.report === null) attempt.stop("lost");
    else attempt.log?.dispose();
  }

  #refused(frame: Frame<"error">): void {
    this.#options.log("error", "the server refused this worker", {
      code: frame.code,
      why: frame.message,
    });
    if (frame.code === "superseded") {
      for (const attempt of [...this.#attempts.all()]) this.#lose(attempt.assignment, "superseded");
      this.#leave(1, `superseded: ${frame.message}`);
      return;
    }
    if (!FATAL_CODES.has(frame.code)) return;
    if (!this.#everWelcome) {
      this.#leave(1, `${frame.code}: ${frame.message}`);
      return;
    }
    this.#connection.slowDown();
  }

  // The connection

  #makeHello(): string {
    const { text, named } = this.#hello.build(this.#attempts.all(), this.#draining);
    this.#named = named;
    return text;
  }

  #welcome(frame: Frame<"welcome">): void {
    this.#connection.welcomed();
    this.#everWelcome = true;
    this.#silentMs = Math.max(frame.heartbeat_seconds * 2.5, 2) * 1000;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => this.#beat(), frame.heartbeat_seconds * 1000);
    this.#options.log("info", "connected", { session: frame.session });
    for (const lease of frame.kill) this.#lose(lease, lease.reason);
    for (const lease of frame.resume) this.#attempts.find(lease)?.log?.rewind(lease.log_offset);
    this.#sendAgain();
    this.#beat();
    this.#greet();
    this.#leaveWhenIdle();
  }

  /** Whatever the old connection may not have delivered; repeats are harmless. */
  #sendAgain(): void {
    for (const attempt of this.#attempts.all()) {
      if (attempt.report !== null) {
        if (!this.#named.has(attempt)) this.#outbox.end(attempt);
        continue;
      }
      if (attempt.started) this.#outbox.start(attempt);
      if (attempt.log) this.#outbox.logged(attempt);
      if (attempt.stopping === "cancel") this.#outbox.cancelling(attempt);
    }
    const now = performance.now();
    for (const attempt of this.#named) attempt.reportSentAt = now;
    this.#named.clear();
    this.#submissions.sendAgain();
  }

  #down(): void {
    clearInterval(this.#heartbeat);
    this.#outbox.clear();
    this.#leaveWhenIdle();
  }

  #beat(): void {
    const metrics = this.#options.metrics?.();
    const body = metrics ? `,"metrics":${JSON.stringify(metrics)}` : "";
    this.#connection.send(`{"type":"heartbeat"${body}}`);
    this.#connection.probe(this.#silentMs);
    const before = performance.now() - RESEND_MS;
    for (const attempt of this.#attempts.all()) {
      if (attempt.report !== null && attempt.reportSentAt > 0 && attempt.reportSentAt < before) {
        this.#outbox.end(attempt);
      }
    }
  }
}
