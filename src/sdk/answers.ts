/**
 * What the API answers, as types: the shapes of `/openapi.json`, taken from the very schemas that
 * write it. Types only: nothing of the server comes along. Times are RFC 3339 in UTC, ids UUIDv7.
 */
import type { AttemptView, JobSummary, JobView, PhaseEventView } from "../api/jobs/schemas.ts";
import type { PersonView } from "../api/members/schemas.ts";
import type { QueueChanges, QueueView, StoppedView } from "../api/queues/schemas.ts";
import type {
  FireAnswer,
  ScheduleItemView,
  ScheduleView,
  TriggeredView,
} from "../api/schedules/schemas.ts";
import type {
  MadeTokenView,
  MadeWorkerTokenView,
  TokenView,
  WorkerTokenView,
} from "../api/tokens/schemas.ts";
import type { PoolView, SlotView, WorkerView } from "../api/workers/schemas.ts";
import type { WorkflowView } from "../api/workflows/schemas.ts";
import type { JobState } from "../core/job_state.ts";
import type { Role } from "../core/scope.ts";
import type { Explanation } from "../engine/explain.ts";

export type { Explanation, JobState, JobSummary, Role };
export type Person = PersonView;
export type Token = TokenView;
export type WorkerToken = WorkerTokenView;
/** With its secret; null where a repeat of the request was answered. */
export type MadeToken = MadeTokenView;
export type MadeWorkerToken = MadeWorkerTokenView;
export type Job = JobView;
/** One try of a job: as the worker and the engine saw it. */
export type Attempt = AttemptView;
export type PhaseEvent = PhaseEventView;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface JobFilter {
  state?: JobState[];
  queue?: string;
  name?: string;
  workflow?: string;
  /** Id of the worker it ran on last. */
  worker?: string;
  /** Every one must match. */
  tags?: Record<string, string>;
  /** A search as on the board: words, and `key:value` such as `state:failed -queue:ci created:<24h`. */
  q?: string;
  created_after?: string;
  created_before?: string;
}

/** What can be cancelled or retried at once; a worker is named within `q`. */
export type BulkFilter = Omit<JobFilter, "worker">;

export interface SubmittedWorkflow {
  id: string;
  /** Ids by key. */
  jobs: Record<string, string>;
}

export type Workflow = WorkflowView;
export type Worker = WorkerView;
export type Queue = QueueView;
export type QueuePatch = Omit<QueueChanges, "reason">;
/** `operation` null: nothing waited, or it was only counted. */
export type StoppedQueues = StoppedView;
export type Pool = PoolView;
export type Slot = SlotView;
export type ScheduleItem = ScheduleItemView;
/** With what it submits and its last runs. */
export type Schedule = ScheduleView;
/** What became of one due time. */
export type ScheduleFire = FireAnswer;
export type TriggeredSchedule = TriggeredView;

/** Whether the server can do its work, and what stands against it. */
export interface Readiness {
  ready: boolean;
  checks: { name: string; ok: boolean; detail: string | null }[];
}

export interface Operation {
  id: string;
  kind: string;
  state: string;
  affected: number;
  done: number;
  error?: string | null;
}

export interface Bulk {
  /** Null where nothing matched or `dryRun` only counted. */
  operation: string | null;
  affected: number;
  /** False: there may be more than `affected`. */
  complete: boolean;
}
