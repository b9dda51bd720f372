/** Tasks on the whole instance: of each kind one at a time, and none without a server that does it. */
import type { Sql, Transaction } from "../../client.ts";
import { ALIVE } from "../replicas.ts";

const prepared = { prepare: true };

export interface NewTask {
  id: string;
  kind: string;
  replica: string;
  by: string;
  reason: string | null;
  progress: unknown;
}

/** False where one of its kind runs. */
export async function insertTask(tx: Transaction, task: NewTask): Promise<boolean> {
  const rows = await tx.unsafe(
    `insert into admin_task (id, kind, state, replica_id, created_by, reason, progress)
     values ($1, $2, 'running', $3, $4, $5, $6::text::jsonb)
     on conflict (kind) where finished_at is null do nothing returning id`,
    [task.id, task.kind, task.replica, task.by, task.reason, JSON.stringify(task.progress)],
    prepared,
  );
  return rows.length > 0;
}

/** False where it is over: somebody took this server for dead. */
export async function noteTask(sql: Sql, id: string, progress: unknown): Promise<boolean> {
  const rows = await sql.unsafe(
    `update admin_task set progress = $2::text::jsonb where id = $1 and finished_at is null returning id`,
    [id, JSON.stringify(progress)],
    prepared,
  );
  return rows.length > 0;
}

export async function endTask(
  tx: Transaction,
  id: string,
  { progress, error }: { progress: unknown; error: string | null },
): Promise<boolean> {
  const rows = await tx.unsafe(
    `update admin_task set progress = $2::text::jsonb, error = $3, finished_at = now(),
       state = case when $3::text is null then 'done' else 'failed' end
     where id = $1 and finished_at is null returning id`,
    [id, JSON.stringify(progress), error],
    prepared,
  );
  return rows.length > 0;
}

/** Tasks whose server is gone end here; their ids. */
export async function failOrphans(sql: Sql | Transaction, error: string): Promise<string[]> {
  const rows = await sql.unsafe(
    `update admin_task t set state = 'failed', error = $1, finished_at = now()
     where t.finished_at is null and not exists (
       select from replica r where r.id = t.replica_id and r.seen_at > now() - ${ALIVE})
     returning id`,
    [error],
    prepared,
  );
  return rows.map(({ id }) => id as string);
}
