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
    rig = await Rig.start();
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
      "BackgroundJobCriticalFailureRate firing",
      "BackgroundJobFailing firing",
      "BackgroundJobCriticalFailureRate resolved",
      "BackgroundJobFailing resolved",
    ]);
  });
});
