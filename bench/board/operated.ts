/** What a month of operating leaves beside jobs: schedules of the largest organization, and alerts that fired. */
import type postgres from "postgres";
import { Client } from "../../src/sdk/client.ts";
import type { Signalbox } from "../support/signalbox.ts";

const SCHEDULES = 400;
const ALERT_EVENTS = 20_000;

/** Does nothing to a database that has them. */
export async function addOperated(box: Signalbox, sql: postgres.Sql, org: string): Promise<void> {
  const [has] = await sql`select from schedule limit 1`;
  if (has) return;
  const client = new Client({ url: box.url, token: box.adminToken, org });
  for (let at = 0; at < SCHEDULES; at += 1) {
    await client.schedules.create({
      name: `every-year-${at}`,
      // Far from today, so that none of them fires while pages are measured.
      cron: `${at % 60} 3 1 ${((new Date().getMonth() + 6) % 12) + 1} *`,
      time_zone: "Europe/Berlin",
      job: { name: `yearly-${at % 90}`, queue: `line-${at % 12}`, kind: "handler" },
      paused: at % 3 === 0,
    });
  }
  await sql`
    insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, value,
      limit_value, sentence)
    select gen_random_uuid(), 'firing', now() - interval '30 days' * (n::float8 / ${ALERT_EVENTS}),
      'BackgroundJobFailing', r.org_id, r.name_id, 'warning',
      now() - interval '30 days' * (n::float8 / ${ALERT_EVENTS}) - interval '5 minutes', 0.2, 0.1,
      '20 % of its runs failed: 4 of 20 over 10 minutes.'
    from generate_series(1, ${ALERT_EVENTS}) n
    join (select org_id, name_id, row_number() over () as at, count(*) over () as names from name_run) r
      on r.at = n % r.names + 1`;
  await sql`
    insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, value,
      limit_value, sentence)
    select alert_id, 'resolved', at + interval '9 minutes', rule, org_id, name_id, severity, since, 0,
      limit_value, sentence
    from alert_event where kind = 'firing' and at < now() - interval '1 hour'`;
}
