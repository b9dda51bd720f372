/** The page of background jobs where little or much is known: nothing, one run, late names, many names, its own. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import { SYSTEM_ORG_ID } from "../../../src/core/background/system_org.ts";
import { ROWS_MAX } from "../../../src/core/metrics/buckets.ts";
import { somebody } from "../../support/accounts/people.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { computed } from "../../support/metrics/computed.ts";
import { figureOf, tableRows } from "../../support/metrics/printed_charts.ts";
import { asked, rowsRead } from "../../support/rows_read.ts";

const HOUR = 3_600_000;
const quiet = { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 };

interface Tile {
  name: string;
  judgement: string;
  value: string;
  note: string;
}

function tiles(html: string): Tile[] {
  return [...html.matchAll(/<li class="tile j-(\w+)">(.*?)<\/li>/gs)].map(
    ([, judgement, inner]) => {
      const text = (pattern: RegExp) =>
        (pattern.exec(inner!)?.[1] ?? "")
          .replace(/<span class="sr-only">.*?<\/span>/s, "")
          .replace(/<[^>]*>/g, "")
          .trim();
      return {
        judgement: judgement!,
        name: text(/<span class="tile-name">(.*?)<\/span>/s),
        value: text(/<b class[^>]*>(.*?)<\/b>/s),
        note: text(/<small>(.*?)<\/small>/s),
      };
    },
  );
}

async function page(box: BoardBox, path = "/board/background", cookie?: string): Promise<string> {
  const request = new Request(`http://board${path}`, {
    headers: { accept: "text/html", cookie: cookie ?? "" },
  });
  const answer = cookie === undefined ? await box.get(path) : await box.fetch(request);
  assert.equal(answer.status, 200, path);
  return await answer.text();
}

describe("where nothing has run, background jobs", () => {
  let box: BoardBox;
  before(async () => {
    box = await boardBox({ engine: quiet });
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  test("are no data: not zero, not green", async () => {
    const html = await page(box);
    assert.equal(figureOf(html, "success-rate"), "No data");
    assert.match(html, /class="judged j-unknown" id="figure-success-rate"/);
    for (const id of ["successes", "failures", "overdue", "never"]) {
      const shown = figureOf(html, id);
      assert.ok(shown === "–" || shown === "0", `${id} ${shown}`);
    }
    assert.doesNotMatch(html, /card figure good|judged j-good|tile j-good/);
    assert.deepEqual(tiles(html), []);
    assert.match(html, /No name that you see has run lately/);
  });

  test("of one run tell it, and judge no rate by it", async () => {
    const worker = await box.worker();
    const { json } = await box.call("POST", "/api/v1/orgs/default/jobs", {
      name: "once",
      payload: { command: ["false"] },
    });
    worker.end(await worker.take(json.id), { outcome: "failed", run_ms: 1_500, error: "exit 1" });
    await box.reaches(json.id, "failed");
    await computed(box.engine.rollups, box.database.intake);
    const html = await page(box, "/board/background?range=15m");
    assert.equal(figureOf(html, "success-rate"), "0 %");
    assert.match(html, /class="judged j-unknown" id="figure-success-rate"/);
    const [row] = tableRows(html, "names-table");
    assert.deepEqual([row![0], row![2], row![5]], ["once", "1", "100 %"]);
    assert.match(row!.at(-1)!, /ago exit 1/);
    assert.match(html, new RegExp(`href="/board/jobs/${json.id}"`));
    assert.deepEqual(
      tiles(html).map(({ name, judgement, value }) => [name, judgement, value]),
      [["once", "bad", "never"]],
    );
  });
});

describe("names that are expected", () => {
  let box: BoardBox;
  let sql: postgres.Sql;
  before(async () => {
    box = await boardBox({ engine: quiet });
    sql = box.database.intake as never;
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  async function schedule(
    name: string,
    cron: string,
    { paused = false, runs = [name] } = {},
  ): Promise<void> {
    const at = new Date(Date.now() - 48 * HOUR);
    const job = { name: runs[0], payload: { command: ["true"] } };
    const workflow = {
      name: "flow",
      jobs: runs.map((own, key) => ({ key: String(key), name: own })),
    };
    await sql`
      insert into schedule (id, org_id, name, cron, time_zone, job, workflow, overlap, catch_up, catch_up_max,
        jitter_seconds, paused_at, settled_until, rule_at, created_at, created_by, updated_at, updated_by)
      values (${randomUUID()}, 1, ${name}, ${cron}, 'UTC', ${runs.length > 1 ? null : sql.json(job)},
        ${runs.length > 1 ? sql.json(workflow) : null}, 'skip', 'none', 1, 0, ${paused ? at : null},
        ${new Date(Date.now() + HOUR)}, ${at}, ${at}, 'tester', ${at}, 'tester')`;
  }
  async function ran(
    name: string,
    { success, run = success }: { success: number | null; run?: number | null },
  ) {
    const [{ id }] =
      (await sql`insert into job_name (org_id, name) values (1, ${name}) returning id`) as unknown as [
        { id: number },
      ];
    if (run === null) return;
    const ago = (ms: number | null) => (ms === null ? null : new Date(Date.now() - ms));
    await sql`
      insert into name_run (name_id, org_id, last_run_at, last_success_at)
      values (${id}, 1, ${ago(run)}, ${ago(success)})`;
  }

  test("are judged by their schedules, and the most overdue come first", async () => {
    await schedule("each-minute", "* * * * *");
    await schedule("each-six-hours", "0 */6 * * *");
    await schedule("stopped", "* * * * *", { paused: true });
    await schedule("flow", "*/5 * * * *", { runs: ["first", "second"] });
    await ran("each-minute", { success: HOUR });
    await ran("each-six-hours", { success: 5 * HOUR });
    await ran("stopped", { success: 40 * HOUR });
    await ran("first", { success: 60_000 });
    await ran("second", { success: null, run: 60_000 });
    await ran("unplanned", { success: 3 * HOUR });
    await ran("long-ago", { success: 9 * 24 * HOUR });
    await ran("told", { success: 10 * 24 * HOUR });
    await sql`
      insert into name_expectation (name_id, org_id, interval_seconds, grace_seconds, updated_by, updated_at)
      select id, 1, 86400, 0, 'tester', now() - interval '30 days' from job_name where name = 'told'`;
    const shown = new Map(tiles(await page(box)).map((tile) => [tile.name, tile]));
    const judged = Object.fromEntries([...shown].map(([name, tile]) => [name, tile.judgement]));
    assert.deepEqual(judged, {
      ...{ "each-minute": "bad", "each-six-hours": "good", stopped: "unknown", first: "good" },
      ...{ second: "bad", unplanned: "warning", told: "bad" },
    });
    assert.match(shown.get("each-minute")!.note, /^overdue since/);
    assert.match(shown.get("each-six-hours")!.note, /^every 6 h, next in/);
    assert.equal(shown.get("stopped")!.note, "its schedules are paused");
    assert.equal(shown.get("second")!.value, "never");
    assert.match(shown.get("told")!.note, /^overdue since 8 d/);
    assert.deepEqual([...shown.keys()].slice(0, 3).sort(), ["each-minute", "second", "told"]);
  });

  test("have their queue as it is and as it was ten minutes ago, and not what nobody looked at", async () => {
    const waits = async () => {
      const rows = tableRows(await page(box, "/board/background?name=waits"), "names-table");
      return rows[0]![10];
    };
    await box.call("POST", "/api/v1/orgs/default/jobs/bulk", {
      jobs: Array.from({ length: 3 }, () => ({ name: "waits", payload: { command: ["true"] } })),
    });
    await box.engine.sample(Date.now());
    assert.equal(await waits(), "3 (–)");
    const [{ id }] = (await sql`select id from job_name where name = 'waits'`) as unknown as [
      { id: number },
    ];
    const then = new Date(Date.now() - 620_000);
    const look = { at: then, pending: 1, active: 0, slots_entitled: 0 };
    await sql`insert into instance_sample ${sql([
      { ...look, org_id: 0, name_id: 0 },
      { ...look, org_id: 1, name_id: id, pending: 2 },
    ])}`;
    const later = await box.get("/board/background?name=waits&range=1h");
    const rows = tableRows(await later.text(), "names-table");
    assert.equal(rows[0]![10], "3 (2)");
  });
});

