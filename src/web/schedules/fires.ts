/** What became of a schedule's due times, newest first. */
import { plainArray } from "../../db/arrays.ts";
import type { Sql } from "../../db/client.ts";

export interface FireView {
  /** As the rule says; of a run by hand, when that was asked. */
  nominal_at: string;
  kind: "due" | "missed" | "manual";
  state: "waiting" | "submitted" | "skipped" | "refused";
  /** The state of what was submitted, now or at its end; else the fire's own. */
  outcome: string;
  job: string | null;
  workflow: string | null;
  fired_at: string | null;
  late_seconds: number | null;
  reason: string | null;
  /** Due times that a skip stands for, at least. */
  missed: number | null;
  asked_by: string | null;
}

/** By schedule; of each the newest `each`, before `before`. */
export async function readFires(
  sql: Sql,
  schedules: readonly string[],
  { each, before = null }: { each: number; before?: string | null },
): Promise<Map<string, FireView[]>> {
  const rows = await sql`
    select f.*, case
        when f.state <> 'submitted' then f.state
        else coalesce((select l.state::text from live_job l where l.id = f.job_id), f.outcome,
          (select e.state::text from job_end e where e.job_id = f.job_id
           order by e.finished_at desc limit 1),
          (select w.state::text from workflow w where w.id = f.workflow_id), 'unknown') end as result
    from unnest(${plainArray(schedules)}::uuid[]) as s(id)
    cross join lateral (
      select * from schedule_fire where schedule_id = s.id
        and (${before}::timestamptz is null or nominal_at < ${before}::timestamptz)
      order by nominal_at desc limit ${each}) f
    order by f.nominal_at desc`;
  const views = rows.map((row) => [row.schedule_id as string, viewOf(row)] as const);
  const grouped = Map.groupBy(views, ([schedule]) => schedule);
  return new Map([...grouped].map(([schedule, own]) => [schedule, own.map(([, view]) => view)]));
}

const iso = (time: Date | null) => time?.toISOString() ?? null;

function viewOf(row: Record<string, unknown>): FireView {
  const late = row.late_ms as number | null;
  return {
    nominal_at: (row.nominal_at as Date).toISOString(),
    kind: row.kind as FireView["kind"],
    state: row.state as FireView["state"],
    outcome: row.result as string,
    job: row.job_id as string | null,
    workflow: row.workflow_id as string | null,
    fired_at: iso(row.fired_at as Date | null),
    late_seconds: late === null ? null : Math.round(late) / 1000,
    reason: row.reason as string | null,
    missed: row.missed as number | null,
    asked_by: row.asked_by as string | null,
  };
}
