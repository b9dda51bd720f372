/** Every number of the page of throughput against plain SQL over the same rows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Asker, type ChartBox, chartBox } from "../support/metrics/chart_box.ts";
import { chartIn, type ReadChart } from "../support/metrics/read_page.ts";

let box: ChartBox;
before(async () => {
  box = await chartBox({ n: 500, seed: 41 }, async (_, sql) => {
    // Every second attempt added jobs to its workflow, some of them twice.
    await sql`
      insert into workflow_batch (job_id, attempt, batch, ids)
      select job_id, attempt, b, '{}' from dispatched_job cross join unnest(array['a', 'b']) b
      where abs(hashtext(job_id::text)) % 2 = 0 and (b = 'a' or abs(hashtext(job_id::text)) % 4 = 0)`;
  });
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const askers = (): Asker[] => [box.superuser, box.member];

/** Rows of `source` by bucket of the chart; `at` is their moment. */
async function counted(
  { start, step, values }: ReadChart,
  { orgs }: Asker,
  { source, at, where }: { source: string; at: string; where: string },
): Promise<number[]> {
  const buckets = Math.max(...[...values.values()].map((line) => line.length));
  const rows = await box.sql.unsafe(
    `select floor((extract(epoch from e.${at}) * 1000 - $1) / $2)::int as bucket, count(*)::int as n
     from ${source} e join queue q on q.id = e.queue_id join job_name j on j.id = e.name_id
     where e.org_id = any($3) and ${where} group by 1`,
    [start, step, orgs] as never[],
  );
  const found = new Map(rows.map((row) => [row.bucket, row.n]));
  return Array.from({ length: buckets }, (_, bucket) => found.get(bucket) ?? 0);
}

const PIPELINE = {
  Created: "from_state = 'created'",
  Succeeded: "state = 'succeeded'",
  Failed: "state = 'failed'",
  "Tried again": "state = 'queued' and from_state <> 'created'",
};
const known = (line: readonly (number | null)[]) => line.map((value) => value ?? 0);
const sum = (line: readonly number[]) => line.reduce((total, one) => total + one, 0);

describe("the page of throughput", () => {
  test("counts jobs of a queue, of a name and of an organization", async () => {
    const narrow = {
      "queue=night": "q.name = 'night'",
      "name=test": "j.name = 'test'",
      "org=acme": `e.org_id = (select id from org where name = 'acme')`,
      "org=acme&name=build": `j.name = 'build' and e.org_id = (select id from org where name = 'acme')`,
    };
    for (const asker of askers()) {
      for (const range of ["24h", "7d", "90d"]) {
        for (const [words, own] of Object.entries(narrow)) {
          const html = await box.page(`/board/throughput?range=${range}&${words}`, asker);
          const chart = chartIn(html, "pipeline");
          for (const [line, state] of Object.entries(PIPELINE)) {
            const where = `${state} and ${own}`;
            const exact = await counted(chart, asker, { source: "phase_event", at: "at", where });
            const what = `${line} of ${words} in ${range} for ${asker.who}`;
            assert.deepEqual(known(chart.values.get(line)!), exact, what);
            if (line === "Created") assert.ok(sum(exact) > 20, what);
          }
        }
      }
    }
  });

  test("counts attempts that added jobs once, by how they ended", async () => {
    const added = `exists (select from workflow_batch w where w.job_id = e.job_id and w.attempt = e.attempt)`;
    const lines = {
      Completed: "state_after = 'succeeded'",
      Failed: "state_after in ('failed', 'cancelled')",
    };
    for (const asker of askers()) {
      for (const range of ["24h", "7d"]) {
        const chart = chartIn(
          await box.page(`/board/throughput?range=${range}`, asker),
          "evaluations",
        );
        for (const [line, state] of Object.entries(lines)) {
          const where = `${state} and ${added}`;
          const of = { source: "dispatched_job", at: "ended_at", where };
          const exact = await counted(chart, asker, of);
          assert.deepEqual(known(chart.values.get(line)!), exact, `${line} for ${asker.who}`);
          assert.ok(sum(exact) > 2, line);
        }
      }
    }
  });
});