describe("Signalbox's own maintenance", () => {
  let box: BoardBox;
  before(async () => {
    box = await boardBox({ engine: quiet });
    const sql = box.database.intake as never as postgres.Sql;
    const [{ id }] = (await sql`
      insert into job_name (org_id, name) values (${SYSTEM_ORG_ID}, 'rollups') returning id`) as unknown as [
      { id: number },
    ];
    const row = {
      name_id: id,
      address: "here",
      passes: 1,
      items_success: 5,
      items_failed: 0,
      items_skipped: 0,
    };
    const at = (ms: number) => ({
      started_at: new Date(Date.now() - ms - 50),
      ended_at: new Date(Date.now() - ms),
    });
    await sql`insert into maintenance_run ${sql([
      { ...row, ...at(65_000), run_ms: 40, outcome: "succeeded", error: null },
      { ...row, ...at(61_000), run_ms: 50, outcome: "failed", error: "disk <full>" },
    ])}`;
    await computed(box.engine.rollups, box.database.intake);
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  test("is shown to superusers like any job, and stands in no total", async () => {
    const html = await page(box);
    const row = tableRows(html, "names-table").find((one) => one[0] === "rollups")!;
    assert.deepEqual([row[2], row[8]], ["2", "10 / 0 / 0"]);
    assert.match(row.at(-1)!, /disk &lt;full&gt;/);
    assert.equal(figureOf(html, "success-rate"), "No data");
    assert.match(html, /Signalbox&#39;s own maintenance|Signalbox's own maintenance/);
    const own = await page(box, "/board/background?org=system");
    assert.equal(figureOf(own, "success-rate"), "50 %");
    assert.deepEqual(
      tableRows(own, "names-table").map((one) => one[0]),
      ["rollups"],
    );
  });

  test("is nothing to anybody else, and takes no job", async () => {
    const { cookie } = await somebody(box, { roles: { 1: "owner" } });
    assert.doesNotMatch(await page(box, "/board/background", cookie), /rollups|maintenance/);
    const refused = await box.fetch(
      new Request("http://board/board/background?org=system", {
        headers: { accept: "text/html", cookie },
      }),
    );
    assert.equal(refused.status, 404);
    const job = { name: "x", payload: { command: ["true"] } };
    assert.equal((await box.call("POST", "/api/v1/orgs/system/jobs", job)).status, 404);
    const made = await box.call("POST", "/api/v1/orgs", { name: "system" });
    assert.equal(made.status, 422);
    assert.match(made.text, /take another name/);
  });
});

describe("many names", () => {
  let box: BoardBox;
  let sql: postgres.Sql;
  const ORGS = 12;
  before(async () => {
    box = await boardBox({ engine: quiet });
    await computed(box.engine.rollups, box.database.intake);
    sql = postgres(box.database.url, { max: 1, onnotice: () => {} });
    await sql`insert into org (name) select 'many-' || i from generate_series(1, ${ORGS}) i`;
    await sql`
      insert into job_name (org_id, name)
      select o.id, 'name-' || i from org o cross join generate_series(1, 200) i where o.name like 'many-%'`;
    await sql`
      insert into name_run (name_id, org_id, last_run_at, last_success_at)
      select id, org_id, now() - id * interval '1 second', now() - id * interval '1 second' from job_name`;
    await sql`
      insert into rollup_hour (metric_id, org_id, queue_id, name_id, worker_id, bucket_start, count, sum, bins, hits)
      select m, org_id, 0, id, 0, h, 1, 5, '{5}', '{1}' from job_name cross join unnest('{3,11,20,24,70,46}'::int[]) m
      cross join generate_series(date_trunc('hour', now()) - interval '6 hours', now(), '1 hour') h`;
    await sql`
      insert into rollup_minute (metric_id, org_id, queue_id, name_id, worker_id, bucket_start, count, sum, bins, hits)
      select m, org_id, 0, id, 0, h, 1, 5, '{5}', '{1}' from job_name cross join unnest('{3,20}'::int[]) m
      cross join generate_series(date_trunc('minute', now()) - interval '6 hours', now(), '1 minute') h
      where id % 20 = 0`;
    await sql`analyze`;
    await box.directory.refresh();
  });
  after(async () => {
    await sql.end();
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  test("are read by no statement of more than 5,000 rows, and the bound is said", async () => {
    const orgs = await sql`select id from org where name like 'many-%' order by id limit 11`;
    const { cookie } = await somebody(box, {
      roles: Object.fromEntries(orgs.map((org) => [org.id, "viewer"])),
    });
    for (const who of [undefined, cookie]) {
      for (const words of [
        "",
        "?range=15m",
        "?range=7d",
        "?range=30d",
        "?name=name-7",
        "?org=many-1",
      ]) {
        const sent = await asked(box.database.reads, async () => {
          const html = await page(box, `/board/background${words}`, who);
          if (words !== "?name=name-7") assert.match(html, /\d+ of \d+ names are shown/);
          assert.ok(tableRows(html, "names-table").length <= 40);
        });
        assert.ok(sent.length > 5, words);
        for (const statement of sent) {
          const rows = await rowsRead(sql, statement);
          assert.ok(rows <= ROWS_MAX, `${words}: ${rows} rows of ${statement.text}`);
        }
      }
    }
  });
});
