/** Days of a fleet of scheduled jobs, as rows of a real database: what is well fires nothing, and what stops does. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dueAfter } from "../../../src/core/background/staleness.ts";
import { scheduleInput } from "../../../src/messages/schedule_input.ts";
import { makeName, type Name, type Run, writeRuns } from "../../support/alerts/runs.ts";
import { Dice } from "../../support/dice.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const DAYS = 2;
/** A condition goes on across a hole that is no longer than it has to hold: five minutes at least. */
const LOOK_MS = 5 * MINUTE;

const FLEET = [
  { name: "five-minutes", cron: "*/5 * * * *" },
  { name: "hourly", cron: "0 * * * *" },
  { name: "hourly-at-17", cron: "17 * * * *" },
  { name: "six-hourly", cron: "0 */6 * * *" },
  { name: "nightly", cron: "30 3 * * *" },
];

describe("a fleet over days", () => {
  test("that is well fires nothing; the job that stops is overdue, then stale", async () => {
    const rig = await Rig.start({ alertSeconds: 3_600, rollupIntervalSeconds: 3_600 });
    try {
      const [now, chance] = [Date.now(), new Dice(11)];
      const [begin, stops] = [now - DAYS * DAY, now - DAYS * DAY + 5 * HOUR];
      for (const { name, cron } of [...FLEET, { name: "stops", cron: "0 * * * *" }]) {
        const row = await scheduled(rig, name, cron, now - 9 * DAY);
        const until = name === "stops" ? stops : now;
        const from = now - (DAYS + 5) * DAY;
        const dues = dueAfter([{ cron, timeZone: "UTC" }], from, 4_000).filter((at) => at < until);
        const runs: Run[] = dues.map((due) => {
          const ms = chance.between(500, 4 * MINUTE);
          return { at: due + ms, ms, items: { success: 30, failed: chance.between(0, 1) } };
        });
        await writeRuns(
          rig.sql,
          row,
          runs.filter(({ at }) => at < now),
        );
      }
      await computed(rig.engine.rollups, rig.sql);
      for (let at = begin; at <= now; at += LOOK_MS) {
        await asOf(rig, at);
        assert.notEqual(await rig.engine.alerts.beat(at), null);
      }
      const events = await rig.sql`
        select n.name, e.rule, e.kind from alert_event e join job_name n on n.id = e.name_id order by e.id`;
      assert.deepEqual(
        events.map((row) => `${row.name} ${row.rule} ${row.kind}`),
        ["stops BackgroundJobNotRunning firing", "stops BackgroundJobCriticallyStale firing"],
      );
    } finally {
      await rig.stop({ oracles: false });
    }
  });
});

/** A name with a schedule that is there for long, and does not fire here. */
async function scheduled(rig: Rig, name: string, cron: string, made: number): Promise<Name> {
  const row = await makeName(rig.sql, name);
  const input = scheduleInput.parse({ name, cron, job: { name, kind: "handler" } });
  const id = await rig.engine.schedules.create("default", input, "tester");
  await rig.sql`
    update schedule set created_at = ${new Date(made)}, rule_at = ${new Date(made)}, due_at = null where id = ${id}`;
  return row;
}

/** What was known of the last runs at a moment of the past. */
async function asOf(rig: Rig, at: number): Promise<void> {
  await rig.sql`
    update name_run r set last_run_at = d.at, last_success_at = d.at
    from (select name_id, max(ended_at) as at from dispatched_job
      where ended_at < ${new Date(at)} group by name_id) d
    where d.name_id = r.name_id`;
}
