/** One job name: how often it is to run, who says so, and how it stands. Reads only. */
import { type Expectation, type Staleness, stalenessOf } from "../../core/background/staleness.ts";
import type { Sql } from "../../db/client.ts";
import { readSchedulesOf, type ScheduleOfName, scheduledOf } from "./expectations.ts";

export interface ExpectedName {
  id: number;
  name: string;
  /** That submit it; a schedule goes before what somebody has said. */
  schedules: ScheduleOfName[];
  said: {
    intervalSeconds: number;
    graceSeconds: number | null;
    at: number;
    by: string;
  } | null;
  /** What holds of the two. */
  expectation: Expectation;
  staleness: Staleness;
}

interface Row {
  id: number;
  name: string;
  run: number | null;
  success: number | null;
  interval: number | null;
  grace: number | null;
  at: number | null;
  by: string | null;
}

/** Null where nobody has ever submitted a job of that name. */
export async function readExpectedName(
  reads: Sql,
  org: number,
  name: string,
  now: number,
): Promise<ExpectedName | null> {
  const [row] = await reads<Row[]>`
    select n.id, n.name, extract(epoch from r.last_run_at)::float8 * 1000 as run,
      extract(epoch from r.last_success_at)::float8 * 1000 as success,
      e.interval_seconds as interval, e.grace_seconds as grace,
      extract(epoch from e.updated_at)::float8 * 1000 as at, e.updated_by as by
    from job_name n left join name_run r on r.name_id = n.id
      left join name_expectation e on e.name_id = n.id
    where n.org_id = ${org} and n.name = ${name}`;
  if (row === undefined) return null;
  const schedules = await readSchedulesOf(reads, org, name);
  const said = saidIn(row);
  const expectation = scheduledOf(schedules)[0]?.expectation ?? toldOf(said);
  const staleness = stalenessOf(expectation, { runAt: row.run, successAt: row.success }, now);
  return { id: row.id, name: row.name, schedules, said, expectation, staleness };
}

function saidIn({ interval, grace, at, by }: Row): ExpectedName["said"] {
  if (interval === null) return null;
  return { intervalSeconds: interval, graceSeconds: grace, at: at ?? 0, by: by ?? "" };
}

function toldOf(said: ExpectedName["said"]): Expectation {
  if (said === null) return { kind: "unknown" };
  const { intervalSeconds, graceSeconds, at: since } = said;
  return { kind: "told", intervalSeconds, graceSeconds, since };
}

/** Null where nobody has ever submitted a job of that name. */
export async function readJobName(
  reads: Sql,
  org: number,
  name: string,
): Promise<{ id: number; name: string } | null> {
  const [row] = await reads<{ id: number; name: string }[]>`
    select id, name from job_name where org_id = ${org} and name = ${name}`;
  return row ?? null;
}
