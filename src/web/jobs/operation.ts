/** An operation as far as its reader sees it: how far it is, and whether it can still be undone. */
import type { OrgFilter } from "../../core/scope.ts";
import type { Sql } from "../../db/client.ts";
import { andOfOrgs } from "../../db/org_filter.ts";

export const OPERATION_STATES = ["running", "done", "failed", "undone", "stopped"] as const;

export interface OperationRow {
  id: string;
  org_id: number;
  org: string | null;
  kind: string;
  state: (typeof OPERATION_STATES)[number];
  affected: number;
  done: number;
  filter: Record<string, unknown>;
  reason: string | null;
  actor: string | null;
  error: string | null;
  begun: boolean;
  created_at: Date;
  starts_at: Date;
  finished_at: Date | null;
}

/** Null where there is none among these organizations. What it asks of the database is its own. */
export async function readOperation(
  sql: Sql,
  id: string,
  orgs: OrgFilter,
): Promise<OperationRow | null> {
  const [row] = (await sql`
    select p.id, p.org_id, o.name as org, p.kind, p.state, p.affected, p.done,
      p.filter - '{criteria,queue_ids,below,at}'::text[] as filter, p.reason, p.actor, p.error, p.begun, p.created_at,
      p.starts_at, p.finished_at
    from operation p left join org o on o.id = p.org_id
    where p.id = ${id} ${andOfOrgs(sql, sql`p.org_id`, orgs)}`) as unknown as OperationRow[];
  return row ?? null;
}

export function canUndo({ state, kind }: Pick<OperationRow, "state" | "kind">): boolean {
  return state === "running" && kind !== "cancel_workflow";
}
