/** What is done on the page of the job service: one operation for many queues, each slot by itself, no false news. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { announce } from "../../../src/accounts/announce.ts";
import { ACME, type Actor, OPEN } from "../../access/cast.ts";
import { get, post } from "../../access/rows.ts";
import { jobOf, submit, V1 } from "../../access/seed.ts";
import { type Stage, stage } from "../../access/stage.ts";
import { eventually } from "../../support/eventually.ts";

const HOME = "/board/service";
let box: Stage;
let count = 0;

before(async () => {
  box = await stage();
});
after(async () => {
  assert.deepEqual(box.troubles, []);
  await box.close();
});

const put = (org: string, queue: string, more: object = {}) => {
  const requirements = { pool: `nobody-${++count}` };
  return submit(
    box,
    { org, member: org === ACME ? "owner" : "foreigner" },
    { ...{ queue, requirements }, ...more },
  );
};
const doing = (deed: string, items: string[], more = "") =>
  `${HOME}/confirm?do=${deed}${items.map((item) => `&item=${encodeURIComponent(item)}`).join("")}${more}`;
const act = (who: Actor, deed: string, items: string[], more = "") =>
  box.ask(who, post(doing(deed, items, more)));
const words = async (who: Actor, path: string) => {
  const { status, text } = await box.ask(who, get(path));
  assert.equal(status, 200, text);
  return text.replaceAll(/<[^>]*>/g, " ").replaceAll(/\s+/g, " ");
};
const news = (text: string) =>
  /class="notice \w+ service-news"[\s\S]*?<\/div>/.exec(text)?.[0] ?? null;
const operations = () =>
  box.database.reads`select id, org_id, filter, state, affected from operation order by id`;

describe("a stop of several queues", () => {
  test("is one operation that names them, and one undo", async () => {
    const queues = ["a1", "a2", "a3", "a4", "a5"];
    for (const queue of queues) await put(ACME, queue);
    const items = queues.map((queue) => `${ACME}/${queue}`);
    const preview = await words("operator", doing("stop", items));
    assert.match(preview, /Stops 5 pending jobs in 5 queues/);
    const answer = await act("operator", "stop", items);
    assert.equal(answer.status, 303, answer.text);
    const rows = await operations();
    assert.equal(rows.length, 1);
    const [row] = rows;
    assert.equal(answer.headers.get("location"), `/board/jobs/operations/${row!.id}`);
    assert.equal(row!.affected, 5);
    const named = /Stop of queues a1, a2, a3 and 2 more in zqacme/;
    assert.match(await words("operator", `/board/jobs/operations/${row!.id}`), named);
    assert.match(await words("operator", HOME), named);
    const audited = await box.database.reads`
      select action, object_kind, object_id, affected, after from audit_log
      where after ->> 'operation' = ${row!.id as string}`;
    assert.deepEqual(
      audited.map((one) => [one.action, one.object_kind, one.object_id, one.affected]),
      [["queues.stop", "queues", ACME, 5]],
    );
    assert.deepEqual(audited[0]!.after.queues, queues);
    const undone = await box.ask("operator", post(`/board/jobs/operations/${row!.id}/undo`));
    assert.equal(undone.status, 303);
    const marked = await box.database.reads`select from queue where stop_below is not null`;
    assert.equal(marked.length, 0);
  });

  test("of several organizations is one of the installation for a superuser, and told to each", async () => {
    await put(ACME, "b1");
    await put(OPEN, "b2");
    const before = (await operations()).length;
    const answer = await act("superuser", "stop", [`${ACME}/b1`, `${OPEN}/b2`]);
    const [row, ...more] = (await operations()).slice(before);
    assert.deepEqual([more, row!.org_id], [[], null]);
    assert.equal(answer.headers.get("location"), `/board/jobs/operations/${row!.id}`);
    const text = await words("superuser", `/board/jobs/operations/${row!.id}`);
    assert.match(text, /Stop of queues zqacme\/b1 and zqopen\/b2/);
    const audited = await box.database.reads`
      select o.name as org, a.object_id, a.after from audit_log a left join org o on o.id = a.org_id
      where a.after ->> 'operation' = ${row!.id as string} order by a.id`;
    assert.deepEqual(
      audited.map((one) => [one.org, one.object_id, one.after.queues]),
      [
        [null, "several", ["b1", "b2"]],
        [ACME, "several", ["b1"]],
        [OPEN, "several", ["b2"]],
      ],
    );
    await act("superuser", "call-off", [row!.id as string]);
  });

  test("of several organizations is told with one undo where it is an operation in each", async () => {
    const { beats } = box.database;
    await beats.begin(async (tx) => {
      await tx`insert into membership (org_id, person_id, role)
        select id, 'owner', 'operator'::role from org where name = ${OPEN}`;
      await announce(tx, { person: "owner" });
    });
    await put(ACME, "c1");
    await put(OPEN, "c2");
    const before = (await operations()).length;
    const items = [`${ACME}/c1`, `${OPEN}/c2`];
    const answer = await eventually(async () => {
      const found = await act("owner", "stop", items);
      return found.status === 303 ? found : undefined;
    }, "the owner operates in both");
    const begun = (await operations()).slice(before).map(({ id }) => id as string);
    assert.equal(begun.length, 2);
    const location = answer.headers.get("location")!;
    assert.deepEqual(new URL(location, "http://board").searchParams.getAll("op"), begun);
    const page = await box.ask("owner", get(location));
    assert.match(news(page.text)!, /2 operations, of 2 jobs/);
    assert.match(news(page.text)!, /Stop of queue c1 in zqacme: Waits to begin/);
    assert.match(news(page.text)!, /Call off all 2/);
    const hidden = await box.ask("foreigner", get(`${HOME}?op=${begun[0]}`));
    assert.equal(news(hidden.text), null);
    const undone = await act("owner", "call-off", begun);
    const told = await words("owner", undone.headers.get("location")!);
    assert.match(told, /Called off 2 operations/);
    const states = (await operations()).slice(before).map(({ state }) => state);
    assert.deepEqual(states, ["undone", "undone"]);
  });
});

describe("news of what was done", () => {
  test("is told of nothing that an address only claims", async () => {
    for (const claim of [
      "did=stop-all&n=5000",
      "did=pause&n=3&item=x",
      `op=${crypto.randomUUID()}`,
    ]) {
      const { status, text } = await box.ask("superuser", get(`${HOME}?${claim}`));
      assert.equal(status, 200);
      assert.equal(news(text), null, claim);
    }
  });

  test("is told to whoever did it, as it was done", async () => {
    await put(ACME, "d1");
    await put(ACME, "d2");
    await act("operator", "pause", [`${ACME}/d2`]);
    const done = await act("operator", "pause", [`${ACME}/d1`, `${ACME}/d2`]);
    const location = done.headers.get("location")!;
    const told = news((await box.ask("operator", get(location))).text)!;
    assert.match(told, /Paused 1 queue\./);
    assert.match(told, /value="zqacme\/d1"/);
    assert.doesNotMatch(told, /d2/, "it was paused before, and is not resumed by an undo");
    const forged = location.replace("n=1", "n=5000");
    assert.notEqual(forged, location);
    assert.equal(news((await box.ask("operator", get(forged))).text), null);
    assert.equal(news((await box.ask("owner", get(location))).text), null, "somebody else's");
  });
});

describe("freeing several slots", () => {
  async function busy(names: string[], org: string | null = ACME) {
    const pool = `pool-${++count}`;
    const worker = await box.worker(org, { name: pool, pool, concurrency: 10 });
    const jobs = [];
    for (const name of names) {
      const id = await put(ACME, "slots", { name, requirements: { pool } });
      worker.start(await worker.take(id));
      jobs.push(id);
    }
    const slots = async () =>
      (await box.ask("superuser", get(`${V1}/workers/${worker.id}/slots`))).json.items;
    const items = [];
    for (const id of jobs) {
      const { slot } = (await slots()).find((one: { job?: string }) => one.job === id);
      items.push(`${worker.id}/${slot}/${id}`);
    }
    return { worker, pool, items, slots };
  }

  test("goes on where one is refused, and tells of each", async () => {
    const { pool, items, slots } = await busy(["scan", "sweep", "purge"]);
    const gone = items[1]!.replace(/[^/]+$/, crypto.randomUUID());
    const mixed = [items[0]!, gone, items[2]!];
    const preview = await words("operator", doing("free", mixed));
    assert.match(preview, new RegExp(`${pool}, slot 1 scan .*${pool}, slot 3 purge`));
    const answer = await act("operator", "free", mixed);
    assert.equal(answer.status, 303, answer.text);
    const told = news((await box.ask("operator", get(answer.headers.get("location")!))).text)!;
    assert.match(told, /Asked 2 jobs to end\./);
    assert.match(told, new RegExp(`${pool}, slot 2: Slot 2 runs another job by now`));
    const freed = (await slots()).map((one: { freeing?: object }) => one.freeing != null);
    assert.deepEqual(freed.slice(0, 3), [true, false, true]);
  });

  test("refuses a single one with its reason, and a worker that never was is not found", async () => {
    const { items } = await busy(["alone"]);
    const other = items[0]!.replace(/[^/]+$/, crypto.randomUUID());
    const refused = await act("operator", "free", [other]);
    assert.equal(refused.status, 409);
    assert.match(refused.text, /runs another job by now/);
    const nobody = items[0]!.replace(/^[^/]+/, crypto.randomUUID());
    for (const list of [[nobody], [items[0]!, nobody]]) {
      assert.equal((await act("operator", "free", list)).status, 404);
      assert.equal((await box.ask("operator", get(doing("free", list)))).status, 404);
    }
    assert.equal((await act("foreigner", "free", items)).status, 404, "a worker that is not seen");
  });

  test("of shared workers is offered where an organization is chosen, for what it runs there", async () => {
    const { pool, items } = await busy(["own"], null);
    const other = jobOf(OPEN, { queue: "theirs", requirements: { pool } });
    const { json } = await box.ask("foreigner", post(`${V1}/orgs/${OPEN}/jobs`, other));
    assert.ok(json.id);
    const [worker] = items[0]!.split("/");
    const shown = await eventually(async () => {
      const text = await words("superuser", `${HOME}?tab=workers&org=${ACME}&worker=${worker}`);
      // Parts of the page are read side by side, not at one moment.
      const isTold = /1 and 1 of others/.test(text) && /Busy with jobs of others 1 /.test(text);
      return isTold ? text : undefined;
    }, "both run");
    assert.match(shown, new RegExp(`${pool} .*shared`));
    assert.match(shown, /Busy with jobs of others 1 /);
    assert.match(shown, /Free all/);
    assert.match(shown, /runs a job of another organization/);
    const nothing = await words("superuser", `${HOME}?org=default`);
    assert.doesNotMatch(nothing, /Free all/);
    const path = `${HOME}/confirm?do=free-all&org=${ACME}`;
    const count = Number(/Stops (\d+) running jobs?/.exec(await words("superuser", path))?.[1]);
    assert.ok(count >= 1);
  });
});
