/**
 * One attempt that this worker holds: from its `assign` until its end is `recorded`, or the server
 * takes it away. The agent owns it; runners only run it and say how it ended.
 */
import type { Assignment, FinishedReport, Items, Usage } from "../messages/frames.ts";
import type { LogStream } from "./log/log_stream.ts";
import type { LongTimer } from "./long_timer.ts";

/** Why an attempt is stopped before its own end. `lost`: nobody wants its report any more. */
export type StopReason = "cancel" | "timeout" | "release" | "lost";

/** How an attempt ended, without the names that the agent adds. */
export interface AttemptEnd {
  outcome: FinishedReport["outcome"];
  reason?: string;
  exit_code?: number;
  signal?: string;
  error?: string;
  usage?: Usage;
  items?: Items;
  /** The result as JSON text, made once: it is also what the frame carries. */
  resultJson?: string;
  /** Absent where the attempt never started. */
  run_ms?: number;
}

export class Attempt {
  readonly assignment: Assignment;
  /** Monotonic; moved by the runner to the moment the process exists. */
  startedAt = performance.now();
  started = false;
  /** The `finished` report as JSON, from the end until it is recorded. */
  report: string | null = null;
  reportSentAt = 0;
  /** The server took the lease away: never report, only clean up. */
  forgotten = false;
  stopping: StopReason | null = null;
  log: LogStream | null = null;
  timer: LongTimer | null = null;
  /** Set by the runner: begins to end the work. Called at most once for each reason. */
  stopper: ((reason: StopReason) => void) | null = null;

  constructor(assignment: Assignment) {
    this.assignment = assignment;
  }

  /** Asks the work to end. A later `lost` overrides what was asked before. */
  stop(reason: StopReason): void {
    if (this.report !== null || this.stopping === "lost" || this.stopping === reason) return;
    if (this.stopping !== null && reason !== "lost" && reason !== "release") return;
    this.stopping = reason;
    this.stopper?.(reason);
  }

  /** The lease as the JSON text of its three fields, without braces. */
  leaseJson(): string {
    const { job, attempt, token } = this.assignment;
    return `"job":${JSON.stringify(job)},"attempt":${attempt},"token":${JSON.stringify(token)}`;
  }
}

/** What a runner may ask of the agent. */
export interface AttemptHost {
  started(attempt: Attempt): void;
  ended(attempt: Attempt, end: AttemptEnd): void;
  /** The attempt's log, made at its first use. */
  logOf(attempt: Attempt): LogStream;
  /** New bytes stand in the attempt's log. */
  logged(attempt: Attempt): void;
  progressed(attempt: Attempt, body: ProgressBody): void;
  /** Adds jobs to the workflow of a running attempt; resolves with ids by key. */
  submit(attempt: Attempt, batch: string, jobsJson: string): Promise<Record<string, string>>;
}

export interface ProgressBody {
  fraction?: number;
  note?: string;
  items?: Items;
}

export interface Runner {
  start(attempt: Attempt): void;
}

/** The outcome that a stop leads to, or undefined where the end was the work's own. */
export function stoppedOutcome(reason: StopReason | null): AttemptEnd["outcome"] | undefined {
  if (reason === "cancel") return "cancelled";
  if (reason === "timeout") return "timed_out";
  if (reason === "release" || reason === "lost") return "released";
  return undefined;
}
