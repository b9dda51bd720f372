/** What a program imports to use Signalbox: a client of its API, and workers with handlers. */

export type { JobInput, WorkflowInput, WorkflowJobInput } from "../messages/job_input.ts";
export type {
  Attempt,
  Bulk,
  BulkFilter,
  Explanation,
  Job,
  JobFilter,
  JobState,
  JobSummary,
  Operation,
  Page,
  PhaseEvent,
  Queue,
  Readiness,
  SubmittedWorkflow,
  Worker as WorkerRow,
  Workflow,
} from "./answers.ts";
export { Client, type ClientOptions, type MatchingOptions, type WaitOptions } from "./client.ts";
export { ClientError, type Problem } from "./client_error.ts";
export type { LogEvent, ReadLog } from "./job_log.ts";
export type { CallOptions } from "./transport.ts";
export {
  type Handler,
  type HandlerJob,
  InvalidPayload,
  JobStopped,
  type SdkWorkerOptions,
  type TypedHandler,
  Worker,
} from "./worker.ts";
