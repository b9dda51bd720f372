/** What the audit log says of a job beside its id, and how the end of an operation gets its row. */
import type { JobState } from "../../core/job_state.ts";
import type { Transaction } from "../client.ts";

const prepared = { prepare: true };

export interface JobFacts {
  org: number;
  /** Names are kept, because the log outlives the job. */
  name: string;
  queue: string;
  state: JobState;
}

const FACTS = `
select h.org_id as org, n.name, q.name as queue, h.state from (
  select org_id, name_id, queue_id, state from live_job where id = $1
  union all
  (select org_id, name_id, queue_id, state from job_end where job_id = $1)) h
cross join lateral (select name from job_name where id = h.name_id offset 0) n
cross join lateral (select name from queue where id = h.queue_id offset 0) q
limit 1`;

/** Of a live job or an ended one; ask with its row locked, or it may change meanwhile. */
export async function readJobFacts(tx: Transaction, id: string): Promise<JobFacts | null> {
  const [row] = await tx.unsafe(FACTS, [id], prepared);
  return (row as unknown as JobFacts) ?? null;
}

export async function workflowName(tx: Transaction, id: string): Promise<string> {
  const [row] = await tx.unsafe(`select name from workflow where id = $1`, [id], prepared);
  return row!.name as string;
}

/** An operation as the log knows it: on the workflow that it cancels, else on itself. */
export interface OperationEnd {
  id: string;
  objectKind: string;
  objectId: string;
  state: "done" | "failed";
  done: number;
  error?: string;
}

const END = `
insert into audit_log (org_id, actor, person_id, token_id, address, action, object_kind, object_id,
  reason, affected, after)
select org_id, actor, person_id, token_id, address, 'operation.end', object_kind, object_id, reason,
  $4::bigint, $5::text::jsonb
from audit_log
where object_kind = $1 and object_id = $2 and after ->> 'operation' = $3
order by id limit 1`;

/**
 * In the name of whoever asked for the operation: that stands in the row of its beginning, whichever
 * server ends it. Without such a row the system asked, and there is none of the end either.
 */
export async function auditOperationEnd(tx: Transaction, end: OperationEnd): Promise<void> {
  const after = JSON.stringify({ operation: end.id, state: end.state, error: end.error });
  await tx.unsafe(END, [end.objectKind, end.objectId, end.id, end.done, after], prepared);
}
