/** Schedules on a real engine: what their runs do to each other, and what a pause leaves. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type ScheduleInput, scheduleInput } from "../../../src/messages/schedule_input.ts";
import { readFires } from "../../../src/web/schedules/fires.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import type { HeldJob } from "../../support/inline_worker.ts";

const JOB = { name: "work", kind: "handler" as const };
/** Runs by hand only. */
const NEVER = "0 0 29 2 *";

describe("a schedule on an engine", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const make = (more: Partial<ScheduleInput> = {}) => {
    const input = { name: "tick", cron: "* * * * * *", job: JOB, ...more } as ScheduleInput;
    return rig.engine.schedules.create("default", scheduleInput.parse(input), "tester");
  };
  const fires = async (id: string) =>
    await rig.sql`select extract(epoch from nominal_at)::float8 * 1000 as nominal, *
      from schedule_fire where schedule_id = ${id} order by nominal_at`;
  const untilFires = (id: string, what: (rows: Awaited<ReturnType<typeof fires>>) => boolean) =>
    eventually(async () => {
      const rows = await fires(id);
      return what(rows) ? rows : null;
    }, "the schedule fires");
  /** Oldest first, as pages tell them. */
  const outcomes = async (id: string) => {
    const views = (await readFires(rig.sql as never, [id], { each: 10 })).get(id) ?? [];
    return views.map((view) => view.outcome).reverse();
  };
  const trigger = async (id: string) => {
    const result = await rig.engine.schedules.trigger(id, "tester");
    assert.ok(result.ok, JSON.stringify(result));
    return result.fate;
  };
  /** A worker that holds what it gets until the test ends it. */
  const holding = async () => {
    const held: HeldJob[] = [];
    await rig.worker({ run: (job) => void held.push(job.start()) });
    return held;
  };

  test("fires every second once, submits in its name, and notes how its runs ended", async () => {
    await rig.worker();
    const id = await make({ job: { ...JOB, tags: { of: "us" } } });
    const rows = await untilFires(
      id,
      (all) => all.filter((f) => f.outcome === "succeeded").length > 2,
    );
    await rig.engine.schedules.pause(id, "tester");
    for (const [at, row] of rows.entries()) {
      assert.deepEqual([row.kind, row.state], ["due", "submitted"]);
      assert.equal(row.nominal, rows[0]!.nominal + at * 1000);
      const [job] = await rig.sql`select created_by, tags from job where id = ${row.job_id}`;
      assert.equal(job!.created_by, "schedule tick");
      const scheduled_for = new Date(row.nominal).toISOString();
      assert.deepEqual(job!.tags, { of: "us", schedule: "tick", scheduled_for });
    }
    assert.deepEqual(await rig.logs.filter(({ level }) => level !== "info"), []);
  });

  test("leaves out what is due while its run lives, where it is to skip", async () => {
    const held = await holding();
    const id = await make({ overlap: "skip" });
    const rows = await untilFires(
      id,
      (all) => all.filter((f) => f.state === "skipped").length >= 2,
    );
    assert.equal(rows.filter((f) => f.state === "submitted").length, 1);
    assert.match(rows.at(-1)!.reason, /the run before it had not ended/);
    held[0]!.succeed();
    await untilFires(id, (all) => all.filter((f) => f.state === "submitted").length >= 2);
    await rig.engine.schedules.pause(id, "tester");
  });

  test("lets runs wait for each other, in order, where it is to queue", async () => {
    const held = await holding();
    const id = await make({ cron: NEVER, overlap: "queue" });
    assert.equal((await trigger(id)).state, "submitted");
    assert.deepEqual(
      [(await trigger(id)).state, (await trigger(id)).state],
      ["waiting", "waiting"],
    );
    for (let run = 0; run < 3; run++) {
      await eventually(() => held.length === run + 1, `run ${run} is there`);
      const states = (await fires(id)).map((f) => f.state);
      assert.equal(states.filter((state) => state === "waiting").length, 2 - run);
      // One that fails lets the next go all the same.
      if (run === 1) held[run]!.fail();
      else held[run]!.succeed();
    }
    await rig.until(held[2]!.id, "succeeded");
    assert.deepEqual(await outcomes(id), ["succeeded", "failed", "succeeded"]);
    assert.deepEqual(
      (await fires(id)).map((f) => f.job_id),
      held.map((job) => job.id),
    );
  });

  test("what waits stays waiting while it is paused", async () => {
    const held = await holding();
    const id = await make({ cron: NEVER, overlap: "queue" });
    await trigger(id);
    await trigger(id);
    await eventually(() => held.length === 1, "the first runs");
    await rig.engine.schedules.pause(id, "tester");
    held[0]!.succeed();
    await rig.until(held[0]!.id, "succeeded");
    assert.deepEqual(await outcomes(id), ["succeeded", "waiting"]);
    await rig.engine.schedules.resume(id, "tester");
    await eventually(() => held.length === 2, "the second runs");
    held[1]!.succeed();
    await rig.until(held[1]!.id, "succeeded");
  });

  test("cancels the run before, where it is to replace", async () => {
    const held: HeldJob[] = [];
    await rig.worker({
      run: (job) => {
        held.push(job.start());
        job.onCancel = () => job.cancelled();
      },
    });
    const id = await make({ cron: NEVER, overlap: "replace" });
    const first = await trigger(id);
    await eventually(() => held.length === 1, "the first runs");
    const second = await trigger(id);
    assert.equal((await rig.end(first.job!)).state, "cancelled");
    const [event] = await rig.sql`
      select actor from phase_event where job_id = ${first.job!} and state = 'cancelled'`;
    assert.equal(event!.actor, "schedule tick");
    await eventually(() => held.length === 2, "the second runs");
    assert.equal(held[1]!.id, second.job);
    held[1]!.succeed();
    await rig.until(second.job!, "succeeded");
  });

  test("submits workflows, and skips or replaces them like jobs", async () => {
    const jobs = [
      { key: "a", ...JOB },
      { key: "b", ...JOB, depends_on: ["a"] },
    ];
    const id = await make({ cron: NEVER, job: null, workflow: { name: "flow", jobs } });
    const first = await trigger(id);
    const [{ n } = { n: 0 }] = await rig.sql`
      select count(*)::int as n from workflow_job where workflow_id = ${first.workflow!}`;
    assert.equal(n, 2);
    const refused = await rig.engine.schedules.trigger(id, "tester");
    assert.equal(refused.ok, false);
    await rig.engine.schedules.change(id, { overlap: "replace" }, "tester");
    const second = await trigger(id);
    await rig.workflowState(first.workflow!, "cancelled");
    await rig.worker();
    await rig.workflowState(second.workflow!, "succeeded");
    assert.deepEqual(await outcomes(id), ["cancelled", "succeeded"]);
  });

  for (const [catchUp, runs] of [
    ["none", 0],
    ["last", 1],
    ["all", 3],
  ] as const) {
    test(`runs ${runs} of what was due in a pause, with the policy ${catchUp}`, async () => {
      await rig.worker();
      const more = { catch_up: catchUp, catch_up_max: 3, overlap: "replace" as const };
      const id = await make({ ...more, paused: true });
      // As if it had been paused for a minute.
      await rig.sql`update schedule set settled_until = date_trunc('second', now()) - interval '60 s',
        cron = '*/10 * * * * *' where id = ${id}`;
      const before = rig.engine.now();
      await rig.engine.schedules.resume(id, "tester");
      await eventually(async () => {
        const [row] = await rig.sql`select due_at > now() as caught from schedule where id = ${id}`;
        return row!.caught;
      }, "it has caught up");
      await rig.engine.schedules.pause(id, "tester");
      const caught = (await fires(id)).filter((f) => f.nominal <= before);
      const submitted = caught.filter((f) => f.state === "submitted");
      assert.equal(submitted.length, runs);
      assert.ok(submitted.every((f) => f.kind === "missed"));
      const [skip] = caught.filter((f) => f.state === "skipped");
      assert.equal(skip!.missed, 6 - runs);
      assert.match(skip!.reason, /due while the schedule was paused/);
    });
  }

  test("that can never be submitted says so, and goes on", async () => {
    const id = await make({ job: null, workflow: { name: "f", jobs: [{ key: "a", ...JOB }] } });
    const cycle = { name: "f", jobs: [{ key: "a", ...JOB, depends_on: ["a"], tags: {} }] };
    await rig.sql`update schedule set workflow = ${rig.sql.json(cycle)}, revision = revision + 1
      where id = ${id}`;
    const rows = await untilFires(
      id,
      (all) => all.filter((f) => f.state === "refused").length >= 2,
    );
    assert.match(rows.at(-1)!.reason, /depend/);
    await rig.engine.schedules.remove(id, "tester");
    assert.equal((await fires(id)).length, 0);
  });

  test("with a new rule begins anew; with a new name it goes on where it is", async () => {
    const id = await make({ cron: NEVER });
    await rig.sql`update schedule set settled_until = '2020-01-01' where id = ${id}`;
    await rig.engine.schedules.change(id, { name: "renamed", cron: NEVER }, "tester");
    const settled = async () => {
      const [row] = await rig.sql`select settled_until as at, name from schedule where id = ${id}`;
      return row!;
    };
    assert.equal((await settled()).at.getTime(), Date.parse("2020-01-01"));
    const now = Math.floor(rig.engine.now());
    await rig.engine.schedules.change(id, { cron: "0 0 1 1 *", name: "again" }, "tester");
    assert.ok((await settled()).at.getTime() >= now);
    const again = () => make({ cron: NEVER, name: "again" });
    await assert.rejects(again, /There is a schedule again already/);
  });
});
