/**
 * The engine's front door: everything that pages, API, protocol and command line may ask of it.
 * Whoever reads goes to the database with `reads`; whoever changes anything comes through here.
 */

import type { Actor } from "../core/author.ts";
import type { JobState, WaitingFor } from "../core/job_state.ts";
import type { NewJob } from "../db/statements/insert_jobs.ts";
import type {
  Assignment,
  FinishedReport,
  Hello,
  LeaseRef,
  ServerFrame,
  WorkerFrame,
} from "../messages/frames.ts";
import type {
  ParsedJobInput,
  ParsedWorkflowInput,
  ParsedWorkflowJobInput,
  Requirements,
} from "../messages/job_input.ts";
import type { Alerts } from "./alerts/alerts.ts";
import type { Expectations } from "./background/expectations.ts";
import type { RunTally } from "./background/run_tally.ts";
import type { Explanation, FullExplanation } from "./explain.ts";
import type { Feed } from "./feed.ts";
import type { Interner } from "./interner.ts";
import type { Keeping } from "./keeping/keeping.ts";
import type {
  Begun,
  BulkAsk,
  BulkKind,
  BulkOptions,
  Preview,
  UndoResult,
} from "./operator/bulk.ts";
import type { QueueKeeper } from "./operator/queue_settings.ts";
import type { QueueStops } from "./operator/queue_stops.ts";
import type { Slots } from "./operator/slots.ts";
import type { Schedules } from "./schedules/schedules.ts";

export interface Submitted {
  id: string;
  /** False where `dedupe_key` named a job that has not ended. */
  created: boolean;
  /** As it was written, where that is known; its receipt then holds the receipt's `answer`. */
  job?: SubmittedJob;
}

export interface SubmittedJob {
  row: NewJob;
  /** Database time of the submission, milliseconds. */
  at: number;
  requirements: Requirements;
}

/** What was answered to a request. */
export interface Answer {
  status: number;
  body: unknown;
}

export interface SubmittedWorkflow {
  id: string;
  jobs: Record<string, string>;
}

/** Outcomes are data: `reason` is a sentence for the caller. */
export type ActionResult =
  | { ok: true; state: JobState }
  | { ok: false; code: "not_found" | "conflict"; reason: string };

/** Input that fits its schema but not the database: an unknown dependency, a cycle, a full table. */
export class InvalidInput extends Error {
  readonly issues: { path: (string | number)[]; message: string }[];
  constructor(message: string, issues: { path: (string | number)[]; message: string }[] = []) {
    super(message);
    this.name = "InvalidInput";
    this.issues = issues;
  }
}

/** Names no organization, workflow, worker or queue that exists. */
export class NotFound extends Error {
  constructor(message: string) {
    super(message);
    this.name = "NotFound";
  }
}

/** What a submission leaves in its own transaction, so that a repeat finds it (`Idempotency-Key`). */
export interface Receipt {
  caller: string;
  key: string;
  /** Of the whole request: the same key with another one is a mistake. */
  hash: string;
  /** Kept with the receipt where each `job` is known; else only what an answer can be made from. */
  answer?: (submitted: Submitted[]) => Answer;
}

/** A submission with this receipt's key was committed before; nothing was done now. */
export class ReceiptTaken extends Error {
  constructor(key: string) {
    super(`The key ${key} has its receipt.`);
    this.name = "ReceiptTaken";
  }
}

/** The server's hold on one worker socket; `protocol/` implements it. */
export interface WorkerLink {
  send(frame: ServerFrame): void;
  /** Says why, then closes. */
  end(code: string, message: string): void;
}

/** One connected worker, as `protocol/` sees it. Every method is safe after the session ended. */
export interface WorkerSession {
  readonly id: number;
  readonly workerId: number;
  /** Whether (job, attempt, token) is a lease of this session; logs are taken only for those. */
  holds(lease: LeaseRef): boolean;
  handle(frame: Exclude<WorkerFrame, { type: "hello" | "log" }>): void;
  /** Call once the welcome was sent: from now on jobs are assigned. */
  welcomed(): void;
  /** The socket is gone: leases hold for the grace time. */
  dropped(): void;
}

export type ConnectResult =
  | { ok: true; session: WorkerSession; welcome: Extract<ServerFrame, { type: "welcome" }> }
  | { ok: false; code: string; message: string };

