/** Tasks on the whole instance, as pages and API show them. */
import type { Sql } from "../../db/client.ts";
import type { PassProgress } from "../../engine/keeping/progress.ts";

export interface AdminTask {
  id: string;
  kind: string;
  state: "running" | "done" | "failed";
  created_by: string;
  reason: string | null;
  /** In the order in which they are done. */
  passes: PassProgress[];
  error: string | null;
  created_at: Date;
  finished_at: Date | null;
}

/** The newest first. */
export async function readTasks(
  sql: Sql,
  { limit, before = null }: { limit: number; before?: string | null },
): Promise<AdminTask[]> {
  return await sql<AdminTask[]>`
    select id, kind, state, created_by, reason, progress as passes, error, created_at, finished_at
    from admin_task where ${before}::uuid is null or id < ${before}::uuid order by id desc limit ${limit}`;
}

export async function readTask(sql: Sql, id: string): Promise<AdminTask | null> {
  const [row] = await sql<AdminTask[]>`
    select id, kind, state, created_by, reason, progress as passes, error, created_at, finished_at
    from admin_task where id = ${id}`;
  return row ?? null;
}
