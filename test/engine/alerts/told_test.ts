/** Who is told of what: each channel hears that an alert fires, and who has heard that hears of its end. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { channelInput, silenceInput } from "../../../src/engine/alerts/input.ts";
import { insertFiring } from "../../support/alerts/firing.ts";
import { type Receiver, receiver } from "../../support/alerts/receiver.ts";
import { makeName, type Name } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";

const HOUR = 3_600_000;

describe("an alert", () => {
  let rig: Rig;
  let server: Receiver;
  let name: Name;
  beforeEach(async () => {
    rig = await Rig.start({ alertSeconds: 3_600 });
    server = await receiver();
    name = await makeName(rig.sql, "report");
    await rig.engine.alerts.beat();
  });
  afterEach(async () => {
    await server.close();
    await rig.stop({ oracles: false });
  });

  const channel = (called: string) => {
    const input = { name: called, kind: "webhook", url: `${server.url}/${called}` };
    const by = { actor: "tester", isTrusted: true };
    return rig.engine.alerts.createChannel(null, channelInput.parse(input), by);
  };
  const silence = () => {
    const input = silenceInput.parse({ seconds: 3_600, reason: "we know" });
    return rig.engine.alerts.silence(name.org, input, "tester");
  };
  /** Resolves at the next look. */
  const switchOff = () => {
    const off = { job_name: null, enabled: false, limits: {} };
    return rig.engine.alerts.setRule(name.org, "BackgroundJobFailing", off, "tester");
  };
  /** What every channel has heard, after a look. */
  const heard = async (now?: number) => {
    await rig.engine.alerts.beat(now);
    await eventually(async () => {
      await rig.sql`update alert_delivery set next_try_at = now() where state = 'waiting'`;
      await rig.engine.alerts.deliver();
      return (await rig.sql`select from alert_delivery where state = 'waiting'`).length === 0;
    }, "everything is told");
    const by: Record<string, string> = {};
    for (const { path, body } of server.received) {
      const called = path.split("/").at(-1)!;
      const [one] = JSON.parse(body).data.alerts;
      by[called] = `${by[called] ?? ""} ${one.status}`.trim();
    }
    return by;
  };

  test("that nobody could hear of is told to a channel that is made while it fires", async () => {
    await insertFiring(rig.sql, name);
    assert.deepEqual(await heard(), {});
    await channel("late");
    assert.deepEqual(await heard(), { late: "firing" });
    await channel("later");
    assert.deepEqual(await heard(), { late: "firing", later: "firing" });
    await switchOff();
    assert.deepEqual(await heard(), { late: "firing resolved", later: "firing resolved" });
    assert.equal((await rig.sql`select from alert_told`).length, 0);
  });

  test("that ends in a silence is told to have ended to who had heard of it, and to nobody else", async () => {
    await channel("early");
    await insertFiring(rig.sql, name);
    assert.deepEqual(await heard(), { early: "firing" });
    await silence();
    await channel("silenced");
    assert.deepEqual(await heard(), { early: "firing" });
    await switchOff();
    assert.deepEqual(await heard(), { early: "firing resolved" });
  });

  test("that ends before anybody heard of it is not told at all", async () => {
    await silence();
    await channel("early");
    await insertFiring(rig.sql, name);
    assert.deepEqual(await heard(), {});
    await switchOff();
    assert.deepEqual(await heard(), {});
  });

  test("is told to each channel again by its own time, while it is seen to hold", async () => {
    const now = Date.now();
    await channel("early");
    await insertFiring(rig.sql, name, { at: now });
    assert.deepEqual(await heard(now), { early: "firing" });
    await channel("late");
    const seen = (at: number) =>
      rig.sql`update alert set seen_at = ${new Date(at)}, known_at = ${new Date(at)}`;
    assert.deepEqual(await heard(now + HOUR), { early: "firing", late: "firing" });
    await seen(now + 4 * HOUR);
    assert.deepEqual(await heard(now + 4 * HOUR), { early: "firing firing", late: "firing" });
    await seen(now + 4 * HOUR);
    assert.deepEqual(await heard(now + 9 * HOUR), { early: "firing firing", late: "firing" });
  });
});
