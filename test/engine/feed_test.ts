import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { connect } from "../../src/db/client.ts";
import { openUpkeep } from "../../src/db/upkeep.ts";
import type { EngineContext } from "../../src/engine/context.ts";
import type { Feed, FeedEvent } from "../../src/engine/feed.ts";
import { FeedReader } from "../../src/engine/feed_reader.ts";
import { Names } from "../../src/engine/names.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";

describe("the feed", () => {
  let rig: Rig;
  const stops: (() => void)[] = [];
  beforeEach(async () => {
    rig = await Rig.bare({ feedBehindMax: 3_000 });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    await rig.stop();
  });

  /** A feed that begins while others write lets its listeners read anew once: that is over here. */
  async function listen(feed: Feed) {
    const heard: { events: FeedEvent[]; gaps: string[] } = { events: [], gaps: [] };
    stops.push(
      feed.subscribe(
        (events) => heard.events.push(...events),
        () => heard.gaps.push(feed.position()),
      ),
    );
    await feed.settled();
    await feed.settled();
    heard.gaps.length = 0;
    return heard;
  }
  const words = (events: FeedEvent[]) => events.map((e) => `${e.id} ${e.job} ${e.state}`);

  test("too far behind it goes on at the newest event, says so, and misses nothing after", async () => {
    const { engine, logs } = await rig.addEngine();
    const heard = await listen(engine.feed);
    const before = engine.feed.position();
    await rig.submitMany(Array.from({ length: 9_000 }, () => ({})));
    await engine.feed.settled();
    assert.equal(heard.gaps.length, 1, "listeners are told once");
    assert.ok(heard.events.length < 9_000, `${heard.events.length} of 9,000 were delivered`);
    assert.equal(engine.feed.since(before), null);
    assert.deepEqual(engine.feed.since(heard.gaps[0]!), []);
    assert.ok(logs.some((l) => l.level === "warn" && l.message.includes("fell behind")));
    const seen = heard.events.length;
    const late = await rig.submit();
    await engine.feed.settled();
    assert.deepEqual([...new Set(heard.events.slice(seen).map((e) => e.job))], [late]);
    assert.equal(engine.feed.since(heard.gaps[0]!)!.length, heard.events.length - seen);
  });

  test("a transaction is left out though nothing was begun after it", async () => {
    const { engine, stop } = await rig.addEngine();
    const id = await rig.submit();
    const { context } = engine as unknown as { context: EngineContext };
    await stop();
    // Alone with the database: an engine's heartbeat would be a transaction after it.
    const database = await connect(rig.url, { beats: 1, reads: 1 });
    const names = new Names(database.side);
    const feed = new FeedReader({ ...context, database, names });
    feed.start();
    const heard = await listen(feed);
    await rig.sql`
      insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
      select e.at, e.org_id, e.queue_id, e.name_id, e.job_id, e.attempt, e.from_state, e.state
      from phase_event e, generate_series(1, 9000) where e.job_id = ${id}`;
    await feed.settled();
    await feed.stop();
    await database.close();
    assert.equal(heard.gaps.length, 1);
    // The oracles know of one submission only.
    await rig.sql`delete from phase_event
      where xid = (select xid from phase_event order by phase_event.xid desc limit 1)`;
  });

  test("what an old transaction wrote before the feed began makes listeners read anew", async () => {
    const { engine } = await rig.addEngine();
    const id = await rig.submit();
    const release = await rig.hold(
      `insert into phase_event (at, org_id, queue_id, name_id, job_id, attempt, from_state, state)
       select at, org_id, queue_id, name_id, job_id, attempt, from_state, state from phase_event
       where job_id = $1 limit 1`,
      [id],
    );
    // More than a feed that begins looks back.
    await rig.sql`select count(nextval('phase_event_id')) from generate_series(1, 1100)`;
    let gaps = 0;
    const idle = engine.feed.position();
    stops.push(
      engine.feed.subscribe(
        () => {},
        () => {
          gaps += 1;
        },
      ),
    );
    await eventually(() => engine.feed.position() !== idle, "the feed has begun");
    assert.equal(gaps, 0);
    await release();
    await engine.feed.settled();
    assert.equal(gaps, 1);
    await rig.sql`delete from phase_event where ctid = (
      select max(ctid) from phase_event where job_id = ${id} and from_state = 'created')`;
  });

  test("two servers tell the same events in the same order, whoever wrote them", async () => {
    const one = await rig.addEngine();
    const two = await rig.addEngine();
    const heard = [await listen(one.engine.feed), await listen(two.engine.feed)];
    await rig.worker({ concurrency: 20 }, one.engine);
    await rig.worker({ concurrency: 20 }, two.engine);
    const batches = Array.from({ length: 12 }, (_, at) =>
      rig.submitMany(
        Array.from({ length: 10 }, () => ({})),
        rig.engines[at % 2]!.engine,
      ),
    );
    const ids = (await Promise.all(batches)).flat();
    for (const id of ids) await rig.until(id, "succeeded");
    for (const { engine } of rig.engines) await engine.feed.settled();
    const [first, second] = heard.map((h) => words(h.events));
    assert.deepEqual(first, second);
    const rows = await rig.sql`select xid::text as xid, id, job_id, state from phase_event
      order by phase_event.xid, id`;
    assert.deepEqual(
      first,
      rows.map((r) => `${r.xid}.${r.id} ${r.job_id} ${r.state}`),
    );
    assert.deepEqual(
      heard.flatMap((h) => h.gaps),
      [],
    );
  });

  test("what upkeep computes for long holds up nobody's events", async () => {
    const { engine } = await rig.addEngine();
    const heard = await listen(engine.feed);
    const upkeep = openUpkeep(rig.url);
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    let begun = () => {};
    const working = new Promise<void>((done) => {
      begun = done;
    });
    const work = upkeep.begin(async (tx) => {
      await tx`select pg_current_xact_id()`;
      begun();
      await held;
    });
    await working;
    const id = await rig.submit();
    await engine.feed.settled();
    assert.ok(heard.events.some((event) => event.job === id));
    release();
    await work;
    await upkeep.end();
  });

  test("an event of a transaction that stays open long comes late, never not at all", async () => {
    const { engine } = await rig.addEngine();
    const heard = await listen(engine.feed);
    // Its id is older than those of what is committed while it is open.
    const release = await rig.hold(`select pg_current_xact_id()`);
    const id = await rig.submit();
    await rig.until(id, "ready");
    await release();
    await eventually(() => heard.events.some((e) => e.job === id), "its event is told");
  });
});
