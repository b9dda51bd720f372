/**
 * Rollups of every granularity against the raw rows, one by one, once retention has removed some of these:
 * what is left agrees, what is gone stands as it was computed, and nothing that comes later changes that.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { GRANULARITIES, type Granularity } from "../../../src/core/metrics/buckets.ts";
import { DEFAULT_RETENTION } from "../../../src/core/retention.ts";
import { floorFor } from "../../../src/db/statements/rollups/floors.ts";
import { Rig } from "../../support/engine.ts";
import { computed } from "../../support/metrics/computed.ts";
import {
  exactRollups,
  type Happening,
  happenings,
  storedRollups,
} from "../../support/metrics/exact_rollups.ts";
import { makePlaces, type Place, writeHistory } from "../../support/metrics/raw_history.ts";
import { assertSameRollups, bucketOf, granularityOf } from "../../support/metrics/same_rollups.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const now = Date.now();

const today = Math.floor(now / DAY) * DAY;

/** Rounds as of then keep raw rows of four days and hours of five weeks. Rounds of today remove nothing. */
const AHEAD = 97 * DAY;
const RAW = { rawDays: 101, dispatchDays: 101, rollupDays: 132 };
/** In a month of which no hour is kept then. */
const LONG_AGO = today - 80 * DAY;
/** Some that go, the first that stays, and some that stay: on both sides of each midnight. */
const MIDNIGHTS = [9, 5, 4, 3, 2, 1].map((days) => today - days * DAY);

const KEPT = [
  ["jobs are kept for longer", { ...RAW, jobsDays: 150 }],
  ["jobs go before the raw rows", { ...RAW, jobsDays: 99 }],
] as const;

