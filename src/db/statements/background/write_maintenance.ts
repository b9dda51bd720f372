/** Signalbox's own runs: a row for the passes of a task, at most one a minute and server. */
import { SYSTEM_ORG_ID } from "../../../core/background/system_org.ts";
import { textArray } from "../../arrays.ts";
import type { Sql } from "../../client.ts";
import { rowSource } from "../../row_source.ts";
import { internJobNames } from "../intern.ts";

export interface MaintenanceRow {
  task: string;
  /** Which server. */
  address: string;
  /** Epoch milliseconds. */
  startedAt: number;
  endedAt: number;
  runMs: number;
  passes: number;
  outcome: "succeeded" | "failed";
  items: { success: number; failed: number; skipped: number };
  error: string | null;
}

const rows = rowSource<MaintenanceRow & { name: number }>("t", [
  ["name", "int", (r) => r.name],
  ["address", "text", (r) => r.address],
  ["started", "float8", (r) => r.startedAt / 1000],
  ["ended", "float8", (r) => r.endedAt / 1000],
  ["run", "float8", (r) => r.runMs],
  ["passes", "int", (r) => r.passes],
  ["outcome", "text", (r) => r.outcome],
  ["success", "bigint", (r) => r.items.success],
  ["failed", "bigint", (r) => r.items.failed],
  ["skipped", "bigint", (r) => r.items.skipped],
  ["error", "text", (r) => r.error],
]);

const INSERT = `
insert into maintenance_run (name_id, address, started_at, ended_at, run_ms, passes, outcome, items_success,
  items_failed, items_skipped, error)
select name, address, to_timestamp(started), to_timestamp(ended), run, passes, outcome, success, failed,
  skipped, error
from ${rows.sql}`;

export async function writeMaintenance(sql: Sql, all: readonly MaintenanceRow[]): Promise<void> {
  if (all.length === 0) return;
  const tasks = [...new Set(all.map((row) => row.task))].sort();
  const named = await internJobNames(sql, SYSTEM_ORG_ID, textArray(tasks));
  const ids = new Map(named.map(({ name, id }) => [name, id]));
  const known = all.map((row) => ({ ...row, name: ids.get(row.task)! }));
  await sql.unsafe(INSERT, rows.params(known), { prepare: true });
}
