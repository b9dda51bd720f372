/** Operations that wait before they begin: previewed, called off, stopped on their way. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Author } from "../../../src/core/author.ts";
import type { FilterFields } from "../../../src/core/search/fields.ts";
import { Rig } from "../../support/engine.ts";
import { eventually } from "../../support/eventually.ts";

const ADA: Author = { name: "Ada", user: "person-ada", token: null, address: "192.0.2.7" };
const cancels = (filter: FilterFields = {}) =>
  ({ kind: "cancel", org: "default", filter }) as const;

describe("an operation", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const row = async (id: string) => (await rig.sql`select * from operation where id = ${id}`)[0]!;
  const ends = (id: string) =>
    eventually(async () => {
      const found = await row(id);
      return found.state === "running" ? null : found;
    }, "the operation is over");
  const states = async () =>
    Object.fromEntries(
      (
        await rig.sql`select state, count(*)::int as n from (
        select state from live_job union all select state from job_end) x group by 1`
      ).map((r) => [r.state, r.n]),
    );
  const audited = () =>
    rig.sql`select action, affected, reason, before, after from audit_log order by id`;

  test("is undone whole until it begins: no job was touched, and the log says who", async () => {
    await rig.submitMany(Array.from({ length: 50 }, () => ({})));
    const { operation, affected, isComplete } = await rig.engine.bulk.begin(
      cancels(),
      { delaySeconds: 600, reason: "storm" },
      ADA,
    );
    assert.deepEqual([affected, isComplete], [50, true]);
    const undone = await rig.engine.bulk.undo(operation, ADA, "calm");
    assert.deepEqual(undone, { ok: true, state: "undone", done: 0, affected: 50 });
    assert.deepEqual(await states(), { ready: 50 });
    const last = (await audited()).at(-1)!;
    assert.deepEqual(
      [last.action, last.affected, last.reason, last.after],
      ["operation.undo", 50, "calm", { operation, state: "undone", done: 0 }],
    );
    const again = await rig.engine.bulk.undo(operation, ADA);
    assert.deepEqual([again.ok, !again.ok && again.code], [false, "conflict"]);
  });

  test("that waits begins by itself, and leaves alone what came meanwhile", async () => {
    const before = await rig.submitMany([{}, {}]);
    const { operation } = await rig.engine.bulk.begin(cancels(), { delaySeconds: 1 }, ADA);
    const later = await rig.submit();
    const over = await ends(operation);
    assert.deepEqual([over.state, over.done, over.affected], ["done", 2, 2]);
    for (const id of before) assert.equal(await rig.state(id), "cancelled");
    assert.equal(await rig.state(later), "ready");
    const late = await rig.engine.bulk.undo(operation, ADA);
    assert.match(late.ok ? "" : late.reason, /It is done: 2 jobs/);
  });

  test("is stopped between two chunks: what was done is counted, the rest stays", async () => {
    const ids = await rig.submitMany(Array.from({ length: 4_500 }, () => ({})));
    const release = await rig.hold("select id from live_job where id = $1 for update", [ids[0]!]);
    const { operation } = await rig.engine.bulk.begin(cancels(), {}, ADA);
    await eventually(async () => (await row(operation)).done === 4_000, "two chunks are done");
    await rig.blocked();
    const undoing = rig.engine.bulk.undo(operation, ADA);
    // Its answer waits for the chunk that is under way: the count is exact.
    await release();
    const result = await undoing;
    const { cancelled = 0, ready = 0 } = await states();
    assert.equal(cancelled + ready, 4_500);
    if (result.ok) assert.deepEqual([result.state, result.done], ["stopped", cancelled]);
    else assert.equal(cancelled, 4_500);
    assert.equal((await row(operation)).done, cancelled);
  });

  test("that is asked to stop before its first chunk has its rows does nothing", async () => {
    const [id] = await rig.submitMany([{}]);
    const asked = await rig.engine.bulk.begin(cancels(), { delaySeconds: 1 }, ADA);
    const result = await rig.engine.bulk.undo(asked.operation, ADA);
    assert.ok(result.ok);
    const second = await rig.engine.bulk.begin(cancels({ name: "nobody" }), {}, ADA);
    await ends(second.operation);
    assert.equal(await rig.state(id!), "ready");
  });

  test("does what its preview said, by queue, of what there was then", async () => {
    await rig.submitMany([
      ...Array.from({ length: 3 }, () => ({ queue: "a", tags: { team: "x" } })),
      { queue: "b", tags: { team: "x" } },
      { queue: "b", tags: { team: "y" } },
    ]);
    const asOf = Date.now() + 1_000;
    const ask = { ...cancels({ q: "tag:team=x -queue:c" }), asOf };
    const preview = await rig.engine.bulk.preview(ask);
    assert.deepEqual(preview, {
      ...{ affected: 4, isComplete: true },
      queues: [
        { name: "a", affected: 3 },
        { name: "b", affected: 1 },
      ],
    });
    const { operation } = await rig.engine.bulk.begin(ask, {}, ADA);
    assert.equal((await ends(operation)).done, 4);
    assert.deepEqual(await states(), { cancelled: 4, ready: 1 });
    const again = await rig.engine.bulk.preview({ ...ask, asOf: 1 });
    assert.equal(again.affected, 0, "jobs made after the question are none of it");
  });

  test("of named jobs touches these and no others, and none of another organization", async () => {
    const [one, two, three] = await rig.submitMany([{}, {}, {}]);
    const { operation } = await rig.engine.bulk.begin(
      cancels({ ids: [one!, two!, crypto.randomUUID()] }),
      {},
      ADA,
    );
    assert.equal((await ends(operation)).done, 2);
    assert.deepEqual(await Promise.all([one, two, three].map((id) => rig.state(id!))), [
      "cancelled",
      "cancelled",
      "ready",
    ]);
    const elsewhere = await rig.engine.bulk.preview(cancels({ q: "org:another" }));
    assert.equal(elsewhere.affected, 0);
  });

  test("of a workflow cannot be undone, and one that is not there is not found", async () => {
    const flow = await rig.submitWorkflow([{ key: "only" }]);
    await rig.engine.cancelWorkflow(flow.id, ADA);
    const [op] = await rig.sql`select id from operation where kind = 'cancel_workflow'`;
    const refused = await rig.engine.bulk.undo(op!.id, ADA);
    assert.deepEqual([refused.ok, !refused.ok && refused.code], [false, "conflict"]);
    const nobody = await rig.engine.bulk.undo(crypto.randomUUID(), ADA);
    assert.deepEqual([nobody.ok, !nobody.ok && nobody.code], [false, "not_found"]);
    await eventually(async () => {
      const [over] = await rig.sql`select finished_at from workflow where id = ${flow.id}`;
      return over!.finished_at !== null;
    }, "the workflow has ended");
  });
});
