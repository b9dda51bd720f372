/** PostgreSQL enums: four bytes a row, readable in every query that a person writes. */
import { pgEnum } from "drizzle-orm/pg-core";
import { JOB_STATES, OUTCOMES, WAITING_FOR } from "../../core/job_state.ts";
import { ROLES } from "../../core/scope.ts";

export const jobState = pgEnum("job_state", JOB_STATES);
export const waitingFor = pgEnum("waiting_for", WAITING_FOR);
export const outcome = pgEnum("outcome", OUTCOMES);
export const jobKind = pgEnum("job_kind", ["exec", "handler"]);
export const workflowState = pgEnum("workflow_state", [
  "open",
  "running",
  "succeeded",
  "failed",
  "cancelled",
]);
export const operationState = pgEnum("operation_state", [
  "running",
  "done",
  "failed",
  "undone",
  "stopped",
]);
export const role = pgEnum("role", ROLES);
