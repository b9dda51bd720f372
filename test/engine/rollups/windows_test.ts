/** What was usual lately: read from rollups, frozen with each dispatch, and what the rules go by. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { bucketStart } from "../../../src/core/metrics/buckets.ts";
import { WINDOW_MS, WINDOW_NAMES, type Windowed } from "../../../src/core/metrics/windows.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";
import { computed } from "../../support/metrics/computed.ts";
import { type Happening, happenings } from "../../support/metrics/exact_rollups.ts";
import { makePlaces, writeHistory } from "../../support/metrics/raw_history.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** What a dispatch has frozen of the instance. */
interface Frozen {
  averages: Record<string, number | null>;
  windows: Record<string, Windowed>;
}

const MEANS: Record<string, [metric: string, unit: number]> = {
  wait_seconds: ["dispatch.wait_ms", 1_000],
  start_latency_ms: ["start.latency_ms", 1],
  run_ms: ["jobs.duration_ms", 1],
  ram_mb: ["usage.peak_ram_mb", 1],
  cpu_ms: ["usage.cpu_ms", 1],
  disk_bytes: ["usage.disk_bytes", 1],
  network_mbps: ["usage.network_mbps", 1],
};

describe("the windows of an instance", () => {
  let rig: Rig;
  before(async () => {
    // No pass but those that a test asks for.
    rig = await Rig.bare({ rollupIntervalSeconds: 3_600, workerSampleSeconds: 3_600 });
  });
  after(() => rig.stop({ oracles: false }));

  /** Dispatches a job and reads what that has frozen. */
  const dispatched = async (): Promise<Frozen> => {
    const id = await rig.submit();
    await rig.until(id, "succeeded");
    const why = await rig.engine.explain(id);
    return why!.dispatch!.contexts.instance as unknown as Frozen;
  };
  /** The last whole minute that rollups have read. */
  const endOf = async () => {
    const [row] = await rig.sql`select complete_until as until from rollup_progress`;
    return bucketStart("minute", row!.until.getTime());
  };

  test("are unknown before rollups know of anything, and so is what the rules go by", async () => {
    await rig.addEngine();
    await rig.worker({ concurrency: 4 });
    const { averages, windows } = await dispatched();
    assert.deepEqual(Object.values(averages), [null, null, null, null, null]);
    assert.deepEqual(windows.wait_seconds, { w5m: null, w1h: null, w24h: null });
    assert.deepEqual(windows.failure_share, { w5m: null, w1h: null, w24h: null });
  });

  test("are filled by rollups, and a dispatch freezes them", async () => {
    const now = Date.now();
    const places = await makePlaces(rig.sql);
    const write = (seed: number, n: number, from: number, to: number) =>
      writeHistory(rig.sql, places, { n, from, to, seed });
    await write(1, 300, now - 30 * HOUR, now - 2 * HOUR);
    await write(2, 60, now - HOUR, now - 20 * MINUTE);
    await write(3, 40, now - 6 * MINUTE, now - 3 * MINUTE);
    const frozen = await eventually(async () => {
      await computed(rig.engine.rollups, rig.sql);
      const [one, end, all] = [await dispatched(), await endOf(), await happenings(rig.sql)];
      assertExact(one, all, end);
      return one;
    }, "a dispatch has frozen what the raw rows say");
    for (const window of ["w1h", "w24h"] as const) {
      assert.ok(frozen.windows.completed![window]! > 20, "so that it says something");
      assert.ok(frozen.windows.wait_seconds![window]! > 0);
    }
    assert.deepEqual(
      frozen.windows.network_mbps,
      { w5m: null, w1h: null, w24h: null },
      "nobody has measured it",
    );
  });

  test("give the rules the hour's mean of waits and the day's of disks", async () => {
    const { averages, windows } = await dispatched();
    assert.equal(averages.wait_seconds, windows.wait_seconds!.w1h);
    assert.equal(averages.cpu_ms, windows.cpu_ms!.w1h);
    assert.equal(averages.disk_bytes, windows.disk_bytes!.w24h);
    assert.equal(averages.network_mbps, null);
    assert.notEqual(windows.disk_bytes!.w24h, windows.disk_bytes!.w1h);
  });
});

function assertExact({ windows }: Frozen, all: readonly Happening[], end: number): void {
  for (const window of WINDOW_NAMES) {
    const inside = all.filter(({ at }) => at >= end - WINDOW_MS[window] && at < end);
    for (const [figure, [metric, unit]] of Object.entries(MEANS)) {
      const values = inside.flatMap((one) => (one.metric === metric ? [one.value!] : []));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length / unit;
      assertNear(
        windows[figure]![window],
        values.length === 0 ? null : mean,
        `${figure} ${window}`,
      );
    }
    const count = (metric: string) => inside.filter((one) => one.metric === metric).length;
    const completed = count("jobs.succeeded") + count("jobs.failed");
    assert.equal(windows.completed![window], completed, `completed ${window}`);
    const share = completed === 0 ? null : count("jobs.failed") / completed;
    assertNear(windows.failure_share![window], share, `failure_share ${window}`);
  }
}

/** Of three digits, the last is rounded. */
function assertNear(figure: number | null, exact: number | null, what: string): void {
  if (figure === null || exact === null) assert.equal(figure, exact, what);
  else assert.ok(Math.abs(figure - exact) <= 0.00501 * exact, `${what}: ${figure}, not ${exact}`);
}
