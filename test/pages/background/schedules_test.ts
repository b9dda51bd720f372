/** The page of background jobs where there are more schedules than it reads. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type postgres from "postgres";
import { SCHEDULES_MAX } from "../../../src/web/background/expectations.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { computed } from "../../support/metrics/computed.ts";

const HOUR = 3_600_000;
const NAMES = 150;
const NOTE = /Only the first 200 schedules say how often a name is to run/;

describe("schedules of which there are many", () => {
  let box: BoardBox;
  let sql: postgres.Sql;
  before(async () => {
    box = await boardBox({ engine: { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 } });
    sql = box.database.intake as never;
    const at = new Date(Date.now() - 48 * HOUR);
    const common = {
      ...{ org_id: 1, cron: "*/30 * * * *", time_zone: "UTC", overlap: "skip", catch_up: "none" },
      ...{ catch_up_max: 1, jitter_seconds: 0, settled_until: new Date(Date.now() + HOUR) },
      ...{ created_at: at, created_by: "tester", updated_at: at, updated_by: "tester" },
    };
    const command = { payload: { command: ["true"] } };
    const rows = Array.from({ length: SCHEDULES_MAX + 50 }, (_, n) => ({
      ...{ ...common, id: randomUUID(), name: `each-${String(n).padStart(3, "0")}` },
      ...{ job: { name: `job-${n % NAMES}`, ...command }, workflow: null },
    }));
    const jobs = Array.from({ length: 30 }, (_, n) => ({ key: `${n}`, name: `step-${n}` }));
    const last = { ...common, id: randomUUID(), name: "last", job: null, workflow: { jobs } };
    await sql`insert into schedule ${sql([...rows, last] as never)}`;
    await sql`insert into job_name (org_id, name) values (1, 'step-29')`;
    await sql`
      insert into name_run (name_id, org_id, last_run_at, last_success_at)
      select id, 1, now(), now() from job_name where name = 'step-29'`;
    await computed(box.engine.rollups, box.database.intake);
  });
  after(async () => {
    assert.deepEqual(box.troubles, []);
    await box.close();
  });

  const page = async (words = "") => (await box.get(`/board/background${words}`)).text();

  test("are counted as schedules, and not by their names, where the page says that it read some", async () => {
    assert.match(await page(), NOTE);
  });

  test("are all read that are of the name that is asked for, wherever they stand", async () => {
    const html = await page("?name=step-29");
    assert.match(html, /every 30 m, next in/);
    assert.doesNotMatch(html, NOTE);
  });
});
