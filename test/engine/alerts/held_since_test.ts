/** From when on a run can be missing: the alert and the page say the same of every way in which a rule changes. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type RuleName, ruleOf } from "../../../src/core/alerts/rules.ts";
import { type Expectation, stalenessOf } from "../../../src/core/background/staleness.ts";
import { scheduleInput, schedulePatch } from "../../../src/messages/schedule_input.ts";
import { readNames } from "../../../src/web/background/candidates.ts";
import { readScheduled } from "../../../src/web/background/expectations.ts";
import { makeName, type Name } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STALE: RuleName[] = ["BackgroundJobNotRunning", "BackgroundJobCriticallyStale"];

describe("a name whose last success is 20 days old", () => {
  let rig: Rig;
  let now = 0;
  let name: Name;
  let id = "";
  beforeEach(async () => {
    rig = await Rig.start({ alertSeconds: 3_600, rollupIntervalSeconds: 3_600 });
    now = Date.now();
    name = await makeName(rig.sql, "work");
    const success = new Date(now - 20 * DAY);
    await rig.sql`
      insert into name_run (name_id, org_id, last_run_at, last_success_at)
      values (${name.id}, ${name.org}, ${success}, ${success})`;
    await rig.engine.rollups.pass();
  });
  afterEach(() => rig.stop({ oracles: false }));

  const schedule = async (cron: string, called = "tick") => {
    const job = { name: name.name, kind: "handler" };
    const input = scheduleInput.parse({ name: called, cron, job });
    id = await rig.engine.schedules.create("default", input, "tester");
    const at = new Date(now - 90 * DAY);
    await rig.sql`update schedule set created_at = ${at}, rule_at = ${at} where id = ${id}`;
  };
  /** What the alerts say, and what the page does, of now and of hours ahead. */
  const judged = async () => {
    const truths = [];
    for (const rule of STALE) {
      const [one] = await rig.engine.alerts.evidence(ruleOf(rule)!, [name.id]);
      truths.push(one!.verdict.truth);
    }
    const alert = truths[1] === "true" ? "bad" : truths[0] === "true" ? "warning" : "good";
    return { alert, page: (await onPage()).judgement };
  };
  const onPage = async () => {
    const reads = rig.engines[0]!.database.reads;
    const [row] = await readNames(reads, [name.org], [name.id]);
    const [own] = await scheduledNow();
    const told: Expectation = row!.told ? { kind: "told", ...row!.told } : { kind: "unknown" };
    return stalenessOf(own?.expectation ?? told, row!, now);
  };
  const scheduledNow = async () =>
    (await readScheduled(rig.engines[0]!.database.reads, [name.org], "")).scheduled;

  test("is late by the rule that it has had all the time", async () => {
    await schedule("0 * * * *");
    assert.deepEqual(await judged(), { alert: "bad", page: "bad" });
  });

  test("is not late by a rule that became tighter just now", async () => {
    await schedule("0 0 1 1 *");
    await rig.engine.schedules.change(id, schedulePatch.parse({ cron: "0 * * * *" }), "tester");
    assert.deepEqual(await judged(), { alert: "good", page: "good" });
    // Anything else that is changed does not begin it anew.
    const at = new Date(now - 90 * DAY);
    await rig.sql`update schedule set rule_at = ${at} where id = ${id}`;
    await rig.engine.schedules.change(id, schedulePatch.parse({ description: "x" }), "tester");
    assert.deepEqual(await judged(), { alert: "bad", page: "bad" });
  });

  test("is not late by a schedule that was made just now, beside one that is there for long", async () => {
    await schedule("0 0 1 1 *");
    const input = { name: "other", cron: "0 * * * *", job: { name: name.name, kind: "handler" } };
    await rig.engine.schedules.create("default", scheduleInput.parse(input), "tester");
    assert.deepEqual(await judged(), { alert: "good", page: "good" });
  });

  test("is not late right after its schedule was resumed", async () => {
    await schedule("0 * * * *");
    await rig.engine.schedules.pause(id, "tester");
    await rig.engine.schedules.resume(id, "tester");
    assert.deepEqual(await judged(), { alert: "good", page: "good" });
  });

  test("is not late right after somebody said how often it is to run, but is later", async () => {
    const say = (at: number) => rig.sql`
      insert into name_expectation values (${name.id}, ${name.org}, 3600, null, ${new Date(at)}, 'x')
      on conflict (name_id) do update set updated_at = excluded.updated_at`;
    await say(now);
    assert.deepEqual(await judged(), { alert: "good", page: "good" });
    await say(now - 3 * HOUR);
    assert.deepEqual(await judged(), { alert: "warning", page: "warning" });
    await say(now - 30 * DAY);
    assert.deepEqual(await judged(), { alert: "bad", page: "bad" });
  });
});
