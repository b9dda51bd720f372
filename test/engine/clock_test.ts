import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import fc from "fast-check";
import type { Sql } from "../../src/db/client.ts";
import { CATCH_UP, Clock, FALL_BACK } from "../../src/engine/clock.ts";
import { Rig } from "../support/engine.ts";

/** A database whose clock is set by hand, and a monotonic clock that only a test moves. */
function fake() {
  const world = { monotonic: 5_000, database: 1_800_000_000_000, roundTrip: 0 };
  const sql = {
    unsafe: async () => {
      world.monotonic += world.roundTrip / 2;
      const ms = world.database;
      world.monotonic += world.roundTrip / 2;
      return [{ ms }];
    },
  } as unknown as Sql;
  const pass = (ms: number) => {
    world.monotonic += ms;
    world.database += ms;
  };
  return { world, pass, clock: new Clock(sql, () => world.monotonic) };
}

describe("the engine's clock", () => {
  test("is the database's from its first measurement on", async () => {
    const { world, pass, clock } = fake();
    await clock.measure();
    assert.equal(clock.now(), world.database);
    pass(12_345);
    assert.equal(clock.now(), world.database);
  });

  test("takes a reading for the middle of its round trip", async () => {
    const { world, clock } = fake();
    world.roundTrip = 40;
    await clock.measure();
    const late = world.database + 20 - clock.now();
    assert.ok(Math.abs(late) <= 80, `${late} ms`);
  });

  test("follows a step back slowly, never backwards and never standing still", async () => {
    const { world, pass, clock } = fake();
    await clock.measure();
    const before = clock.now();
    world.database -= 3_600_000;
    assert.equal(Math.round(await clock.measure()), -3_600_000);
    assert.equal(clock.now(), before);
    pass(1_000);
    assert.equal(Math.round(clock.now() - before), 1_000 * FALL_BACK);
    for (let round = 0; round < 140; round++) {
      const last = clock.now();
      pass(30_000);
      await clock.measure();
      assert.ok(clock.now() > last);
    }
    assert.ok(Math.abs(clock.now() - world.database) < 1);
  });

  test("follows a step ahead quickly and without a leap", async () => {
    const { world, pass, clock } = fake();
    await clock.measure();
    const before = clock.now();
    world.database += 8 * 3_600_000;
    await clock.measure();
    assert.equal(clock.now(), before);
    pass(10);
    assert.equal(Math.round(clock.now() - before), 10 * CATCH_UP);
    pass(8 * 60_000);
    assert.ok(Math.abs(clock.now() - world.database) < 1);
  });

  test("whatever the database's clock does, never runs backwards or leaps", async () => {
    const step = fc.record({
      pass: fc.integer({ min: 1, max: 60_000 }),
      jump: fc.integer({ min: -86_400_000, max: 86_400_000 }),
      measure: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { world, pass, clock } = fake();
        await clock.measure();
        let last = clock.now();
        for (const { pass: ms, jump, measure } of steps) {
          world.database += jump;
          if (measure) await clock.measure();
          pass(ms);
          const now = clock.now();
          // Times are numbers of about 2e12: their last digit is a quarter of a microsecond.
          assert.ok(now >= last + ms * FALL_BACK - 0.01, `${now - last} ms in ${ms} ms`);
          assert.ok(now <= last + ms * CATCH_UP + 0.01, `${now - last} ms in ${ms} ms`);
          last = now;
        }
      }),
    );
  });
});

describe("against PostgreSQL", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  test("the engine tells the database's time", async () => {
    const [row] = await rig.sql`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    assert.ok(Math.abs(rig.engine.now() - row!.ms) < 1_000);
  });
});
