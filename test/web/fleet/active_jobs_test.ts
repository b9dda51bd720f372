import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { activeJobs } from "../../../src/web/fleet/active_jobs.ts";
import type { LiveWorker } from "../../../src/web/fleet/live_workers.ts";

const worker = (name: string, used: number, slots: number) =>
  ({
    uid: `00000000-0000-4000-8000-0000000${name.padStart(5, "0")}`,
    name,
    used,
    slots,
  }) as LiveWorker;

describe("active jobs per worker", () => {
  test("begin with the busiest, and with what has most room among equals", () => {
    const bars = activeJobs([worker("a", 1, 4), worker("b", 3, 4), worker("c", 1, 8)]);
    assert.deepEqual(bars, [
      { label: "b", active: 3, free: 1 },
      { label: "c", active: 1, free: 7 },
      { label: "a", active: 1, free: 3 },
    ]);
  });

  test("show no room below nothing where a worker has shrunk", () => {
    assert.deepEqual(activeJobs([worker("a", 5, 2)]), [{ label: "a", active: 5, free: 0 }]);
  });

  test("add up those beyond the twentieth, so that no job is left out", () => {
    const bars = activeJobs(Array.from({ length: 25 }, (_, at) => worker(String(at), 25 - at, 30)));
    assert.equal(bars.length, 21);
    assert.equal(bars.at(-1)!.label, "5 others");
    assert.equal(
      bars.reduce((sum, { active }) => sum + active, 0),
      (25 * 26) / 2,
    );
  });
});
