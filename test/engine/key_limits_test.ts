/** Limits per key: so many jobs at once that share the value of a tag. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Rig } from "../support/engine.ts";
import { eventually } from "../support/eventually.ts";
import type { HeldJob } from "../support/inline_worker.ts";

const of = (customer: string | null, n = 1, queue = "mail") =>
  Array.from({ length: n }, () => ({ queue, ...(customer ? { tags: { customer } } : {}) }));
const hold = (job: HeldJob) => job.start();

describe("a limit per key", () => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.start();
  });
  afterEach(() => rig.stop());

  const limit = (concurrency: number, tag = "customer") =>
    rig.engine.operating.queues.change(
      { org: "default", queue: "mail" },
      { limits: { per_key: { tag, concurrency } } },
      "ada",
    );
  /** Jobs that are held now, by their tag. */
  const held = async (tag = "customer") =>
    Object.fromEntries(
      (
        await rig.sql`
          select coalesce(j.tags ->> ${tag}, '-') as key, count(*)::int as n
          from live_job l join job j on j.id = l.id where l.session_id is not null group by 1 order by 1`
      ).map((row) => [row.key, row.n]),
    );

  test("lets no more of a value run at once, whoever runs them; jobs without it are free", async () => {
    const other = await rig.addEngine();
    await rig.submitMany(of("first"));
    await limit(2);
    const running = new Map<string, number>();
    let most = 0;
    const run = async (job: HeldJob) => {
      const [row] = await rig.sql`select tags ->> 'customer' as key from job where id = ${job.id}`;
      const key = row!.key as string;
      running.set(key, (running.get(key) ?? 0) + 1);
      most = Math.max(most, running.get(key)!);
      job.start();
      setTimeout(() => {
        running.set(key, running.get(key)! - 1);
        job.succeed();
      }, 3);
    };
    await rig.worker({ concurrency: 20, run });
    await rig.worker({ concurrency: 20, run }, other.engine);
    await Promise.all([
      rig.submitMany([...of("a", 30), ...of("b", 30)]),
      rig.submitMany([...of("b", 30), ...of("c", 30)], other.engine),
    ]);
    await eventually(
      async () => (await rig.sql`select count(*)::int as n from live_job`)[0]!.n === 0,
      "all end",
      { deadlineMs: 40_000 },
    );
    assert.equal(most, 2);
  });

  test("of a full value holds up no other, though very many stand before them", async () => {
    await rig.submitMany(of("whale"));
    await limit(1);
    await rig.submitMany(of("whale", 3_000));
    const minnows = await rig.submitMany([...of("minnow", 2), ...of(null, 2)]);
    const worker = await rig.worker({ concurrency: 8, run: hold });
    await eventually(async () => (await held()).whale === 1, "one of the whale runs");
    await eventually(async () => (await held()).minnow === 1, "one of the minnow runs too");
    await eventually(async () => (await held())["-"] === 2, "and those without a key");
    assert.deepEqual(await held(), { "-": 2, minnow: 1, whale: 1 });
    const first = [...worker.running.values()].find((job) => minnows.slice(0, 2).includes(job.id))!;
    first.succeed();
    await eventually(() => worker.assigned.length === 5, "the next of the minnow follows");
    await eventually(async () => (await held()).minnow === 1, "which is leased");
    const whale = [...worker.running.values()].find((job) => !minnows.includes(job.id))!;
    whale.succeed();
    await eventually(() => worker.assigned.length === 6, "and the next of the whale");
    assert.deepEqual(await held(), { "-": 2, minnow: 1, whale: 1 });
  });

  test("is changed live: another number, another tag, none", async () => {
    const both = (n: number) => ({ queue: "mail", tags: { customer: "x", host: `h${n % 2}` } });
    await rig.submitMany(Array.from({ length: 12 }, (_, n) => both(n)));
    await limit(1);
    await rig.worker({ concurrency: 12, run: hold });
    await eventually(async () => (await held()).x === 1, "one of the customer");
    await limit(3);
    await eventually(async () => (await held()).x === 3, "three");
    await limit(4, "host");
    await eventually(async () => {
      const hosts = await held("host");
      return hosts.h0 === 4 && hosts.h1 === 4;
    }, "four of each host");
    await rig.engine.operating.queues.change(
      { org: "default", queue: "mail" },
      { limits: null },
      "ada",
    );
    await eventually(async () => (await held()).x === 12, "all");
  });

  test("counts beside the queue's own: whichever is reached first", async () => {
    await rig.submitMany([...of("a", 5), ...of("b", 5)]);
    const limits = { concurrency: 3, per_key: { tag: "customer", concurrency: 2 } };
    await rig.engine.operating.queues.change({ org: "default", queue: "mail" }, { limits }, "ada");
    await rig.worker({ concurrency: 10, run: hold });
    await eventually(async () => {
      const { a = 0, b = 0 } = await held();
      return a + b === 3 && a > 0 && b > 0;
    }, "two of one and one of the other");
  });

  test("is told to who asks why a job waits", async () => {
    await rig.submitMany(of("a"));
    await limit(1);
    const [id] = await rig.submitMany(of("a"));
    await rig.worker({ concurrency: 4, run: hold });
    await eventually(async () => (await held()).a === 1, "one runs");
    const [waiting] = await rig.sql`select id from live_job where session_id is null`;
    const why = await rig.engine.explain(waiting!.id);
    assert.deepEqual(
      why!.vetoes.map(({ rule, sentence }) => [rule, sentence]),
      [["queue_key_limit", "Queue mail has reached its limit for customer a: 1 of 1 job at once."]],
    );
    assert.ok(id);
  });
});
