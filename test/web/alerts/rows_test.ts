/** What became of alerts, as lists of it read it. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { readAlertEvents } from "../../../src/web/alerts/rows.ts";
import { Rig } from "../../support/engine.ts";

describe("the history of alerts", () => {
  let rig: Rig;
  before(async () => {
    rig = await Rig.start();
  });
  after(() => rig.stop());

  test("of one rule is found behind any number of others'", async () => {
    const [name] = await rig.sql`
      insert into job_name (org_id, name) select id, 'nightly' from org order by id limit 1 returning id, org_id`;
    const write = (rule: string, count: number) => rig.sql`
      insert into alert_event (alert_id, kind, at, rule, org_id, name_id, severity, since, sentence)
      select gen_random_uuid(), 'firing', now(), ${rule}, ${name!.org_id}, ${name!.id}, 'warning', now(), 'x'
      from generate_series(1, ${count}::int)`;
    await write("BackgroundJobNotRunning", 2);
    await write("BackgroundJobFailing", 600);
    const sql = rig.sql as never;
    const read = (more: object) =>
      readAlertEvents(sql, [name!.org_id], { before: null, limit: 100, ...more });
    assert.equal((await read({ rule: "BackgroundJobNotRunning" })).length, 2);
    assert.equal((await read({ rule: "BackgroundJobFailing" })).length, 100);
    assert.ok((await read({})).every((one) => one.rule === "BackgroundJobFailing"));
    const hidden = { before: null, limit: 100, rule: "BackgroundJobFailing" as const };
    assert.deepEqual(await readAlertEvents(sql, [], hidden), []);
  });
});
