/** What only those know who were there: every answer that was given is on record. */
import assert from "node:assert/strict";
import type postgres from "postgres";
import type { FinishedReport, LeaseRef } from "../../src/messages/frames.ts";
import type { Told } from "./storm_user.ts";

type Answer = LeaseRef & { accepted: boolean; reason?: string | undefined };

export interface Heard {
  /** What workers reported, by token. */
  reports: ReadonlyMap<string, FinishedReport>;
  /** What they were told about it. */
  answers: readonly Answer[];
}

/** Ends that the server writes by itself for a lease that it takes back. */
const TAKEN_BACK = ["lost", "released", "rejected"];

export async function assertTold(sql: postgres.Sql, told: Told, heard: Heard): Promise<void> {
  const broken = [
    ...(await brokenAnswers(sql, heard)),
    ...(await missing(sql, "job", told.jobs)),
    ...(await missing(sql, "workflow", told.workflows)),
    ...(await brokenBatches(sql, told)),
    ...(await brokenDependencies(sql)),
  ];
  assert.deepEqual(broken.slice(0, 10), [], `${broken.length} claims do not hold`);
}

async function brokenAnswers(sql: postgres.Sql, { reports, answers }: Heard): Promise<string[]> {
  const rows = await sql`
    select d.token, d.job_id, d.attempt, d.outcome, d.reason, d.state_after, e.result, e.attempt as last
    from dispatched_job d left join job_end e on e.job_id = d.job_id`;
  const byToken = Map.groupBy(rows, (r) => r.token as string);
  return answers.flatMap((answer) => {
    const report = reports.get(answer.token);
    const of = byToken.get(answer.token) ?? [];
    const what = JSON.stringify({ answer, report, rows: of });
    if (!report) return [`an answer to what nobody reported: ${what}`];
    if (of.length !== 1) return [`${of.length} ends of one attempt: ${what}`];
    const row = of[0]!;
    if (row.job_id !== answer.job || row.attempt !== answer.attempt) {
      return [`the token of another attempt: ${what}`];
    }
    if (!answer.accepted) {
      return TAKEN_BACK.includes(row.outcome) ? [] : [`refused, and nobody else ended it: ${what}`];
    }
    if (row.outcome !== outcomeOf(report, row.reason)) return [`accepted, and not so: ${what}`];
    const kept = row.state_after !== "succeeded" || row.last !== row.attempt;
    const same = JSON.stringify(row.result ?? null) === JSON.stringify(report.result ?? null);
    return kept || same ? [] : [`another result: ${what}`];
  });
}

/** A cancel that nobody asked for is a failure. */
function outcomeOf(report: FinishedReport, reason: string | null): string {
  return report.outcome === "cancelled" && reason === "cancelled_unasked"
    ? "failed"
    : report.outcome;
}

async function missing(sql: postgres.Sql, table: string, ids: string[]): Promise<string[]> {
  const rows = await sql.unsafe(
    `select id from unnest($1::uuid[]) as t(id) where id not in (select id from ${table})`,
    [ids],
  );
  return rows.map((r) => `${table} ${r.id} was answered and does not exist`);
}

/** However often it was asked, a submission that was answered was made once. */
async function brokenBatches(sql: postgres.Sql, { batches }: Told): Promise<string[]> {
  const rows = await sql`
    select tags->>'batch' as batch, count(*)::int as n from job where tags ? 'batch' group by 1`;
  const made = new Map(rows.map((r) => [r.batch as string, r.n as number]));
  return [...batches].flatMap(([batch, n]) =>
    (made.get(batch) ?? 0) === n ? [] : [`batch ${batch} made ${made.get(batch)} jobs, not ${n}`],
  );
}

async function brokenDependencies(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql`
    with waiting as (
      select g.dependent_id as id from edge g join job_end d on d.job_id = g.dependency_id
      group by 1 having bool_and(d.state = 'succeeded'))
    select e.job_id, e.state from waiting w join job_end e on e.job_id = w.id
    where e.state <> 'cancelled' and (e.state = 'dependency_failed' or not exists (
      select from phase_event p where p.job_id = w.id and p.state = 'ready'))`;
  return rows.map((r) => `all that it waited for ended well, and it did not: ${JSON.stringify(r)}`);
}
