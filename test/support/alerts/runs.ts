/** A past of runs, written as raw rows, as attempts and their events leave it. */
import type postgres from "postgres";
import { v7 as uuidv7 } from "uuid";
import { ensurePartitionsFor } from "../../../src/db/partitions.ts";

export interface Run {
  at: number;
  outcome?: "succeeded" | "failed";
  ms?: number;
  items?: { success?: number; failed?: number };
}

export interface Name {
  org: number;
  queue: number;
  id: number;
  name: string;
}

/** Of organization `default`. */
export async function makeName(sql: postgres.Sql, name: string): Promise<Name> {
  const [org] = await sql`select id from org where name = 'default'`;
  const [queue] = await sql`
    insert into queue (org_id, name) values (${org!.id}, 'default')
    on conflict (org_id, name) do update set name = excluded.name returning id`;
  const [row] = await sql`
    insert into job_name (org_id, name) values (${org!.id}, ${name})
    on conflict (org_id, name) do update set name = excluded.name returning id`;
  return { org: org!.id, queue: queue!.id, id: row!.id, name };
}

export async function writeRuns(
  sql: postgres.Sql,
  { org, queue, id }: Name,
  runs: readonly Run[],
): Promise<void> {
  if (runs.length === 0) return;
  const days = [...new Set(runs.map(({ at }) => Math.floor(at / 86_400_000) * 86_400_000))];
  for (const table of ["phase_event", "dispatched_job"] as const) {
    await ensurePartitionsFor(sql as never, table, days);
  }
  const rows = runs.map((run) => rowsOf({ org_id: org, queue_id: queue, name_id: id }, run));
  await sql.begin(async (tx) => {
    await tx`insert into phase_event ${tx(rows.map((row) => row.event) as never)}`;
    await tx`insert into dispatched_job ${tx(rows.map((row) => row.attempt) as never)}`;
  });
}

function rowsOf(where: object, { at, outcome = "succeeded", ms = 1_000, items }: Run) {
  const job = uuidv7({ msecs: at });
  const [began, ended] = [new Date(at - ms), new Date(at)];
  return {
    event: {
      ...{ at: ended, ...where, job_id: job, attempt: 1, from_state: "running", state: outcome },
      ...{ outcome, worker_id: 1, since: began },
    },
    attempt: {
      ...{ ...where, job_id: job, attempt: 1, worker_id: 1, session_id: 1, token: uuidv7() },
      ...{ outcome, state_after: outcome, error: outcome === "failed" ? "it broke" : null },
      ...{ queued_at: began, eligible_at: began, ready_at: began, dispatched_at: began },
      ...{ started_at: began, ended_at: ended, run_ms: ms },
      ...{ items_success: items?.success ?? null, items_failed: items?.failed ?? null },
    },
  };
}

/** Every so often, from one moment to another. */
export function every(ms: number, from: number, to: number, more: Partial<Run> = {}): Run[] {
  const runs: Run[] = [];
  for (let at = from; at < to; at += ms) runs.push({ at, ...more });
  return runs;
}
