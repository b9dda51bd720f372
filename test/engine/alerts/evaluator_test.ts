/** The rules over a past of raw rows: through the rollups, on a real database, at moments that the test chooses. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { every, makeName, type Name, type Run, writeRuns } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("alerts over recorded runs", () => {
  let rig: Rig;
  let now = 0;
  beforeEach(async () => {
    // By hand: at moments of the past.
    rig = await Rig.start({ alertSeconds: 3_600 });
    now = Date.now();
  });
  afterEach(() => rig.stop({ oracles: false }));

  const write = async (name: Name, runs: Run[]) => {
    await writeRuns(rig.sql, name, runs);
    await computed(rig.engine.rollups, rig.sql);
  };
  const states = async () => {
    const rows = await rig.sql`select rule, state from alert order by rule`;
    return Object.fromEntries(rows.map((row) => [row.rule, row.state]));
  };
  const events = async () => {
    const rows = await rig.sql`select rule, kind from alert_event order by id`;
    return rows.map((row) => `${row.rule} ${row.kind}`);
  };
  /** Looks every half minute, from one moment up to another, each once. */
  const look = async (from: number, to: number) => {
    for (let at = from; at <= to; at += 30_000) await rig.engine.alerts.beat(at);
  };

  test("a job fails: pending, firing after five minutes, resolved when it is well again", async () => {
    const name = await makeName(rig.sql, "report");
    const t0 = now - 40 * MINUTE;
    await write(name, [
      ...every(MINUTE, now - 2 * HOUR, t0),
      ...every(MINUTE, t0, now - 25 * MINUTE, { outcome: "failed" }),
      ...every(MINUTE, now - 25 * MINUTE, now),
    ]);
    await look(t0 + 2 * MINUTE, t0 + 4 * MINUTE);
    assert.equal((await states()).BackgroundJobFailing, "pending");
    assert.deepEqual(await events(), []);
    await look(t0 + 4.5 * MINUTE, t0 + 15 * MINUTE);
    const fired = await states();
    assert.equal(fired.BackgroundJobFailing, "firing");
    assert.equal(fired.BackgroundJobCriticalFailureRate, "firing");
    const [row] =
      await rig.sql`select sentence, value from alert where rule = 'BackgroundJobFailing'`;
    assert.match(row!.sentence, /% of its runs failed: \d+ of \d+ over 10 minutes\./);
    await look(t0 + 15.5 * MINUTE, now);
    assert.deepEqual(await states(), {});
    assert.deepEqual(await events(), [
      "BackgroundJobFailing firing",
      "BackgroundJobCriticalFailureRate firing",
      "BackgroundJobCriticalFailureRate resolved",
      "BackgroundJobFailing resolved",
    ]);
  });

  test("runs take long: both rules of run times fire, and resolve", async () => {
    const name = await makeName(rig.sql, "export");
    const t0 = now - 60 * MINUTE;
    await write(name, [
      ...every(2 * MINUTE, t0 - HOUR, t0, { ms: 1_200_000 }),
      ...every(2 * MINUTE, t0, now, { ms: 1_000 }),
    ]);
    await look(t0 - 16 * MINUTE, t0);
    const { BackgroundJobHighDuration: high, BackgroundJobCriticalDuration: worst } =
      await states();
    assert.deepEqual([high, worst], ["firing", "firing"]);
    await look(t0 + 30_000, t0 + 40 * MINUTE);
    assert.deepEqual(await states(), {});
  });

  test("items fail though runs end well", async () => {
    const name = await makeName(rig.sql, "sync");
    const t0 = now - 40 * MINUTE;
    await write(name, [
      ...every(MINUTE, t0 - HOUR, t0, { items: { success: 3, failed: 7 } }),
      ...every(MINUTE, t0, now, { items: { success: 10 } }),
    ]);
    await look(t0 - 16 * MINUTE, t0);
    assert.deepEqual(await states(), { BackgroundJobHighItemFailureRate: "firing" });
    await look(t0 + 30_000, now);
    assert.deepEqual(await events(), [
      "BackgroundJobHighItemFailureRate firing",
      "BackgroundJobHighItemFailureRate resolved",
    ]);
  });

  test("a job that is due, or is said to be, and does not succeed is overdue, then stale", async () => {
    const name = await makeName(rig.sql, "nightly");
    const other = await makeName(rig.sql, "hourly");
    await write(name, every(HOUR, now - 30 * HOUR, now - 9 * HOUR));
    await write(other, every(HOUR, now - 30 * HOUR, now));
    await rig.sql`insert into name_expectation values
      (${name.id}, ${name.org}, 3600, null, ${new Date(now - 100 * HOUR)}, 'x'),
      (${other.id}, ${name.org}, 3600, null, ${new Date(now - 100 * HOUR)}, 'x')`;
    await look(now - 12 * MINUTE, now);
    assert.deepEqual(await states(), {
      BackgroundJobCriticallyStale: "firing",
      BackgroundJobNotRunning: "firing",
    });
    await write(name, [{ at: now - 5_000 }]);
    await look(now, now);
    const later = now + 4 * MINUTE;
    await rig.sql`update rollup_progress set complete_until = ${new Date(later)}`;
    await look(later - MINUTE, later);
    // Firing is kept up for a while, though the success has come.
    assert.equal((await states()).BackgroundJobNotRunning, "firing");
    const [row] = await rig.sql`select clear_since from alert limit 1`;
    assert.ok(row!.clear_since !== null);
    const end = now + 15 * MINUTE;
    await rig.sql`update rollup_progress set complete_until = ${new Date(end)}`;
    await look(later + 30_000, end);
    assert.deepEqual(await states(), {});
    assert.deepEqual((await events()).sort(), [
      "BackgroundJobCriticallyStale firing",
      "BackgroundJobCriticallyStale resolved",
      "BackgroundJobNotRunning firing",
      "BackgroundJobNotRunning resolved",
    ]);
  });

  test("a job that never succeeded is an alert, however often it runs", async () => {
    const name = await makeName(rig.sql, "broken");
    await write(name, every(5 * MINUTE, now - 3 * HOUR, now, { outcome: "failed" }));
    await look(now - 11 * MINUTE, now);
    assert.equal((await states()).BackgroundJobNotRunning, "firing");
    const [row] = await rig.sql`select sentence from alert where rule = 'BackgroundJobNotRunning'`;
    assert.match(row!.sentence, /^It has never succeeded, for /);
  });

  test("a queue that grows and one that is huge, each as long as it does", async () => {
    const name = await makeName(rig.sql, "mail");
    await write(name, every(MINUTE, now - HOUR, now));
    const nobody = "00000000-0000-0000-0000-000000000000";
    await rig.sql`insert into counter values (${name.org}, 0, ${name.id}, ${nobody}, 'ready', 1500)`;
    const moments = Array.from({ length: 80 }, (_, n) => now - 40 * MINUTE + n * 30_000);
    await rig.sql`delete from instance_sample`;
    await rig.sql`insert into instance_sample ${rig.sql(
      moments.flatMap((at) => {
        const row = { at: new Date(at), active: 0, slots_entitled: 0 };
        return [
          { ...row, org_id: 0, name_id: 0, pending: 500 },
          { ...row, org_id: name.org, name_id: name.id, pending: 500 },
        ];
      }) as never,
    )}`;
    await look(now - 16 * MINUTE, now);
    assert.deepEqual(await states(), {
      BackgroundJobCriticalQueueSize: "firing",
      BackgroundJobQueueGrowing: "firing",
    });
    await rig.sql`delete from instance_sample`;
    await look(now, now);
    assert.equal((await states()).BackgroundJobQueueGrowing, "firing", "nobody looked: not known");
    await rig.sql`update counter set n = 1 where name_id = ${name.id}`;
    await look(now + 30_000, now + 4.5 * MINUTE);
    await rig.sql`update rollup_progress set complete_until = ${new Date(now + 9 * MINUTE)}`;
    await look(now + 5 * MINUTE, now + 6 * MINUTE);
    assert.deepEqual(await states(), {});
  });

  test("rollups that are behind decide nothing", async () => {
    const name = await makeName(rig.sql, "report");
    await write(name, every(MINUTE, now - HOUR, now, { outcome: "failed" }));
    await look(now - 6 * MINUTE, now);
    const before = await states();
    assert.equal(before.BackgroundJobFailing, "firing");
    await look(now + 20 * MINUTE, now + 40 * MINUTE);
    assert.deepEqual(await states(), before);
  });

  test("another server goes on in the midst of it, and nothing is written twice", async () => {
    const name = await makeName(rig.sql, "report");
    await write(name, every(MINUTE, now - HOUR, now, { outcome: "failed" }));
    const other = await rig.addEngine();
    await look(now - 6 * MINUTE, now - 4 * MINUTE);
    assert.equal((await states()).BackgroundJobFailing, "pending");
    const [first] = rig.engines;
    await first!.stop();
    await rig.sql`update leadership set until = now() - interval '1 second' where role = 'alerts'`;
    for (let at = now - 3.5 * MINUTE; at <= now; at += 30_000) await other.engine.alerts.beat(at);
    const rows =
      await rig.sql`select since, fired_at from alert where rule = 'BackgroundJobFailing'`;
    assert.equal(rows.length, 1);
    assert.equal(rows[0]!.since.getTime(), now - 6 * MINUTE);
    assert.equal(rows[0]!.fired_at.getTime(), now - MINUTE);
    const all = await events();
    assert.equal(new Set(all).size, all.length);
    assert.ok(all.includes("BackgroundJobFailing firing"));
  });

  test("limits that an organization sets hold, for all names or for one, and a rule can be switched off", async () => {
    const names = [await makeName(rig.sql, "a"), await makeName(rig.sql, "b")];
    for (const name of names) {
      await write(name, [
        ...every(MINUTE, now - HOUR, now),
        ...every(5 * MINUTE, now - HOUR, now, { outcome: "failed" }),
      ]);
    }
    const { alerts } = rig.engine;
    const set = (more: object) =>
      alerts.setRule(names[0]!.org, "BackgroundJobFailing", { ...OPEN, ...more }, "tester");
    await look(now - 6 * MINUTE, now);
    assert.equal((await rig.sql`select from alert where state = 'firing'`).length, 2);
    await set({ job_name: "a", limits: { failure_rate: 0.5 } });
    await set({ job_name: "b", enabled: false });
    await look(now, now);
    assert.deepEqual(
      [
        ...(await rig.sql`select n.name, a.clear_since is not null as ends
        from alert a join job_name n on n.id = a.name_id`),
      ],
      [{ name: "a", ends: true }],
    );
  });
});

const OPEN = { job_name: null, enabled: true, limits: {} };
