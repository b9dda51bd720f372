/** The shared table of live jobs against a real engine: whatever happens, it ends up as the rows are. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NO_FILTER } from "../../../src/web/live/filter.ts";
import { LINGER_MS, LiveTable, sortKey } from "../../../src/web/live/table.ts";
import { type HandWorker, JOBS } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { eventually } from "../../support/eventually.ts";

describe("the table of live jobs", () => {
  let box: BoardBox;
  let worker: HandWorker;
  const clock = { ahead: 0 };
  const stops: (() => void)[] = [];
  before(async () => {
    box = await boardBox({ alone: true });
    worker = await box.worker({ name: "ada", concurrency: 20, handlers: ["work"] });
  });
  after(async () => {
    for (const stop of stops) stop();
    await box.close();
  });

  async function table(
    limits = { active: 100, waiting: 100, ended: 10 },
    filter = NO_FILTER,
    reads = box.database.reads,
  ) {
    const { names, feed } = box.engine;
    const now = () => box.engine.now() + clock.ahead;
    const made = new LiveTable({ reads, names, filter, orgs: "all", limits, now });
    stops.push(feed.subscribe((events) => made.apply(events)));
    await feed.settled();
    await made.load();
    return made;
  }
  const shown = async (made: LiveTable) => {
    const { active, waiting } = await made.all();
    return [...active, ...waiting]
      .filter((entry) => entry.leavesAt === null)
      .map(({ row }) => `${row.id} ${row.state}`)
      .sort();
  };
  const stored = async () => {
    const rows = await box.database.reads`select id, state from live_job`;
    return rows.map((row) => `${row.id} ${row.state}`).sort();
  };

  test("follows jobs through everything that can happen to them", async () => {
    const made = await table();
    const ids: string[] = [];
    for (let i = 0; i < 30; i++) {
      const more = i % 3 === 0 ? { depends_on: ids.slice(-1) } : {};
      const backoff = { base_seconds: 0.01, factor: 1, max_seconds: 1 };
      const job = { name: "work", kind: "handler", max_attempts: 2, backoff, ...more };
      ids.push((await box.call("POST", JOBS, job)).json.id);
    }
    for (let round = 0; round < 3; round++) {
      for (const frame of [...worker.frames]) {
        if (frame.type !== "assign") continue;
        worker.frames.splice(worker.frames.indexOf(frame), 1);
        for (const { job, attempt, token } of frame.jobs) {
          worker.session.handle({ type: "started", jobs: [{ job, attempt, token }] });
          const bad = Number.parseInt(job.slice(-1), 16) % 4 === 0;
          const outcome = bad ? ("failed" as const) : ("succeeded" as const);
          worker.session.handle({
            type: "finished",
            jobs: [{ job, attempt, token, outcome, run_ms: 1 }],
          });
        }
      }
      if (round === 1) await box.call("POST", `/api/v1/jobs/${ids.at(-1)}/cancel`, {});
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await eventually(async () => {
      assert.deepEqual(await shown(made), await stored());
      return true;
    }, "the table is as the rows are");
  });

  test("lets go of a job a moment after its end", async () => {
    const made = await table();
    const { json } = await box.call("POST", JOBS, { name: "alone", kind: "handler" });
    const held = async () => {
      const { active, waiting } = await made.all();
      return [...active, ...waiting].find(({ row }) => row.id === json.id)?.row;
    };
    await eventually(async () => (await held()) !== undefined, "it is there");
    await box.call("POST", `/api/v1/jobs/${json.id}/cancel`, {});
    await eventually(
      async () => (await held())?.state === "cancelled",
      "it has ended and is still there",
    );
    clock.ahead = LINGER_MS + 1_000;
    await made.tick();
    assert.deepEqual((await made.takeChanges()).gone.includes(json.id), true);
    assert.equal(await held(), undefined);
    clock.ahead = 0;
  });

  test("takes in no job whose end was told while rows were read", async () => {
    const { reads } = box.database;
    let read = 0;
    let answer = () => {};
    const answered = new Promise<void>((done) => {
      answer = done;
    });
    const begin = async (...args: Parameters<typeof reads.begin>) => {
      const rows = await reads.begin(...args);
      read += 1;
      if (read === 2) await answered;
      return rows;
    };
    const slow = new Proxy(reads, {
      get: (sql, key) => (key === "begin" ? begin : Reflect.get(sql, key)),
    });
    const jobs = Array.from({ length: 4 }, () => ({
      name: "held",
      kind: "handler",
      queue: "held",
    }));
    const { json } = await box.call("POST", `${JOBS}/bulk`, { jobs });
    const filter = { ...NO_FILTER, queue: "held" };
    const made = await table({ active: 2, waiting: 2, ended: 0 }, filter, slow);
    const shown = (await made.all()).waiting.map(({ row }) => row.id);
    for (const id of shown) await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
    await box.engine.feed.settled();
    clock.ahead = LINGER_MS;
    const refilled = made.tick();
    await eventually(() => read === 2, "rows are read");
    const left = json.ids.filter((id: string) => !shown.includes(id));
    for (const id of left) await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
    await box.engine.feed.settled();
    answer();
    await refilled;
    assert.deepEqual((await made.all()).waiting, []);
    clock.ahead = 0;
  });

  test("shows only so many that have ended, however many end at once", async () => {
    const made = await table({ active: 100, waiting: 100, ended: 3 });
    const jobs = Array.from({ length: 20 }, () => ({ name: "brief", kind: "handler" }));
    const { json } = await box.call("POST", `${JOBS}/bulk`, { jobs });
    const held = async () => {
      const { active, waiting } = await made.all();
      return [...active, ...waiting].filter(({ row }) => json.ids.includes(row.id));
    };
    await eventually(async () => (await held()).length === 20, "all are there");
    for (const id of json.ids) await box.call("POST", `/api/v1/jobs/${id}/cancel`, {});
    await box.engine.feed.settled();
    assert.deepEqual(
      (await held()).map(({ row }) => row.state),
      ["cancelled", "cancelled", "cancelled"],
    );
  });

  describe("in a flood", () => {
    const FLOOD = { active: 100, waiting: 10, ended: 100, newcomers: { perSecond: 1, burst: 8 } };
    const flood = async (queue: string, jobs: number, name = "flood"): Promise<string[]> => {
      const job = { name, kind: "handler", queue };
      const { json } = await box.call("POST", `${JOBS}/bulk`, { jobs: Array(jobs).fill(job) });
      await box.engine.feed.settled();
      return json.ids;
    };
    const pass = async (made: LiveTable, ms: number) => {
      clock.ahead += ms;
      await made.tick();
    };

    test("it shows a sample, says so, and is exact a moment after it", async () => {
      const made = await table({ ...FLOOD, waiting: 100 }, { ...NO_FILTER, queue: "flood" });
      const ids = await flood("flood", 40);
      const few = await shown(made);
      assert.equal(few.length, 8);
      assert.equal(made.more.waiting, true);
      // Spread over all of them: the first are those that were told latest.
      const places = few.map((row) => ids.indexOf(row.split(" ")[0]!));
      assert.ok(Math.max(...places) >= 35 && Math.min(...places) <= 5, `${places}`);
      const first = few[0]!.split(" ")[0]!;
      await box.call("POST", `/api/v1/jobs/${first}/cancel`, {});
      await box.engine.feed.settled();
      assert.equal((await shown(made)).length, 7);
      await pass(made, 3_000);
      assert.equal((await shown(made)).length, 39);
      assert.equal(made.more.waiting, false);
      clock.ahead = 0;
    });

    test("those that came too fast are caught up with also where nearly all are shown", async () => {
      const made = await table(FLOOD, { ...NO_FILTER, queue: "nearly" });
      await flood("nearly", 9);
      assert.equal(made.shown.waiting, 8);
      assert.equal(made.more.waiting, true);
      await pass(made, 3_000);
      assert.equal(made.shown.waiting, 9);
      assert.equal(made.more.waiting, false);
      clock.ahead = 0;
    });

    test("those that came while others were caught up with are caught up with after them", async () => {
      const { reads } = box.database;
      const gate = { reading: false, open: () => {} };
      let opened = Promise.resolve();
      const begin = async (...args: Parameters<typeof reads.begin>) => {
        const rows = await reads.begin(...args);
        gate.reading = true;
        await opened;
        return rows;
      };
      const slow = new Proxy(reads, {
        get: (sql, key) => (key === "begin" ? begin : Reflect.get(sql, key)),
      });
      const limits = { ...FLOOD, waiting: 100 };
      const made = await table(limits, { ...NO_FILTER, queue: "late" }, slow);
      await flood("late", 20);
      opened = new Promise<void>((done) => {
        gate.open = done;
      });
      gate.reading = false;
      const refilled = pass(made, 3_000);
      await eventually(() => gate.reading, "rows are read");
      await flood("late", 30);
      gate.open();
      await refilled;
      assert.equal(made.more.waiting, true);
      await pass(made, 3_000);
      await pass(made, 10_000);
      assert.equal((await shown(made)).length, 50);
      assert.equal(made.more.waiting, false);
      clock.ahead = 0;
    });

    test("a line that moves fast takes no place from jobs on workers", async () => {
      const made = await table(FLOOD, { ...NO_FILTER, queue: "busy" });
      await flood("busy", 40);
      const quick = await box.worker({ name: "quick", concurrency: 5, handlers: ["quick"] });
      await flood("busy", 5, "quick");
      await eventually(async () => made.shown.active === 5, "all on the worker are shown");
      quick.leave();
    });
  });

  test("holds no more than its limits, says so, and fills up when places become free", async () => {
    const jobs = Array.from({ length: 30 }, () => ({
      name: "many",
      kind: "handler",
      queue: "many",
    }));
    const { json } = await box.call("POST", `${JOBS}/bulk`, { jobs });
    const filter = { ...NO_FILTER, queue: "many" };
    const made = await table({ active: 5, waiting: 10, ended: 5 }, filter);
    assert.deepEqual(made.shown, { active: 0, waiting: 10 });
    assert.equal(made.more.waiting, true);
    const { waiting } = await made.all();
    const keys = waiting.map(sortKey);
    assert.deepEqual(keys, [...keys].sort().reverse());
    assert.equal(waiting[0]!.row.id, json.ids.at(-1));
    for (const { row } of waiting) await box.call("POST", `/api/v1/jobs/${row.id}/cancel`, {});
    await box.engine.feed.settled();
    clock.ahead = LINGER_MS + 1_000;
    await made.tick();
    assert.deepEqual(made.shown, { active: 0, waiting: 10 });
    clock.ahead = 0;
    for (let i = 0; i < 40; i++) await box.call("POST", JOBS, { ...jobs[0] });
    await box.engine.feed.settled();
    assert.equal(made.shown.waiting, 10);
  });
});
