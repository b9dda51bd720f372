/** Many servers and one schedule: whoever dies, and whoever leads, each due time fires once. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { scheduleInput } from "../../../src/messages/schedule_input.ts";
import { DatabaseProxy } from "../../support/database_proxy.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";

const FIRES = /insert into schedule_fire/;
const input = scheduleInput.parse({
  ...{ name: "tick", cron: "* * * * * *", overlap: "replace" },
  job: { name: "tick", kind: "handler" },
});

describe("a schedule on several servers", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.bare();
  });
  afterEach(() => rig.stop());

  const fires = async (id: string) =>
    await rig.sql`select extract(epoch from nominal_at)::int as at, job_id from schedule_fire
      where schedule_id = ${id} and state = 'submitted' order by nominal_at`;
  const untilFires = (id: string, count: number) =>
    eventually(async () => (await fires(id)).length >= count, `it fires ${count} times`);

  /** Each second has one fire, and each fire its own job. */
  async function assertOnce(id: string): Promise<void> {
    const rows = await fires(id);
    assert.deepEqual(
      rows.map(({ at }) => at),
      rows.map((_, n) => rows[0]!.at + n),
    );
    const jobs = await rig.sql`
      select id from job where tags ->> 'schedule' = 'tick' order by tags ->> 'scheduled_for'`;
    assert.deepEqual(
      jobs.map((job) => job.id),
      rows.map((row) => row.job_id),
    );
  }

  test("fires once a second, also where the one that led stops", async () => {
    const first = await rig.addEngine();
    const second = await rig.addEngine();
    const id = await first.engine.schedules.create("default", input, "tester");
    await untilFires(id, 2);
    const [role] = await rig.sql`select holder from leadership where role = 'schedules'`;
    const leader = [first, second].find((one) => one.engine.replicaId === role!.holder)!;
    await leader.stop();
    await untilFires(id, (await fires(id)).length + 2);
    const other = leader === first ? second : first;
    await other.engine.schedules.pause(id, "tester");
    await assertOnce(id);
  });

  test("is told at once to a server that sleeps", async () => {
    await rig.addEngine();
    const second = await rig.addEngine();
    // The second takes part in nothing else: the first leads, and hears of it by a notice.
    await rig.sql`insert into leadership (role, holder, term, until)
      values ('schedules', ${rig.engine.replicaId}, 1, now() + interval '1 hour')`;
    const id = await second.engine.schedules.create("default", input, "tester");
    await untilFires(id, 1);
    await rig.engine.schedules.pause(id, "tester");
  });

  for (const what of ["lose_answer", "lose_commit"] as const) {
    test(`fires once where the server hears nothing of its commit (${what})`, async () => {
      const proxy = await DatabaseProxy.start(rig.url);
      const { engine } = await rig.addEngine({ url: proxy.url });
      const id = await engine.schedules.create("default", input, "tester");
      await untilFires(id, 1);
      proxy.cutAtCommit(what, FIRES);
      await untilFires(id, 4);
      await eventually(() => engine.schedules.pause(id, "tester"), "it is paused");
      await assertOnce(id);
      await rig.engines[0]!.stop();
      await proxy.stop();
    });
  }
});
