/** The audit row of a change, where it was a person or a token who asked for it. */
import type { Actor } from "../../core/author.ts";
import type { Transaction } from "../../db/client.ts";
import { type AuditEntry, writeAudit } from "../../db/statements/audit.ts";
import { type JobFacts, type OperationEnd, readJobFacts } from "../../db/statements/audit_facts.ts";
import type { EndedRow } from "../../db/statements/end_jobs.ts";
import { stopOf } from "../../db/statements/operating/stop_queues.ts";
import type { OperationRow } from "../../db/statements/operations.ts";
import type { ReadyRow } from "../../db/statements/ready_rows.ts";

/** In the transaction of the change: both are there, or neither. A name alone writes nothing. */
export async function audit(
  tx: Transaction,
  actor: Actor,
  entry: Omit<AuditEntry, "author">,
): Promise<void> {
  if (typeof actor !== "string") await writeAudit(tx, [{ ...entry, author: actor }]);
}

/** What an operation is booked on: the workflow that it cancels, the queues that it stops, else itself. */
export function operationObject({
  id,
  kind,
  filter,
}: Pick<OperationRow, "id" | "kind" | "filter">): Pick<OperationEnd, "objectKind" | "objectId"> {
  if (kind === "stop_queues") {
    const { org, all, queue_ids, queues } = stopOf(filter);
    if (queue_ids.length === 1) return { objectKind: "queue", objectId: queues[0]! };
    return { objectKind: "queues", objectId: org ?? (all ? "all" : "several") };
  }
  return kind === "cancel_workflow"
    ? { objectKind: "workflow", objectId: filter.workflow as string }
    : { objectKind: "operation", objectId: id };
}

/** Null where nobody will ask. `lock`: nothing changes the job between this look and the change. */
export async function factsFor(
  tx: Transaction,
  actor: Actor,
  id: string,
  lock: () => Promise<void> = async () => {},
): Promise<JobFacts | null> {
  if (typeof actor === "string") return null;
  await lock();
  return readJobFacts(tx, id);
}

/** A job as it was before. */
interface JobChange {
  id: string;
  reason: string | null;
  facts: JobFacts;
}

/** Only where this call changed the job. `affected`: with the jobs that fall with it. */
export async function auditCancel(
  tx: Transaction,
  actor: Actor,
  { cancelled, ...change }: JobChange & { cancelled: { ended: EndedRow[]; asked: string[] } },
): Promise<void> {
  const { ended, asked } = cancelled;
  const own = ended.find((e) => e.id === change.id);
  const affected = ended.length + asked.length;
  if (own) await auditJob(tx, actor, "job.cancel", change, affected, { state: own.state });
  else if (asked.length > 0) {
    await auditJob(tx, actor, "job.cancel", change, affected, { cancel_requested: true });
  }
}

/** `affected`: with the dependents that follow it. */
export async function auditRetry(
  tx: Transaction,
  actor: Actor,
  { rows, ...change }: JobChange & { rows: ReadyRow[] },
): Promise<void> {
  const own = rows.find((r) => r.id === change.id);
  if (own) await auditJob(tx, actor, "job.retry", change, rows.length, { state: own.state });
}

function auditJob(
  tx: Transaction,
  actor: Actor,
  action: string,
  { id, reason, facts }: JobChange,
  affected: number,
  news: object,
): Promise<void> {
  const { org, ...before } = facts;
  const after = { ...before, ...news };
  const object = { objectKind: "job", objectId: id };
  return audit(tx, actor, { org, action, ...object, reason, affected, before, after });
}
