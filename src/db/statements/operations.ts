/** Operations: what touches many rows, in chunks, with progress. */
import type { Sql, Transaction } from "../client.ts";

const prepared = { prepare: true };

export interface OperationRow {
  id: string;
  /** Null: of the whole instance. */
  org_id: number | null;
  kind: "cancel" | "retry" | "cancel_workflow" | "stop_queues";
  filter: Record<string, unknown>;
  reason: string | null;
  actor: string;
  cursor: string | null;
  done: number;
}

export async function insertOperation(
  sql: Sql | Transaction,
  o: Omit<OperationRow, "done"> & { affected: number; delaySeconds?: number },
): Promise<void> {
  await sql.unsafe(
    `insert into operation (id, org_id, kind, filter, reason, actor, state, affected, cursor, starts_at)
     values ($1, $2, $3, $4::text::jsonb, $5, $6, 'running', $7, $8,
       now() + $9::float8 * interval '1 second')`,
    [
      ...[o.id, o.org_id, o.kind, JSON.stringify(o.filter), o.reason, o.actor, o.affected],
      ...[o.cursor, o.delaySeconds ?? 0],
    ],
    prepared,
  );
}

/** Operations that are to be worked on now: begun and not finished, by whichever server. */
export async function unfinishedOperations(sql: Sql): Promise<OperationRow[]> {
  const rows = await sql.unsafe(
    `select id, org_id, kind, filter, reason, actor, cursor, done from operation
     where state = 'running' and starts_at <= now() order by id`,
    [],
    prepared,
  );
  return rows as unknown as OperationRow[];
}

/** Whether it still stands where it was read: nobody else has done this chunk. Locks it. */
export async function lockOperation(
  tx: Transaction,
  id: string,
  cursor: string | null,
): Promise<boolean> {
  const rows = await tx.unsafe(
    `select 1 from operation where id = $1 and state = 'running' and cursor is not distinct from $2
     for no key update`,
    [id, cursor],
    prepared,
  );
  return rows.length > 0;
}

/** False where it was over before. */
export async function noteOperation(
  sql: Sql | Transaction,
  id: string,
  progress: {
    done: number;
    cursor: string | null;
    state: "running" | "done" | "failed";
    error?: string;
  },
): Promise<boolean> {
  const rows = await sql.unsafe(
    `update operation set done = $2, cursor = $3, state = $4::operation_state, error = $5,
       begun = true, finished_at = case when $4::operation_state <> 'running' then now() end
     where id = $1 and state = 'running' returning id`,
    [id, progress.done, progress.cursor, progress.state, progress.error ?? null],
    prepared,
  );
  return rows.length > 0;
}

/** One of which may be asked that it be undone. `begun`: a chunk of it has been done. */
export interface UndoRow {
  id: string;
  org_id: number | null;
  kind: OperationRow["kind"];
  filter: Record<string, unknown>;
  state: string;
  done: number;
  affected: number;
  begun: boolean;
}

/** Waits for the chunk that is under way, and lets none begin. */
export async function lockForUndo(tx: Transaction, id: string): Promise<UndoRow | null> {
  const [row] = await tx.unsafe(
    `select id, org_id, kind, filter, state, done, affected, begun from operation where id = $1
     for no key update`,
    [id],
    prepared,
  );
  return (row as unknown as UndoRow | undefined) ?? null;
}

export async function undoOperation(
  tx: Transaction,
  id: string,
  state: "undone" | "stopped",
): Promise<void> {
  await tx.unsafe(
    `update operation set state = $2::operation_state, finished_at = now() where id = $1`,
    [id, state],
    prepared,
  );
}
