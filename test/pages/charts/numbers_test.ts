/** Every number of overview, throughput and rankings against plain SQL over the same rows. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type postgres from "postgres";
import { somebody } from "../../support/accounts/people.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { computed } from "../../support/metrics/computed.ts";
import { makePlaces, writeHistory } from "../../support/metrics/raw_history.ts";
import { chartIn, figureIn } from "../../support/metrics/read_page.ts";

const HOUR = 3_600_000;
let box: BoardBox;
let sql: postgres.Sql;
/** Who asks, and which organizations' rows are theirs. */
const askers: [string, { headers: Record<string, string>; orgs: number[] }][] = [
  ["a superuser", { headers: {}, orgs: [] }],
  ["a member", { headers: {}, orgs: [] }],
];

before(async () => {
  box = await boardBox();
  sql = box.database.intake as never;
  const places = await makePlaces(sql);
  const now = Date.now();
  await writeHistory(sql, places, { n: 400, from: now - 30 * HOUR, to: now - 60_000, seed: 3 });
  await box.directory.refresh();
  await computed(box.engine.rollups, sql);
  const all = [...new Set(places.map((place) => place.org))];
  askers[0]![1].orgs = all;
  const acme = box.directory.byName("acme")!.id;
  const { cookie } = await somebody(box, { roles: { [acme]: "viewer" } });
  Object.assign(askers[1]![1], { headers: { cookie }, orgs: [acme] });
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

async function page(path: string, headers: Record<string, string>): Promise<string> {
  const request = new Request(`http://board${path}`, {
    headers: { accept: "text/html", ...headers },
  });
  const answer = headers.cookie ? await box.fetch(request) : await box.get(path);
  assert.equal(answer.status, 200, path);
  return await answer.text();
}

/** How many events of a state fell into each bucket. */
async function eventsIn(
  { start, step }: { start: number; step: number },
  buckets: number,
  orgs: number[],
  where: string,
): Promise<number[]> {
  const rows = await sql.unsafe(
    `select floor((extract(epoch from at) * 1000 - $1) / $2)::int as bucket, count(*)::int as n
     from phase_event where org_id = any($3) and ${where}
       and at >= to_timestamp($1 / 1000.0) group by 1`,
    [start, step, orgs] as never[],
  );
  const found = new Map(rows.map((row) => [row.bucket, row.n]));
  return Array.from({ length: buckets }, (_, at) => found.get(at) ?? 0);
}

for (const [who, asker] of askers) {
  describe(`to ${who}`, () => {
    test("throughput shows what the events say, hour by hour and minute by minute", async () => {
      for (const range of ["24h", "1h"]) {
        const html = await page(`/board/throughput?range=${range}`, asker.headers);
        const chart = chartIn(html, "pipeline");
        const lines: [string, string][] = [
          ["Created", "from_state = 'created'"],
          ["Succeeded", "state = 'succeeded'"],
          ["Failed", "state = 'failed'"],
          ["Tried again", "state = 'queued' and from_state <> 'created'"],
        ];
        for (const [name, where] of lines) {
          const shown = chart.values.get(name)!;
          const exact = await eventsIn(chart, shown.length, asker.orgs, where);
          // Minutes after the pass are not known yet.
          assert.deepEqual(
            shown.map((n) => n ?? 0),
            exact,
            `${name} in ${range}`,
          );
          if (range === "24h")
            assert.ok(
              shown.some((n) => (n ?? 0) > 0),
              name,
            );
        }
      }
    });

    test("the overview counts what was dispatched and how it ended", async () => {
      const html = await page("/board", asker.headers);
      const chart = chartIn(html, "completed");
      const good = chart.values.get("Succeeded")!;
      const bad = chart.values.get("Failed")!;
      assert.deepEqual(good, await eventsIn(chart, good.length, asker.orgs, "state = 'succeeded'"));
      assert.deepEqual(bad, await eventsIn(chart, bad.length, asker.orgs, "state = 'failed'"));
      const started = await eventsIn(
        chart,
        good.length,
        asker.orgs,
        "state = 'dispatched' and from_state = 'ready'",
      );
      const sum = (some: (number | null)[]) => some.reduce<number>((all, n) => all + (n ?? 0), 0);
      assert.equal(figureIn(html, "dispatched"), sum(started).toLocaleString("en-US"));
      const rate = (sum(good) / (sum(good) + sum(bad))) * 100;
      const written = rate.toLocaleString("en-US", { maximumFractionDigits: 1 });
      assert.equal(figureIn(html, "success"), `${written} %`);
    });

    test("rankings list the costliest attempts of those days, and of no other organization", async () => {
      const columns = {
        longest: "run_ms",
        ram: "peak_ram_mb",
        cpu: "cpu_ms",
        disk: "coalesce(disk_read_bytes, 0) + coalesce(disk_write_bytes, 0)",
      };
      for (const [tab, column] of Object.entries(columns)) {
        const html = await page(`/board/jobs?tab=${tab}&range=7d`, asker.headers);
        const shown = [...html.matchAll(/href="\/board\/jobs\/([0-9a-f-]{36})\?attempt=/g)];
        const rows = await sql.unsafe(
          `select job_id from dispatched_job where org_id = any($1) and ${column} > 0
           order by ${column} desc, job_id limit 20`,
          [asker.orgs] as never[],
        );
        assert.equal(rows.length, 20);
        assert.deepEqual(
          shown.map((found) => found[1]),
          rows.map((row) => row.job_id),
          tab,
        );
      }
    });
  });
}

test("a chart's figures are downloaded as they are shown", async () => {
  const html = await (await box.get("/board/throughput")).text();
  const chart = chartIn(html, "pipeline");
  const csv = await box.get("/board/throughput?format=csv&chart=pipeline");
  assert.match(
    csv.headers.get("content-disposition")!,
    /attachment; filename="signalbox-pipeline.csv"/,
  );
  const [head, ...lines] = (await csv.text()).trim().split("\r\n");
  assert.equal(head, "bucket_start,Created,Succeeded,Failed,Tried again");
  assert.deepEqual(
    lines.map((line) => Number(line.split(",")[1])),
    chart.values.get("Created"),
  );
  const json = await (await box.get("/board/throughput?format=json&chart=pipeline")).json();
  assert.deepEqual(
    json.rows.map((row: number[]) => row[2]),
    chart.values.get("Succeeded"),
  );
  assert.equal((await box.get("/board/throughput?format=csv&chart=none")).status, 404);
});

test("what cannot be shown is said, with the way out, and keeps what was typed", async () => {
  const wrong = await box.get("/board/throughput?from=yesterday");
  assert.equal(wrong.status, 422);
  const html = await wrong.text();
  assert.match(html, /role="alert">yesterday is no moment: write 2026-11-22T10:00/);
  assert.match(html, /value="yesterday"/);
  const pair = await box.get("/board/throughput?queue=default&name=build");
  assert.match(await pair.text(), /is not kept by queue with name/);
});
