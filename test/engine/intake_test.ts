import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, test } from "node:test";
import type { Receipt, Submitted } from "../../src/engine/engine.ts";
import { ReceiptTaken } from "../../src/engine/engine.ts";
import { type JobInput, jobInput } from "../../src/messages/job_input.ts";
import { DatabaseProxy } from "../support/database_proxy.ts";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";

const BEAT = /insert into idempotency_key[\s\S]*insert into job /;
const plain = (more: Partial<JobInput> = {}) =>
  jobInput.parse({ name: "work", kind: "handler", ...more });
const receipt = (key: string = randomUUID()): Receipt => ({ caller: "tester", key, hash: "h" });

let rig: Rig;

/** By another caller than all others, with another payload. */
function submit(n: number, more: Partial<JobInput> = {}, signed?: Receipt): Promise<Submitted[]> {
  return rig.engine.submitJobs(
    "default",
    [plain({ payload: { n }, ...more })],
    `user ${n}`,
    signed,
  );
}

async function jobs(): Promise<{ id: string; n: number; created_by: string }[]> {
  return await rig.sql`select id, (payload ->> 'n')::int as n, created_by from job`;
}

/** How many transactions wrote these. */
async function beats(): Promise<number> {
  const [row] = await rig.sql`
    select count(distinct xid)::int as n from phase_event where state = 'queued'`;
  return row!.n as number;
}

describe("plain submissions", () => {
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  test("of many callers at once share few transactions, and each caller gets its own", async () => {
    await submit(-1);
    const before = await beats();
    const answers = await Promise.all(Array.from({ length: 500 }, (_, n) => submit(n)));
    assert.ok((await beats()) - before < 60);
    const byId = new Map((await jobs()).map((job) => [job.id, job]));
    for (const [n, [one]] of answers.entries()) {
      const { n: payload, created_by } = byId.get(one!.id)!;
      assert.deepEqual([one!.created, payload, created_by], [true, n, `user ${n}`]);
    }
    assert.equal(byId.size, 501);
  });

  test("start as soon as they are written, in the order of their priority", async () => {
    const worker = await rig.worker({ concurrency: 64, run: (job) => job.start().succeed() });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => submit(n, { priority: n % 7 })),
    );
    for (const [one] of answers) await rig.until(one!.id, "succeeded");
    assert.equal(worker.assigned.length, 200);
  });

  test("to be run later wait for their time, and count as queued", async () => {
    const [one] = await submit(1, { run_at: "2999-01-01T00:00:00Z" });
    assert.deepEqual(await rig.history(one!.id), ["queued(run_at)"]);
    assert.equal((await rig.live(one!.id)).due_at.getUTCFullYear(), 2999);
    assert.equal(one!.job!.row.state, "queued");
  });

  test("one that cannot be stored fails alone", async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 80 }, (_, n) => submit(n, n === 37 ? { tags: { bad: "\u0000" } } : {})),
    );
    const refused = answers.flatMap(({ status }, n) => (status === "rejected" ? [n] : []));
    assert.deepEqual(refused, [37]);
    const numbers = (await jobs()).map(({ n }) => n);
    assert.equal(numbers.length, 79);
    assert.ok(!numbers.includes(37));
  });

  test("leave their receipts, with the answer where one is given", async () => {
    const answered: Receipt = {
      ...receipt("answered"),
      answer: ([one]) => ({ status: 201, body: { told: one!.job!.row.payload } }),
    };
    const [[first], [second]] = (await Promise.all([
      submit(1, {}, answered),
      submit(2, {}, receipt("bare")),
      submit(3),
    ])) as [Submitted[], Submitted[], Submitted[]];
    const rows = await rig.sql`select key, status, answer from idempotency_key order by key`;
    assert.deepEqual(
      rows.map((row) => [row.key, row.status, row.answer]),
      [
        ["answered", 201, { told: { n: 1 } }],
        ["bare", null, [{ id: second!.id, created: true }]],
      ],
    );
    assert.ok(first!.job);
  });

  test("with a receipt that stands already are refused alone and write nothing", async () => {
    await submit(0, {}, receipt("old"));
    const answers = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) =>
        submit(n + 1, {}, receipt(n === 20 ? "old" : undefined)),
      ),
    );
    const refused = answers.flatMap((a, n) => (a.status === "rejected" ? [[n, a.reason]] : []));
    assert.equal(refused.length, 1);
    assert.equal(refused[0]![0], 20);
    assert.ok(refused[0]![1] instanceof ReceiptTaken);
    assert.equal((await jobs()).length, 40);
  });

  test("fifty at once with one key are one, also where two servers take them", async () => {
    const other = await rig.addEngine();
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => {
        const { engine } = n % 2 ? rig : other;
        return engine.submitJobs("default", [plain({ payload: { n } })], "user", receipt("one"));
      }),
    );
    assert.equal(answers.filter((a) => a.status === "fulfilled").length, 1);
    assert.equal((await jobs()).length, 1);
  });

  test("do not wait for one whose receipt somebody else is writing", async () => {
    const release = await rig.hold(
      "insert into idempotency_key (caller, key, request_hash) values ('tester', 'held', 'h')",
    );
    const stuck = submit(0, {}, receipt("held"));
    const others = await Promise.all(
      Array.from({ length: 20 }, (_, n) => submit(n + 1, {}, receipt())),
    );
    assert.equal(others.length, 20);
    const refused = assert.rejects(stuck, ReceiptTaken);
    await release();
    await refused;
    assert.equal((await jobs()).length, 20);
  });

  test("do not wait for bulks", async () => {
    const bulk = Array.from({ length: 10_000 }, () => plain());
    const bulks = Array.from({ length: 4 }, () => rig.engine.submitJobs("default", bulk, "bulk"));
    let written = 0;
    for (const one of bulks) void one.then(() => written++);
    for (let n = 0; n < 10; n++) await submit(n);
    assert.ok(written < 4, "ten were answered before the bulks");
    await Promise.all(bulks);
  });

  test("that wait while the engine stops are written", async () => {
    // Names are known from now on: nothing else is waited for.
    await submit(-1);
    const waiting = Promise.all(Array.from({ length: 30 }, (_, n) => submit(n)));
    await new Promise((next) => setImmediate(next));
    const stopped = rig.engines[0]!.stop();
    assert.equal((await waiting).length, 30);
    await stopped;
    assert.equal((await jobs()).length, 31);
  });
});