/** Where a worker's token lets it work. `org` null: shared by every organization. */
export interface WorkerGrant {
  org: string | null;
}

/**
 * Whoever changes something is named by `actor`: in phase events by name, and where it is an `Author`
 * in the audit log too, in the transaction of the change. Submissions are no changes by operators:
 * their phase events name the author, and the audit log does not repeat it.
 */
export interface Engine {
  readonly replicaId: string;
  readonly names: Interner;
  readonly feed: Feed;
  /** Database time, milliseconds since the epoch. */
  now(): number;
  start(): Promise<void>;
  /** Stops leasing, finishes the beats in flight, ends its sessions' sockets; workers carry on. */
  stop(): Promise<void>;

  /**
   * All or nothing; ids in the order of the inputs. Throws InvalidInput, NotFound, and with a
   * receipt ReceiptTaken.
   */
  submitJobs(
    org: string,
    jobs: ParsedJobInput[],
    actor: Actor,
    receipt?: Receipt,
  ): Promise<Submitted[]>;
  submitWorkflow(
    org: string,
    input: ParsedWorkflowInput,
    actor: Actor,
    receipt?: Receipt,
  ): Promise<SubmittedWorkflow>;
  /** Adds jobs to an open workflow; `close` says that no more will follow. */
  addToWorkflow(
    id: string,
    jobs: ParsedWorkflowJobInput[],
    options: { close?: boolean },
    actor: Actor,
    receipt?: Receipt,
  ): Promise<SubmittedWorkflow>;
  cancelJob(id: string, actor: Actor, reason?: string): Promise<ActionResult>;
  retryJob(id: string, actor: Actor, reason?: string): Promise<ActionResult>;
  cancelWorkflow(
    id: string,
    actor: Actor,
    reason?: string,
  ): Promise<
    | { ok: true; affected: number; pending: number; running: number }
    | { ok: false; code: "not_found" | "conflict"; reason: string }
  >;
  /** Cancels or retries all that match, in chunks, as an operation. */
  readonly bulk: {
    preview(ask: BulkAsk, options?: { isWhole?: boolean }): Promise<Preview>;
    begin(ask: BulkAsk, options: BulkOptions, actor: Actor, receipt?: Receipt): Promise<Begun>;
    undo(id: string, actor: Actor, reason?: string): Promise<UndoResult>;
  };

  /** Switches answer whether anything changed: what was so already leaves no trace. */
  pauseQueue(org: string, queue: string, actor: Actor, reason?: string): Promise<boolean>;
  resumeQueue(org: string, queue: string, actor: Actor, reason?: string): Promise<boolean>;
  /** While draining nothing is leased on any replica. */
  setDraining(enabled: boolean, actor: Actor, reason?: string): Promise<boolean>;
  /** Asks a worker to finish what it holds and take nothing new. */
  drainWorker(workerUid: string, actor: Actor, reason?: string): Promise<boolean>;
  readonly operating: {
    /** Pause and resume of all, descriptions, limits. Throw NotFound. */
    readonly queues: Pick<QueueKeeper, "switchAll" | "change">;
    /** Ends what waits; what runs, runs on. Nothing of it is leased once `begin` has answered. */
    readonly stops: Pick<QueueStops, "preview" | "begin" | "again">;
    readonly slots: Pick<Slots, "free" | "freeAll" | "count">;
  };

  /** What ended on this server since it started, by name; and how often names are to run. */
  readonly background: { runs: Pick<RunTally, "all">; expectations: Pick<Expectations, "set"> };
  readonly keeping: Keeping;
  readonly schedules: Schedules;
  readonly alerts: Alerts;

  /** One pass of the aggregator now; resolves when it is over, also where another replica leads. */
  readonly rollups: { pass(): Promise<void> };

  /** Looks at workers and work in the name of the moment `at`, epoch milliseconds of the last minute. */
  sample(at: number): Promise<void>;

  /**
   * Why a job waits, or why it went where it went. Null where there is no such job or attempt. Of all
   * organizations: to be masked for whoever reads it.
   */
  explain(id: string, attempt?: number): Promise<FullExplanation | null>;

  connectWorker(hello: Hello, grant: WorkerGrant, link: WorkerLink): Promise<ConnectResult>;
}

export type {
  Actor,
  Assignment,
  BulkAsk,
  BulkKind,
  Explanation,
  FinishedReport,
  Preview,
  Requirements,
  WaitingFor,
};
