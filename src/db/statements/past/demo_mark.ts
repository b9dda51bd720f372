/** Whether a database belongs to the demo, and whether it holds anything else. */
import type { Sql } from "../../client.ts";

const KEY = "demo";

export interface DemoMark {
  seed: number;
}

export async function readDemoMark(sql: Sql): Promise<DemoMark | null> {
  const [row] = await sql`select value from setting where key = ${KEY}`;
  return (row?.value as DemoMark | undefined) ?? null;
}

export async function writeDemoMark(sql: Sql, mark: DemoMark): Promise<void> {
  await sql`
    insert into setting (key, value, changed_by)
    values (${KEY}, ${JSON.stringify(mark)}::text::jsonb, 'demo')
    on conflict (key) do update set value = excluded.value, changed_at = now()`;
}

/** Nobody has submitted a job or made an organization, or an account. */
export async function isUntouched(sql: Sql): Promise<boolean> {
  const [row] = await sql`
    select not exists (select from job) and not exists (select from person)
      and (select count(*) from org) <= 1 as untouched`;
  return row?.untouched === true;
}
