/** What servers of one database tell each other. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import postgres from "postgres";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";

describe("two servers", () => {
  let rig: Rig;
  let listener: postgres.Sql;
  const notices: Record<string, unknown>[] = [];
  beforeEach(async () => {
    rig = await Rig.start();
    await rig.addEngine();
    listener = postgres(rig.url, { max: 1, onnotice: () => {} });
    notices.length = 0;
    await listener.listen("signalbox", (text) => void notices.push(JSON.parse(text)));
  });
  afterEach(async () => {
    await listener.end();
    await rig.stop();
  });

  test("tell each other of a cancel once, and do not repeat what they heard", async () => {
    const [first, second] = rig.engines.map(({ engine }) => engine) as [
      Rig["engine"],
      Rig["engine"],
    ];
    const asked: string[] = [];
    await rig.worker(
      {
        run: (job) => {
          job.start();
          job.onCancel = () => {
            asked.push(job.id);
            job.cancelled();
          };
        },
      },
      second,
    );
    const id = await rig.submit({}, second);
    await rig.until(id, "running");
    // Both know of each other by now, or nobody would be told.
    await eventually(async () => {
      await first.cancelJob(id, "tester");
      const isTold = notices.some((n) => n.from === first.replicaId && n.cancel === true);
      return isTold && asked.includes(id);
    }, "the other server hears of the cancel");
    await rig.until(id, "cancelled");
    // What it had to say before is said by the time it says this.
    await second.pauseQueue("default", "default", "tester");
    const own = () => notices.filter((n) => n.from === second.replicaId);
    await eventually(() => own().some((n) => n.switches === true), "it tells of the pause");
    assert.deepEqual(
      own().filter((n) => n.cancel === true),
      [],
    );
  });
});
