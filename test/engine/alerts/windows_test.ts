/** How far back a look reads: as far as the limits of each name ask, and no row more than it must. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { limitTable, longestWindow } from "../../../src/core/alerts/effective.ts";
import { ALERT_RULES, type RuleName, ruleOf } from "../../../src/core/alerts/rules.ts";
import { readLimits } from "../../../src/db/statements/alerts/limits.ts";
import { readRunMinutes } from "../../../src/db/statements/alerts/run_minutes.ts";
import { FactReader } from "../../../src/engine/alerts/fact_reader.ts";
import { every, makeName, type Name, writeRuns } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const FAILING: RuleName = "BackgroundJobFailing";

describe("windows of alert rules", () => {
  let rig: Rig;
  let now = 0;
  beforeEach(async () => {
    rig = await Rig.start({ alertSeconds: 3_600 });
    now = Date.now();
  });
  afterEach(() => rig.stop({ oracles: false }));

  const longer = (name: Name, seconds: number) =>
    rig.engine.alerts.setRule(
      name.org,
      FAILING,
      { job_name: name.name, enabled: true, limits: { window_seconds: seconds } },
      "tester",
    );
  const evidence = async (name: Name) => {
    const [one] = await rig.engine.alerts.evidence(ruleOf(FAILING)!, [name.id]);
    return one!.verdict.sentence;
  };
  const write = async (name: Name, from: number, to: number) => {
    await writeRuns(rig.sql, name, [
      ...every(MINUTE, from, to),
      ...every(10 * MINUTE, from, to, { outcome: "failed" }),
    ]);
    await computed(rig.engine.rollups, rig.sql);
  };
  const read = async (name: Name, from: number) => {
    const window = { org: name.org, id: name.id, from };
    return (await readRunMinutes(rig.sql as never, [window], now)).get(name.id) ?? [];
  };

  test("one that is set for a name is read for that name alone", async () => {
    const [busy, other] = [await makeName(rig.sql, "busy"), await makeName(rig.sql, "other")];
    for (const name of [busy, other]) {
      await write(name, now - 2 * HOUR, now);
      await rig.sql`insert into name_expectation values (${name.id}, ${name.org}, 60, null, ${new Date(now)}, 'x')`;
    }
    await longer(other, 2 * 3_600);
    const table = limitTable(await readLimits(rig.sql as never));
    const look = {
      until: now,
      now,
      windowOf: (name: { org: number; name: string }) => longestWindow(table, ALERT_RULES, name),
    };
    const facts = await new FactReader(60).read(rig.sql as never, look);
    const rows = new Map(facts.map((one) => [one.name.name, one.facts.minutes.length]));
    assert.ok(rows.get("other")! >= 119, `${rows.get("other")}`);
    assert.ok(rows.get("busy")! <= 12, `${rows.get("busy")}`);
    assert.match(await evidence(busy), / over 10 minutes\.$/);
    assert.match(await evidence(other), / over 2 hours\.$/);
  });

  test("a long one is read by the hour, and adds up to the same", async () => {
    const name = await makeName(rig.sql, "busy");
    const from = Math.floor((now - 12 * HOUR) / HOUR) * HOUR;
    await write(name, from, now);
    const minutes = await read(name, from);
    const sum = (of: "succeeded" | "failed") => minutes.reduce((n, one) => n + one[of], 0);
    const ended = Math.ceil((now - from) / MINUTE);
    assert.equal(sum("succeeded"), ended);
    assert.equal(sum("failed"), Math.ceil((now - from) / (10 * MINUTE)));
    assert.ok(minutes.length <= 120 + 12, `${minutes.length} rows of ${ended} minutes`);
    assert.equal(new Set(minutes.map((one) => one.at)).size, minutes.length);
  });

  test("an hour that waits to be summed up is read by its minutes", async () => {
    const name = await makeName(rig.sql, "busy");
    const from = Math.floor((now - 6 * HOUR) / HOUR) * HOUR;
    await write(name, from, now);
    const before = await read(name, from);
    const waiting = from + 2 * HOUR;
    await rig.sql`delete from rollup_hour where bucket_start = ${new Date(waiting)}`;
    await rig.sql`insert into rollup_dirty (granularity, bucket_start) values ('hour', ${new Date(waiting)})`;
    const after = await read(name, from);
    const sum = (all: typeof after) => all.reduce((n, one) => n + one.succeeded, 0);
    assert.equal(sum(after), sum(before));
    assert.equal(after.length, before.length + 59);
  });
});