describe("plain submissions whose connection is lost", () => {
  let proxy: DatabaseProxy;
  beforeEach(async () => {
    rig = await Rig.bare();
    proxy = await DatabaseProxy.start(rig.url);
    await rig.addEngine({ url: proxy.url });
    await submit(-1);
  });
  afterEach(async () => {
    await rig.stop();
    await proxy.stop();
  });

  for (const what of ["lose_answer", "lose_commit"] as const) {
    test(`at their COMMIT are written once, and refused ones not at all (${what})`, async () => {
      await submit(0, {}, receipt("old"));
      proxy.cutAtCommit(what, BEAT);
      const answers = await Promise.allSettled(
        Array.from({ length: 60 }, (_, n) =>
          submit(n + 1, {}, receipt(n === 30 ? "old" : undefined)),
        ),
      );
      assert.equal(proxy.cuts, 1);
      const refused = answers.flatMap((a, n) => (a.status === "rejected" ? [[n, a.reason]] : []));
      assert.deepEqual(
        refused.map(([n, error]) => [n, (error as Error).constructor]),
        [[30, ReceiptTaken]],
      );
      const written = (await jobs()).map(({ n }) => n).sort((a, b) => a - b);
      const wanted = [
        -1,
        0,
        ...Array.from({ length: 60 }, (_, n) => n + 1).filter((n) => n !== 31),
      ];
      assert.deepEqual(written, wanted);
    });
  }

  test("whose answer was lost leave the way for those that follow", async () => {
    proxy.cutAtCommit("lose_answer", BEAT);
    await submit(1);
    proxy.cutAtCommit("lose_answer", BEAT);
    await submit(2);
    // Written by a beat again, or there was nothing to be cut.
    assert.equal(proxy.cuts, 2);
    assert.deepEqual(
      (await jobs()).map(({ n }) => n).sort((a, b) => a - b),
      [-1, 1, 2],
    );
  });

  test("for long are told so, and come through again afterwards", async () => {
    proxy.cut();
    const answers = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => submit(n, {})));
    const failed = answers.flatMap((a, n) => (a.status === "rejected" ? [n] : []));
    assert.equal(failed.length, 20);
    proxy.restore();
    await eventually(() => submit(100), "a submission gets through again");
    const numbers = (await jobs()).map(({ n }) => n);
    assert.equal(new Set(numbers).size, numbers.length);
  });

  test("for a moment come through without their callers hearing of it", async () => {
    const gate = await rig.hold("lock table counter_delta in access exclusive mode");
    const waiting = Promise.all(Array.from({ length: 20 }, (_, n) => submit(n, {}, receipt())));
    await rig.blocked();
    proxy.cut();
    proxy.restore();
    await gate();
    assert.equal((await waiting).length, 20);
    assert.equal((await jobs()).length, 21);
  });
});
