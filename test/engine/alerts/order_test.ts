/** In which order channels hear, and that none waits for another: real web and mail servers, a real database. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { channelInput } from "../../../src/engine/alerts/input.ts";
import { insertFiring } from "../../support/alerts/firing.ts";
import { type Receiver, receiver } from "../../support/alerts/receiver.ts";
import { makeName, type Name } from "../../support/alerts/runs.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";

const OFF = { job_name: null, enabled: false, limits: {} };

describe("a channel", () => {
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

  const channel = () => {
    const input = channelInput.parse({ name: "c", kind: "webhook", url: server.url });
    return rig.engine.alerts.createChannel(null, input, { actor: "tester", isTrusted: true });
  };
  const told = () =>
    server.received.map(({ body }) =>
      JSON.parse(body)
        .data.alerts.map((one: { status: string; rule: string }) => `${one.rule} ${one.status}`)
        .join(),
    );
  const tried = (n: number) =>
    eventually(async () => {
      const [row] = await rig.sql`
        select count(*) filter (where taken_until is null) as n from alert_delivery where attempts > 0`;
      return Number(row!.n) >= n && server.received.length >= n;
    }, `${n} tries are over`);
  const nothingWaits = () =>
    eventually(async () => {
      await rig.sql`update alert_delivery set next_try_at = now() where state = 'waiting'`;
      await rig.engine.alerts.deliver();
      return (await rig.sql`select from alert_delivery where state = 'waiting'`).length === 0;
    }, "nothing waits");

  test("that could not be told that one fires hears of its end, and nothing after it", async () => {
    server.answers = [{ status: 500 }, { status: 200 }];
    await channel();
    await insertFiring(rig.sql, name);
    await rig.engine.alerts.beat();
    await tried(1);
    await rig.engine.alerts.setRule(name.org, "BackgroundJobFailing", OFF, "tester");
    await rig.engine.alerts.beat();
    await nothingWaits();
    assert.deepEqual(told(), ["BackgroundJobFailing firing", "BackgroundJobFailing resolved"]);
    const rows = await rig.sql`select state, attempts from alert_delivery order by created_at`;
    assert.deepEqual(
      rows.map((row) => [row.state, row.attempts]),
      [
        ["replaced", 1],
        ["delivered", 2],
      ],
    );
  });

  test("that was away hears once of everything, as it is by then", async () => {
    server.answers = [{ status: 503 }, { status: 503 }, { status: 200 }];
    await channel();
    await insertFiring(rig.sql, name);
    await rig.engine.alerts.beat();
    await tried(1);
    await insertFiring(rig.sql, name, { rule: "BackgroundJobHighDuration" });
    await rig.engine.alerts.beat();
    await tried(2);
    await rig.engine.alerts.setRule(name.org, "BackgroundJobFailing", OFF, "tester");
    await rig.engine.alerts.beat();
    await nothingWaits();
    assert.equal(told().at(-1), "BackgroundJobHighDuration firing,BackgroundJobFailing resolved");
  });

  test("that does not answer holds up no other organization", async () => {
    const [other] = await rig.sql`insert into org (name) values ('other') returning id`;
    const of = (org: number, path: string, n: number) => ({
      ...{
        id: crypto.randomUUID(),
        org_id: org,
        name: `c${n}`,
        kind: "webhook",
        severity: "warning",
      },
      ...{ url: `${server.url}${path}`, secret: "whsec_AAAA", may_be_private: true, enabled: true },
      ...{ created_at: new Date(), created_by: "x", updated_at: new Date(), updated_by: "x" },
    });
    const slow = Array.from({ length: 30 }, (_, n) => of(name.org, "/slow", n));
    const quick = Array.from({ length: 6 }, (_, n) => of(other!.id, "/quick", n));
    let [release, most] = [() => {}, 0];
    const hangs = new Promise<void>((done) => {
      release = done;
    });
    const at = (path: string) => server.received.filter((one) => one.path.endsWith(path)).length;
    server.onRequest = async (path) => {
      if (!path.endsWith("/slow")) return;
      most = Math.max(most, at("/slow"));
      await hangs;
    };
    await rig.sql`insert into alert_channel ${rig.sql([...slow, ...quick] as never)}`;
    const message = { type: "alerts.changed", timestamp: "", data: { alerts: [], more: 0 } };
    await rig.sql`insert into alert_delivery ${rig.sql(
      [...slow, ...quick].map((one) => ({
        ...{ id: crypto.randomUUID(), channel_id: one.id, message, state: "waiting", attempts: 0 },
        ...{ created_at: new Date(), next_try_at: new Date(Date.now() - 60_000) },
      })) as never,
    )}`;
    void rig.engine.alerts.deliver();
    await eventually(() => at("/quick") === 6, "the others hear");
    assert.equal(most, 4);
    release();
    await eventually(() => at("/slow") === 30, "and so does it, in the end");
  });

  test("is told one thing at a time", async () => {
    const { id } = await channel();
    const other = await rig.addEngine();
    let [now, most] = [0, 0];
    server.onRequest = async () => {
      now += 1;
      most = Math.max(most, now);
      await rig.sql`insert into alert_delivery (id, channel_id, message, state, attempts, created_at, next_try_at)
        select gen_random_uuid(), ${id}, message, 'waiting', 0, now(), now() from alert_delivery
        where (select count(*) from alert_delivery) < 6 limit 1`;
      await Promise.all([rig.engine.alerts.deliver(), other.engine.alerts.deliver()]);
      now -= 1;
    };
    await insertFiring(rig.sql, name);
    await rig.engine.alerts.beat();
    await eventually(
      async () =>
        (await rig.sql`select from alert_delivery where state = 'delivered'`).length === 6,
      "all are told",
    );
    assert.equal(most, 1);
  });
});
