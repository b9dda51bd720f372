import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import {
  filterQuery,
  LIVE_STATES,
  type LiveFilter,
  matches,
  NO_FILTER,
  parseFilter,
} from "../../../src/web/live/filter.ts";
import { readLive } from "../../../src/web/live/snapshot.ts";
import { JOBS } from "../../support/api_box.ts";
import { type BoardBox, boardBox } from "../../support/board_box.ts";
import { eventually } from "../../support/eventually.ts";

test("a filter survives its own URL, and an unknown word is dropped", () => {
  const filter = parseFilter(new URLSearchParams("state=running&state=bogus&queue=a&q=%25X&x=1"));
  assert.deepEqual(filter, { ...NO_FILTER, states: ["running"], queue: "a", q: "%x" });
  assert.deepEqual(parseFilter(new URLSearchParams(filterQuery(filter))), filter);
  assert.equal(filterQuery(NO_FILTER), "");
  assert.equal(parseFilter(new URLSearchParams({ q: "y".repeat(500) })).q.length, 128);
});

describe("the question asked of rows in SQL and of events here", () => {
  let box: BoardBox;
  before(async () => {
    box = await boardBox();
    await box.worker({ name: "W_1%", handlers: ["resize"] });
    const jobs = ["resize", "Re_size.x", "mail", "a/b"].flatMap((name) =>
      ["default", "mail", "q_1"].map((queue) => ({ name, queue, kind: "handler", payload: 1 })),
    );
    assert.equal((await box.call("POST", `${JOBS}/bulk`, { jobs })).status, 201);
    await box.call("POST", JOBS, {
      name: "later",
      kind: "handler",
      run_at: "2099-01-01T00:00:00Z",
    });
  });
  after(() => box.close());
  // Both answers are read one after the other: nothing may move between them.
  before(async () => {
    await eventually(async () => {
      const [row] = await box.database.reads`
        select count(*)::int as n from live_job where state = 'dispatched'`;
      return row!.n === 3;
    }, "the worker has its three jobs");
  });

  const text = fc.constantFrom("", "mail", "re", "RE_SIZE", "%", "_", "q_1", "w_1%", "'; --", "\\");
  const filters: fc.Arbitrary<LiveFilter> = fc.record({
    states: fc.subarray([...LIVE_STATES]),
    org: fc.constantFrom("", "default", "nobody"),
    queue: fc.constantFrom("", "mail", "q_1", "q%"),
    name: fc.constantFrom("", "resize", "Re_size.x", "re"),
    worker: fc.constantFrom("", "W_1%", "w_1%"),
    q: text.map((q) => q.toLowerCase()),
  });

  test("has one answer", async () => {
    const { reads } = box.database;
    const { names } = box.engine;
    const limits = { active: 100, waiting: 100 };
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const all = await readLive(reads, names, { filter: NO_FILTER, orgs: "all", limits });
        const found = await readLive(reads, names, { filter, orgs: "all", limits });
        const wanted = [...all.active, ...all.waiting].filter((row) => matches(filter, row, names));
        const ids = [...found.active, ...found.waiting].map((row) => row.id);
        assert.deepEqual(ids.sort(), wanted.map((row) => row.id).sort());
      }),
      { numRuns: 60 },
    );
  });

  test("a list longer than asked for says that there is more", async () => {
    const { reads } = box.database;
    const limits = { active: 1, waiting: 4 };
    const found = await readLive(reads, box.engine.names, {
      filter: NO_FILTER,
      orgs: "all",
      limits,
    });
    assert.equal(found.waiting.length, 4);
    assert.equal(found.moreWaiting, true);
    assert.equal(found.searchedPart, false);
  });
});
