/** Rollups against what the raw rows say, after everything that could make them differ. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GRANULARITIES } from "../../../src/core/metrics/buckets.ts";
import { Rig, type RigOptions } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";
import { exactRollups, happenings, storedRollups } from "../../support/metrics/exact_rollups.ts";
import { makePlaces, type Place, writeHistory } from "../../support/metrics/raw_history.ts";
import { assertSameRollups } from "../../support/metrics/same_rollups.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** No pass and no look but those that a test asks for. */
const BY_HAND: RigOptions = { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 };

/** The history is made up: nothing but raw rows. */
const MADE_UP = { oracles: false };

let rig: Rig;
let places: Place[];
let seed = 1;

async function open(options: RigOptions = {}): Promise<void> {
  rig = await Rig.bare({ ...BY_HAND, ...options });
  places = await makePlaces(rig.sql);
}

function write(n: number, from: number, to: number): Promise<void> {
  seed += 1;
  return writeHistory(rig.sql, places, { n, from, to, seed });
}

async function assertExact(): Promise<void> {
  assertSameRollups(await storedRollups(rig.sql), exactRollups(await happenings(rig.sql)));
}

describe("rollups are what the raw rows add up to", () => {
  before(() => open());
  after(() => rig.stop(MADE_UP));
  const now = Date.now();

  test("at every granularity and for every kept group, over days", async () => {
    await write(600, now - 3 * DAY, now - HOUR);
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
    const stored = await storedRollups(rig.sql);
    for (const granularity of GRANULARITIES) {
      assert.ok(
        [...stored.keys()].some((key) => key.startsWith(granularity)),
        granularity,
      );
    }
  });

  test("after a pass in which nothing new is found, which writes no row again", async () => {
    const versions = () => rig.sql`
      select metric_id, bucket_start, xmin::text from rollup_day where metric_id < 40 or metric_id > 53`;
    const earlier = (await versions()).map(String);
    await computed(rig.engine.rollups, rig.sql);
    assert.deepEqual((await versions()).map(String), earlier);
    await assertExact();
  });

  test("after events that come days late", async () => {
    await write(50, now - 2 * DAY, now - 2 * DAY + HOUR);
    await write(50, now - HOUR, now - HOUR + 60_000);
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
  });

  test("after events of a transaction that was open during a pass", async () => {
    let release = () => {};
    const waits = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun = () => {};
    const begins = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const late = rig.sql.begin(async (tx) => {
      await tx`
        insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
        values (${new Date(now - 5 * HOUR)}, ${places[0]!.org}, ${places[0]!.queue}, ${places[0]!.name},
          gen_random_uuid(), 0, 'created', 'queued')`;
      begun();
      await waits;
    });
    await begins;
    await write(20, now - HOUR, now);
    await rig.engine.rollups.pass();
    release();
    await late;
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
  });

  test("after three hours without a server", async () => {
    await rig.engines[0]!.stop();
    await write(200, now - 3 * HOUR, now);
    rig.engines.length = 0;
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
  });

  test("while two servers compute at once and events go on coming", async () => {
    const other = await rig.addEngine();
    for (let round = 0; round < 6; round += 1) {
      await Promise.all([
        rig.engine.rollups.pass(),
        other.engine.rollups.pass(),
        write(30, now - DAY, now),
      ]);
    }
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
    await other.stop();
  });
});

test("rollups do not care where the server lives, not even in the hour that comes twice", async () => {
  await open();
  try {
    const [{ name } = { name: "" }] = await rig.sql<
      { name: string }[]
    >`select current_database() as name`;
    await rig.sql.unsafe(`alter database "${name}" set timezone = 'CET-1CEST,M3.5.0,M10.5.0/3'`);
    const twice = Date.parse("2026-10-25T00:30:00Z");
    await write(150, twice - 3 * HOUR, twice + 4 * HOUR);
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
  } finally {
    await rig.stop(MADE_UP);
  }
});

test("the first event of all is counted, though rollups were looked for before it", async () => {
  await open();
  try {
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
    const [{ org, queue, name }] = places as [Place];
    await rig.sql`
      insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
      values (${new Date(Date.now() - HOUR)}, ${org}, ${queue}, ${name}, gen_random_uuid(), 0, 'created', 'queued')`;
    await computed(rig.engine.rollups, rig.sql);
    assert.ok((await storedRollups(rig.sql)).size > 0);
    await assertExact();
  } finally {
    await rig.stop(MADE_UP);
  }
});

test("what the newest transaction of all writes is counted, though passes look while it is open", async () => {
  await open();
  try {
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
    const place = places[0]!;
    for (const minutes of [3, 2, 1]) {
      const at = new Date(Date.now() - minutes * 60_000).toISOString();
      // Nothing is begun after it: the database's snapshots end where it begins.
      const release = await rig.hold(`
        insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
        values ('${at}', ${place.org}, ${place.queue}, ${place.name}, gen_random_uuid(), 0, 'created', 'queued')`);
      await rig.engine.rollups.pass();
      await rig.engine.rollups.pass();
      await release();
      await computed(rig.engine.rollups, rig.sql);
    }
    await assertExact();
  } finally {
    await rig.stop(MADE_UP);
  }
});

test("a history of weeks is read whole where an open transaction keeps the first look from it", async () => {
  await open();
  try {
    const release = await rig.hold("select pg_current_xact_id()");
    const now = Date.now();
    await write(20, now - 21 * DAY, now - 21 * DAY + HOUR);
    await rig.addEngine();
    await rig.engine.rollups.pass();
    assert.equal((await storedRollups(rig.sql)).size, 0, "it is not read yet");
    await release();
    await computed(rig.engine.rollups, rig.sql);
    await assertExact();
  } finally {
    await rig.stop(MADE_UP);
  }
});

test("queues beyond the first 200 of an organization share one row, and so do workers of a minute", async () => {
  await open();
  try {
    const [place] = places;
    const { org } = place!;
    await rig.sql`
      insert into queue (org_id, name) select ${org}, 'q' || n from generate_series(1, 205) as n`;
    const ids = await rig.sql<
      { id: number }[]
    >`select id from queue where org_id = ${org} order by id`;
    const at = new Date(Date.now() - HOUR);
    await rig.sql`
      insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state, worker_id)
      select ${at}, ${org}, q.id, ${place!.name}, gen_random_uuid(), 1, 'ready', 'dispatched', 1000 + q.n
      from unnest(${ids.map((row) => row.id)}::int[]) with ordinality as q(id, n)
      cross join generate_series(1, 3)`;
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
    const [rest] = await rig.sql`
      select count(*) filter (where queue_id > 0) as kept, sum(count) filter (where queue_id = -1) as rest
      from metric_rollup where granularity = 'hour' and metric = 'jobs.dispatched' and queue_id <> 0`;
    assert.deepEqual([Number(rest!.kept), Number(rest!.rest)], [200, (ids.length - 200) * 3]);
  } finally {
    await rig.stop(MADE_UP);
  }
});
