import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { runtime } from "../../src/runtime/runtime.ts";
import { spareMemory } from "../../src/runtime/spare_memory.ts";

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Every reading of the memory is one round; rounds that the process works through take none. */
function watch({ resident, busyRounds = 0 }: { resident: number[]; busyRounds?: number }) {
  let rounds = 0;
  let collected = 0;
  // It keeps no process alive by itself.
  const alive = setInterval(() => {}, 60_000);
  stops.push(() => clearInterval(alive));
  const seen = new Promise<{ rounds: number; collected: number }>((done) => {
    const read = () => {
      const next = resident.shift();
      if (next !== undefined) return next;
      done({ rounds, collected });
      return 0;
    };
    let used = 0;
    const cpuMs = () => {
      rounds += 1;
      if (rounds <= busyRounds) used += 10;
      return used;
    };
    const collect = () => {
      collected += 1;
    };
    stops.push(spareMemory(collect, { everyMs: 2, enoughBytes: 100, cpuMs, residentBytes: read }));
  });
  return seen;
}

describe("memory", () => {
  test("is collected when there is enough of it and nothing to do", async () => {
    assert.equal((await watch({ resident: [150, 90] })).collected, 1);
  });

  test("is left where there is little of it", async () => {
    assert.equal((await watch({ resident: [99, 50, 99] })).collected, 0);
  });

  test("is left while the process works", async () => {
    const { rounds, collected } = await watch({ resident: [150, 90], busyRounds: 20 });
    assert.equal(collected, 1);
    assert.ok(rounds > 20);
  });

  test("is not collected again before it has grown: what is left may be in use", async () => {
    assert.equal((await watch({ resident: [150, 140, 145, 150, 160] })).collected, 1);
    assert.equal((await watch({ resident: [150, 140, 145, 170, 140] })).collected, 2);
  });

  test("is freed by the runtime, where it can", async () => {
    if (!runtime.collectGarbage) return assert.equal(runtime.name, "deno");
    const gone = Array.from({ length: 1_000 }, () => new WeakRef({}));
    // A reference that was made in this turn of the event loop lives until its end.
    await new Promise<void>((done) => setImmediate(done));
    runtime.collectGarbage();
    const left = gone.filter((one) => one.deref() !== undefined);
    assert.ok(left.length < 10, `${left.length} of 1,000 are left`);
  });
});