for (const [where, days] of KEPT)
  describe(`rollups after retention, where ${where},`, () => {
    let rig: Rig;
    let places: Place[];
    /** All that has happened and was in time to be counted. */
    let counted: Happening[];
    let seed = 0;

    before(async () => {
      const byHand = { rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 };
      rig = await Rig.bare({ ...byHand, retention: { ...DEFAULT_RETENTION, ...days } });
      places = await makePlaces(rig.sql);
    });
    after(() => rig.stop({ oracles: false }));

    const write = async (n: number, midnights: readonly number[]) => {
      for (const midnight of midnights) {
        seed += 1;
        const [from, to] = [midnight - 10 * MINUTE, midnight + 5 * MINUTE];
        await writeHistory(rig.sql, places, { n, from, to, seed });
        await evaluations(from, to + HOUR);
      }
    };
    /** Every third job that ended had extended its workflow, which only a row that goes with the job says. */
    const evaluations = async (from: number, to: number) => {
      await rig.sql`
      insert into job_end (job_id, finished_at, org_id, queue_id, name_id, state, attempt, failures, queued_at)
      select job_id, ended_at, org_id, queue_id, name_id, state_after, attempt, 0, queued_at
      from dispatched_job where state_after in ('succeeded', 'failed')
        and ended_at between ${new Date(from)} and ${new Date(to)} on conflict do nothing`;
      await rig.sql`
      insert into workflow_batch (job_id, attempt, batch, ids)
      select job_id, attempt, 'b', '{}' from job_end where hashtext(job_id::text) % 3 = 0
        and finished_at between ${new Date(from)} and ${new Date(to)} on conflict do nothing`;
    };
    const compute = () => computed(rig.engine.rollups, rig.sql);
    const prune = () => rig.engine.keeping.prune(now + AHEAD);
    /** From when on everything is there that a bucket is computed from. */
    const wholeFrom = (of: Granularity) => floorFor(of, rig.sql as never);
    /** From when on buckets themselves are there. */
    const keptFrom = async (): Promise<Record<Granularity, number>> => {
      const rows = await rig.sql<{ name: string; before: Date }[]>`
      select table_name as name, before from pruned`;
      const of = (table: string) => rows.find(({ name }) => name === table)!.before.getTime();
      return { minute: of("rollup_minute"), hour: of("rollup_hour"), day: 0, week: 0 };
    };

    /** All that was ever counted stands in every bucket that is kept, and nothing else does. */
    const assertKept = async () => {
      const from = await keptFrom();
      const isKept = (key: string) => bucketOf(key) >= from[granularityOf(key)];
      const stored = await storedRollups(rig.sql);
      assertSameRollups(stored, exactRollups(counted), isKept);
      assert.deepEqual(
        [...stored.keys()].filter((key) => !isKept(key)),
        [],
        "none beyond",
      );
    };
    /** The raw rows that are left add up to what is stored, where none has gone. */
    const assertAgrees = async () => {
      const from = await wholeFrom("minute");
      const isWhole = (key: string) => bucketOf(key) >= from;
      const wanted = exactRollups(await happenings(rig.sql));
      assertSameRollups(await storedRollups(rig.sql), wanted, isWhole);
      const compared = new Set([...wanted.keys()].filter(isWhole).map(granularityOf));
      // A week begins in days that are left only on some days of it.
      for (const of of ["minute", "hour", "day"] as const) assert.ok(compared.has(of), of);
    };

    test("are what the raw rows add up to, before anything has expired", async () => {
      await write(20, [LONG_AGO, ...MIDNIGHTS]);
      await rig.addEngine();
      await compute();
      counted = await happenings(rig.sql);
      assert.ok(counted.some(({ metric }) => metric === "evals.completed"));
      await assertKept();
      await assertAgrees();
    });

    test("agree with the raw rows that are left, and keep what those said that are gone", async () => {
      await prune();
      const left = await happenings(rig.sql);
      assert.ok(left.length > 0 && left.length < 0.75 * counted.length, "raw rows are gone");
      const from = await keptFrom();
      assert.ok(from.minute > now - 9 * DAY && from.hour > LONG_AGO, "minutes and hours, too");
      await assertKept();
      await assertAgrees();
    });

    test("come out the same where every bucket that ever was is to be computed anew", async () => {
      const keys = [...exactRollups(counted).keys()];
      await rig.sql`
      insert into rollup_dirty (granularity, bucket_start)
      select of, at::timestamptz from unnest(${keys.map(granularityOf)}::text[],
        ${keys.map((key) => new Date(bucketOf(key)).toISOString())}::text[]) as bucket(of, at)
      on conflict do nothing`;
      await compute();
      await assertKept();
      await assertAgrees();
    });

    test("take in what comes late where the raw rows are left, and leave alone where they are gone", async () => {
      const gone = MIDNIGHTS.filter((at) => at < today - 4 * DAY);
      await write(10, [LONG_AGO, ...gone, today - 2 * DAY, today - DAY]);
      // What is more than four days late, which no server writes, the aggregator does not look for by itself.
      await rig.sql`
        insert into rollup_dirty (granularity, bucket_start)
        select distinct 'minute', date_trunc('minute', at, 'UTC') from phase_event
        where at < ${new Date(gone.at(-1)! + HOUR)}`;
      await compute();
      const from = await wholeFrom("minute");
      const all = await happenings(rig.sql);
      counted = [...counted.filter(({ at }) => at < from), ...all.filter(({ at }) => at >= from)];
      await assertKept();
      await assertAgrees();
      const said = rig.logs.filter(({ message }) => message.includes("came too late"));
      assert.ok(said.length > 0, "the log says so");
    });

    test("stay so when retention comes again, over the rows that came late", async () => {
      await prune();
      await assertKept();
      await assertAgrees();
      const from = await keptFrom();
      assert.ok(
        (await happenings(rig.sql)).every(({ at }) => at >= from.minute),
        "they are gone",
      );
      for (const granularity of GRANULARITIES) {
        const rows = await storedRollups(rig.sql, [granularity]);
        assert.ok(rows.size > 0, granularity);
      }
    });
  });
