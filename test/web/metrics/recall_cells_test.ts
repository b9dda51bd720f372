/** Rollups that are remembered, against those that are stored, whatever is written over meanwhile. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Granularity } from "../../../src/core/metrics/buckets.ts";
import { knownMetric } from "../../../src/core/metrics/catalogue.ts";
import { readCoverage } from "../../../src/web/metrics/coverage.ts";
import { type CellAsk, type GroupedCell, readCells } from "../../../src/web/metrics/read_cells.ts";
import { aligned } from "../../../src/web/metrics/read_series.ts";
import { recallCells } from "../../../src/web/metrics/recall_cells.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";
import { makePlaces, type Place, writeHistory } from "../../support/metrics/raw_history.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEPT = { rawDays: 30, rollupDays: 400 };
const SPANS: readonly [Granularity, number][] = [
  ["minute", 5 * HOUR],
  ["hour", 4 * DAY],
  ["day", 8 * DAY],
  ["week", 30 * DAY],
];

describe("remembered rollups are the stored ones", () => {
  let rig: Rig;
  let places: Place[];
  let seed = 1;
  const now = Date.now();
  before(async () => {
    rig = await Rig.bare({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
    places = await makePlaces(rig.sql);
    await write(500, now - 3 * DAY, now);
    await rig.addEngine();
    await computed(rig.engine.rollups, rig.sql);
  });
  after(() => rig.stop({ oracles: false }));

  function write(n: number, from: number, to: number): Promise<void> {
    seed += 1;
    return writeHistory(rig.sql, places, { n, from, to, seed });
  }

  function asks(): CellAsk[] {
    const metrics = ["jobs.succeeded", "jobs.duration_ms", "jobs.created"].map(
      (key) => knownMetric(key).id,
    );
    const orgs = [...new Set(places.map((place) => place.org))];
    const names = [...new Set(places.map((place) => place.name))];
    const none = { queues: null, workers: null };
    return SPANS.flatMap(([granularity, width]) => {
      const span = aligned({ granularity, from: now - width, to: now });
      return [
        { ...span, metrics, histograms: true, ids: { ...none, orgs: null, names: null } },
        { ...span, metrics, histograms: true, ids: { ...none, orgs, names } },
      ];
    });
  }

  const reads = () => rig.engines[0]!.database.reads;
  async function recalled(ask: CellAsk): Promise<GroupedCell[]> {
    return recallCells(reads(), ask, await readCoverage(reads(), ask.granularity, KEPT, ask));
  }
  const inOrder = (cells: readonly GroupedCell[]) => cells.map((one) => JSON.stringify(one)).sort();

  async function assertSame(): Promise<void> {
    for (const ask of asks()) {
      const stored = inOrder(await readCells(reads(), ask));
      for (let turn = 0; turn < 2; turn++) {
        assert.deepEqual(inOrder(await recalled(ask)), stored, ask.granularity);
      }
      assert.ok(stored.length > 0, ask.granularity);
    }
  }

  async function revision(): Promise<number> {
    const [row] = await rig.sql`select revision from rollup_progress where id = 1`;
    return Number(row!.revision);
  }

  const ROW = { metric: "jobs.created", granularity: "hour" };
  /** An hour of two days ago, written over behind everybody's back. */
  const tamper = () => rig.sql`
    update rollup_hour set count = count + 1000 where metric_id = ${knownMetric(ROW.metric).id}
      and bucket_start between ${new Date(now - 2 * DAY)} and ${new Date(now - 2 * DAY + 6 * HOUR)}`;
  const sums = async () => {
    const ask = asks().find((one) => one.granularity === ROW.granularity)!;
    return (await recalled(ask)).reduce((sum, cell) => sum + cell.count, 0);
  };

  test("at every granularity, read for the first time and again", assertSame);

  test("what is settled is not read again, until what comes late writes over it", async () => {
    const before = await sums();
    const counted = await revision();
    await tamper();
    assert.equal(await sums(), before);
    await write(20, now - 2 * DAY, now - 2 * DAY + 6 * HOUR);
    await computed(rig.engine.rollups, rig.sql);
    assert.ok((await revision()) > counted);
    assert.ok((await sums()) > before);
    await assertSame();
  });

  test("what happens now is seen at the next pass, and makes nothing be read again", async () => {
    await assertSame();
    const [counted, before] = [await revision(), await sums()];
    await write(15, Date.now() - 5_000, Date.now());
    await computed(rig.engine.rollups, rig.sql);
    assert.equal(await revision(), counted);
    assert.ok((await sums()) > before);
    await assertSame();
  });

  test("a span that begins within a bucket has no more of it than what is stored from there on", async () => {
    const ask = asks()[2]!;
    await assertSame();
    const within = { ...ask, from: ask.from + 10 * HOUR + 1_800_000 };
    assert.deepEqual(inOrder(await recalled(within)), inOrder(await readCells(reads(), within)));
  });

  test("what retention does not keep any more is not remembered either", async () => {
    const ask = asks()[2]!;
    await assertSame();
    await tamper();
    const stored = inOrder(await readCells(reads(), ask));
    const none = { ...(await readCoverage(reads(), ask.granularity, KEPT, ask)), from: now };
    assert.deepEqual(inOrder(await recallCells(reads(), ask, none)), stored);
  });

  test("a leader whose clock is behind takes back what was settled", async () => {
    const counted = await revision();
    await rig.sql`update rollup_progress set complete_until = complete_until + interval '1 hour'`;
    await computed(rig.engine.rollups, rig.sql);
    assert.ok((await revision()) > counted);
    await write(10, now - 2 * DAY, now - 2 * DAY + HOUR);
    await computed(rig.engine.rollups, rig.sql);
    await assertSame();
  });

  test("who sees no group is answered nothing, whatever others have asked before", async () => {
    const ask = asks()[2]!;
    assert.ok((await recalled(ask)).length > 0);
    const nobody = { ...ask, ids: { ...ask.ids, orgs: [] } };
    assert.deepEqual(await recalled(nobody), []);
    assert.deepEqual(await recalled({ ...ask, ids: { ...ask.ids, names: [] } }), []);
    assert.ok((await recalled(ask)).length > 0);
  });

  test("a reader who asks as of an older revision gets what is stored, and spoils nothing", async () => {
    const ask = asks()[2]!;
    const covered = await readCoverage(reads(), ask.granularity, KEPT, ask);
    await write(20, now - 2 * DAY, now - 2 * DAY + HOUR);
    await computed(rig.engine.rollups, rig.sql);
    const fresh = inOrder(await recalled(ask));
    assert.deepEqual(inOrder(await recallCells(reads(), ask, covered)), fresh);
    await assertSame();
  });
});
