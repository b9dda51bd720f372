import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fleetLoad, type LoadedWorker, loadPercent } from "../../src/core/fleet_load.ts";

const worker = (over: Partial<LoadedWorker>): LoadedWorker => ({
  ...{ system: "linux", pool: "a", runsExec: true, hasHandlers: false, state: "ready" },
  ...{ slots: 4, used: 1, ...over },
});

describe("the load of a fleet", () => {
  test("adds up what each capability's workers hold and offer, the largest first", () => {
    const loads = fleetLoad([
      worker({}),
      worker({ pool: "b", slots: 8, used: 8, hasHandlers: true }),
    ]);
    assert.deepEqual(
      loads.map(({ group, key, workers, inFlight, capacity }) => {
        return [group, key, workers, inFlight, capacity].join(" ");
      }),
      [
        "system linux 2 9 12",
        "pool b 1 8 8",
        "pool a 1 1 4",
        "kind exec 2 9 12",
        "kind handler 1 8 8",
      ],
    );
  });

  test("leaves out who takes nothing", () => {
    assert.deepEqual(fleetLoad([worker({ state: "draining" }), worker({ state: "away" })]), []);
  });

  test("is a percentage, and none without a slot", () => {
    assert.equal(loadPercent({ inFlight: 1, capacity: 4 }), 25);
    assert.equal(loadPercent({ inFlight: 0, capacity: 0 }), null);
  });
});
